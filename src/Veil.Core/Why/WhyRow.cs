// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>The time of a thread in one state.</summary>
/// <param name="Key">Whose, and which.</param>
/// <param name="Ns">Nanoseconds.</param>
/// <param name="Times">How often it was so.</param>
public sealed record WhyRow(WhyKey Key, ulong Ns, ulong Times)
{
    /// <summary>What it waits for: what the descriptor stands for, or the children; nothing: that is not known.</summary>
    public string? Object { get; init; }

    /// <summary>The process at the other end of that, or the child; 0: there is none that is known.</summary>
    public uint Peer { get; init; }

    /// <summary>The thread that holds the lock; 0: there is none that is known.</summary>
    public uint Holder { get; init; }
}
