using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Scheduler;

/// <summary>Context switches.</summary>
public sealed class SchedulerModule : TraceModule
{
    /// <inheritdoc/>
    public override string Name => "scheduler";

    /// <inheritdoc/>
    public override string Summary => "context switches";

    /// <inheritdoc/>
    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new CpuDimension()];

    /// <inheritdoc/>
    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        new("tp_btf", "tp_btf/sched_switch"),
        new("raw_tp", "raw_tp/sched_switch"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<(string Alias, string Field)> FieldAliases => [("prev_comm", "comm"), ("prev_pid", "pid"), ("prev_tid", "tid")];

    /// <inheritdoc/>
    public override byte[] ReadObject() => EmbeddedObject.Read("scheduler");

    /// <inheritdoc/>
    public override IReadOnlyList<string> Programs(HookRung rung, ModuleArguments arguments) => [$"switch_{rung.Name}"];
}
