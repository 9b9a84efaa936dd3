// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>A part of the time, and what it went to.</summary>
/// <param name="Text">What it went to, in words, without control characters.</param>
/// <param name="Kind">The same for programs: <c>on_cpu_user</c> and so on.</param>
/// <param name="Ns">Nanoseconds.</param>
public sealed record WhyShare(string Text, string Kind, ulong Ns)
{
    /// <summary>Tenths of a percent of the whole; those of all parts sum to 1000.</summary>
    public int Tenths { get; init; }

    /// <summary>One of the times that it is made of: the largest.</summary>
    public required WhyRow Row { get; init; }

    /// <summary>How many such parts it stands for, where small ones were put together.</summary>
    public int Parts { get; init; } = 1;

    /// <summary>The functions that ran, the one with most samples first.</summary>
    public IReadOnlyList<WhyHot> Functions { get; init; } = [];

    /// <summary>What it is made of where that is told apart below it: who had the CPU, or the calls in the kernel. The largest first.</summary>
    public IReadOnlyList<WhyRow> Details { get; init; } = [];
}
