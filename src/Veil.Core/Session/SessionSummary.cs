// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Losses;
using Veil.Core.Output;

namespace Veil.Core.Session;

/// <summary>What a trace did: the ledger that nothing may be missing from.</summary>
public sealed record SessionSummary
{
    /// <summary>Events that the output took.</summary>
    public required ulong Delivered { get; init; }

    /// <summary>Events that were counted in the kernel; nothing where they were sent.</summary>
    public required ulong? Counted { get; init; }

    /// <summary>Events that a filter in userspace dropped.</summary>
    public required ulong DroppedByFilter { get; init; }

    /// <summary>The flag of that filter, with its dashes; empty where there is none.</summary>
    public required string FilterFlag { get; init; }

    /// <summary>Events that waited for the name of their container, and were dropped then.</summary>
    public required ulong DroppedByName { get; init; }

    /// <summary>Events that came while the trace was paused.</summary>
    public required ulong DroppedPaused { get; init; }

    /// <summary>From attaching to the last event.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Events lost, in the order of modules and causes.</summary>
    public required IReadOnlyList<KeyValuePair<LossKey, LossCount>> Lost { get; init; }

    /// <summary>By module, events that were counted and not sent, and with them all that passed, where that is known.</summary>
    public IReadOnlyList<(string Module, ulong LeftOut, ulong? Seen)> LeftOut { get; init; } = [];

    /// <summary>What ended the trace before it was asked to end.</summary>
    public required OutputException? Failure { get; init; }

    /// <summary>All losses together.</summary>
    public ulong LostTotal => Lost.Aggregate(0ul, static (total, lost) => total + lost.Value.Count);

    /// <summary>The line for people, and one for each cause of loss.</summary>
    public IEnumerable<string> Lines()
    {
        double seconds = Math.Max(Duration.TotalSeconds, 0.001);
        ulong events = Counted ?? Delivered;
        string dropped = (DroppedByFilter > 0 ? $", {DroppedByFilter} dropped by {FilterFlag}" : "")
            + (DroppedByName > 0 ? $", {DroppedByName} dropped once the names of their new containers were known" : "")
            + (DroppedPaused > 0 ? $", {DroppedPaused} dropped while paused" : "");
        yield return $"{events} {(events == 1 ? "event" : "events")} {(Counted is null ? "delivered" : "counted")} in " +
            $"{Duration.TotalSeconds:F2} s ({events / seconds:F0}/s), {LostTotal} lost{dropped}";
        foreach (var (module, leftOut, seen) in LeftOut)
            yield return $"budget: {leftOut}{(seen is { } all ? $" of {all}" : "")} events of {module} were counted and not sent";
        foreach (var (key, lost) in Lost)
            yield return $"lost {lost.Count}: {key}{lost.UsersText}{LossCause.Hint(key.Cause)}";
    }
}
