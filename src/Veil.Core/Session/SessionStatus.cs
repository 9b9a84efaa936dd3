// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Losses;
using Veil.Core.Sources;

namespace Veil.Core.Session;

/// <summary>A trace at one moment.</summary>
public sealed record SessionStatus
{
    /// <summary>Are events dropped?</summary>
    public required bool Paused { get; init; }

    /// <summary>How long they have been, where they are.</summary>
    public TimeSpan? PausedFor { get; init; }

    /// <summary>Events dropped in all pauses so far.</summary>
    public required ulong DroppedPaused { get; init; }

    /// <summary>Events that a filter in userspace dropped.</summary>
    public required ulong DroppedByFilter { get; init; }

    /// <summary>The flag of that filter, with its dashes; empty where there is none.</summary>
    public required string FilterFlag { get; init; }

    /// <summary>Events a second, over the last five; nothing where that is not known yet, or events are counted and not sent.</summary>
    public required ulong? EventsPerSecond { get; init; }

    /// <summary>The rings; nothing where events come from elsewhere.</summary>
    public required RingUse? Rings { get; init; }

    /// <summary>Since the hooks were attached.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>What the trace costs, where that is measured.</summary>
    public SessionCost? Cost { get; init; }

    /// <summary>Its budget, where it has one.</summary>
    public BudgetStatus? Budget { get; init; }

    /// <summary>Events lost, in the order of modules and causes.</summary>
    public required IReadOnlyList<KeyValuePair<LossKey, LossCount>> Lost { get; init; }

    /// <summary>The modules, in the session's order.</summary>
    public required IReadOnlyList<ModuleStatus> Modules { get; init; }
}
