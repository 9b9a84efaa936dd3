// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Counting;

/// <summary>What keys are ranked by, the largest first.</summary>
public enum CountSort
{
    /// <summary>How many events.</summary>
    Count,

    /// <summary>Their numbers added up.</summary>
    Sum,

    /// <summary>The largest number.</summary>
    Max,

    /// <summary>How many of the events have failed.</summary>
    Errors,
}
