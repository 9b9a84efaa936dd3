// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>What was measured.</summary>
/// <param name="Pid">The process that was asked about.</param>
/// <param name="DurationNs">For how long, by the clock on the wall.</param>
/// <param name="Rows">The time of its threads, and with following of its children's; together all the time that they had.</param>
/// <param name="Peers">The same of the processes at the other end of what they waited for, since those were found.</param>
/// <param name="PeerOf">Which process is at the other end of an object.</param>
/// <param name="HasEnded">It ended meanwhile.</param>
/// <param name="LostNs">Time that found no room in the kernel's tables.</param>
/// <param name="LostTasks">Threads that found none.</param>
public sealed record WhyFound(
    uint Pid, ulong DurationNs, IReadOnlyList<WhyRow> Rows, IReadOnlyList<WhyRow> Peers, IReadOnlyDictionary<string, uint> PeerOf,
    bool HasEnded, ulong LostNs, ulong LostTasks);
