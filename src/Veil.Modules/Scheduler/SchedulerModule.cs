using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Scheduler;

/// <summary>Context switches.</summary>
public sealed class SchedulerModule : TraceModule
{
    private const string Wait = "wait_ns";
    private const string TpBtf = "tp_btf";

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
        new("veil --module scheduler --pid $(pidof nginx) --slower 10ms", "when a process waited long for a CPU, and who had it"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new CpuDimension()];

    /// <inheritdoc/>
    public override IReadOnlyList<ModuleFlag> Flags { get; } = [Thresholds.Slower];

    /// <inheritdoc/>
    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        new(TpBtf, "tp_btf/sched_switch, sched_wakeup, sched_wakeup_new"),
        new("raw_tp", "raw_tp/sched_switch, sched_wakeup, sched_wakeup_new"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<(string Alias, string Field)> FieldAliases => [("prev_comm", "comm"), ("prev_pid", "pid"), ("prev_tid", "tid")];

    /// <inheritdoc/>
    public override byte[] ReadObject() => EmbeddedObject.Read("scheduler");

    /// <inheritdoc/>
    public override IReadOnlyList<TraceModule> Instances(ModuleArguments arguments)
    {
        Thresholds.Validate(arguments);
        return [this];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Programs(HookRung rung, ModuleArguments arguments)
    {
        // The switches last: a task that is seen to take a CPU was then seen to wake up.
        string[] names = Waits(arguments) ? ["wakeup", "wakeup_new", "switch"] : ["switch"];
        return [.. names.Select(name => $"{name}_{rung.Name}")];
    }

    /// <inheritdoc/>
    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bool waits = Waits(arguments), inTasks = rung.Name == TpBtf && TaskStorage.IsSteadyInScheduler;
        Thresholds.Configure(bpfObject, arguments);
        bpfObject.SetGlobal("scheduler_has_state", KernelFeatures.KernelVersion >= new Version(5, 18));
        bpfObject.SetGlobal("scheduler_waits", waits);
        bpfObject.SetGlobal("scheduler_since_in_tasks", inTasks);
        bpfObject.Map("scheduler_task_since").SetAutoCreate(waits && inTasks);
        bpfObject.Map("scheduler_since").SetAutoCreate(waits && !inTasks);
    }

    // Every wake-up of the machine is traced for it.
    private static bool Waits(ModuleArguments arguments) => arguments.Shows(Wait) || Thresholds.NeedTime(arguments);
}
