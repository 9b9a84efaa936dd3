// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Comparing;

/// <summary>What is to be made of an event.</summary>
[Flags]
internal enum EventTraits
{
    /// <summary>It is compared.</summary>
    None = 0,

    /// <summary>It failed.</summary>
    Failed = 1,

    /// <summary>It moves a part of a stream, or waits for one: several after another are as one.</summary>
    Flowing = 2,

    /// <summary>Whether it comes is a matter of timing: it is counted, and not compared.</summary>
    OfTiming = 4,
}
