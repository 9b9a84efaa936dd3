// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>What was measured.</summary>
/// <param name="Pid">The process that was asked about.</param>
/// <param name="DurationNs">For how long, by the clock on the wall.</param>
/// <param name="Rows">The time of its threads, and of those of the processes that it waited for; together all the time that they had.</param>
/// <param name="Functions">What was seen on CPUs.</param>
/// <param name="Names">Names of processes and threads, as far as they are known.</param>
public sealed record WhyFound(
    uint Pid, ulong DurationNs, IReadOnlyList<WhyRow> Rows, IReadOnlyList<WhyFunction> Functions, IReadOnlyDictionary<uint, string> Names)
{
    /// <summary>It ended meanwhile.</summary>
    public bool HasEnded { get; init; }

    /// <summary>Page faults of it that the kernel served from memory.</summary>
    public ulong MinorFaults { get; init; }

    /// <summary>Page faults of it that had to be read.</summary>
    public ulong MajorFaults { get; init; }

    /// <summary>Time that found no room in the kernel's tables.</summary>
    public ulong LostNs { get; init; }

    /// <summary>Threads that found none.</summary>
    public ulong LostTasks { get; init; }

    /// <summary>Samples that found none.</summary>
    public ulong LostSamples { get; init; }

    /// <summary>Why there are no functions; nothing: there are.</summary>
    public string? NoFunctions { get; init; }
}
