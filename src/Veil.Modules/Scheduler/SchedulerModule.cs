using Veil.Bpf;
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
    public override string CountKey => "next_comm";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module scheduler --cpu 0-3 --name nginx", "who runs before and after some threads, and how long they waited"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new CpuDimension()];

    /// <inheritdoc/>
    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        new("tp_btf", "tp_btf/sched_switch, sched_migrate_task"),
        new("raw_tp", "raw_tp/sched_switch, sched_migrate_task"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<(string Alias, string Field)> FieldAliases => [("prev_comm", "comm"), ("prev_pid", "pid"), ("prev_tid", "tid")];

    /// <inheritdoc/>
    public override byte[] ReadObject() => EmbeddedObject.Read("scheduler");

    /// <inheritdoc/>
    public override IReadOnlyList<string> Programs(HookRung rung, ModuleArguments arguments) => [$"migrate_{rung.Name}", $"switch_{rung.Name}"];

    /// <inheritdoc/>
    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments) =>
        bpfObject.SetGlobal("scheduler_has_state", KernelFeatures.KernelVersion >= new Version(5, 18));
}
