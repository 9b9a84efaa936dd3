// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>What a flag does to a trace.</summary>
public enum FlagRole
{
    /// <summary>It chooses what is traced, and how.</summary>
    Choice,

    /// <summary>It drops events by what they are.</summary>
    Filter,

    /// <summary>It drops events by what they came to.</summary>
    Threshold,
}
