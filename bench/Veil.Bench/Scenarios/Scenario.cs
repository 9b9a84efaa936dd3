// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bench.Scenarios;

/// <summary>One row of the table: what is attached while the workload runs.</summary>
internal sealed record Scenario
{
    internal required string Name { get; init; }

    /// <summary>What the workload makes; small for the tracers that take long.</summary>
    internal required int Calls { get; init; }

    /// <summary>The work of artifacts/workloads/loads that is done that often; null: getppid calls.</summary>
    internal string? Load { get; init; }

    /// <summary>The cgroup that the workload is in; null: ours.</summary>
    internal string? Cgroup { get; init; }

    /// <summary>Events that a call makes.</summary>
    internal int EventsPerCall { get; init; } = 1;

    /// <summary>It takes part in the first rounds only: what takes seconds and costs microseconds needs fewer samples.</summary>
    internal int MostRounds { get; init; } = int.MaxValue;

    /// <summary>The tracer's command for the PID of the workload and that of an idle process; null: nothing is attached.</summary>
    internal Func<int, int, IReadOnlyList<string>>? Command { get; init; }

    internal Attachment Attachment { get; init; }

    /// <summary>How the tracer is asked to stop.</summary>
    internal int StopSignal { get; init; } = Processes.Native.Sigterm;

    /// <summary>
    /// What each event of the workload has once in the output file, so that delivered events are counted in what a user gets
    /// and not in what the tracer claims. Null: no events are asked for.
    /// </summary>
    internal string? EventMark { get; init; }

    /// <summary>It prints `delivered=N` instead of events (the floor).</summary>
    internal bool CountsByItself { get; init; }

    /// <summary>The row of the empty program on the same hook.</summary>
    internal string? EmptyRow { get; init; }

    /// <summary>Why it cannot run here; the row then says so.</summary>
    internal string? Missing { get; init; }

    internal bool IsVeil => Attachment == Attachment.VeilLine;
}
