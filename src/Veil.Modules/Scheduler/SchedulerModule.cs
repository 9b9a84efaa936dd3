// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Kernel;
using Veil.Core.Modules;

namespace Veil.Modules.Scheduler;

/// <summary>Context switches.</summary>
internal sealed class SchedulerModule : TraceModule
{
    private const string Wait = "wait_ns";
    private static readonly HookRung s_tpBtf = new("tp_btf", "tp_btf/sched_switch, sched_wakeup, sched_wakeup_new", Programs("tp_btf"));

    public override string Name => "scheduler";

    public override string Summary => "context switches: who leaves a CPU and why, and who takes it";

    public override string CountKey => "next_comm";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module scheduler --cpu 0-3 --name nginx", "who runs before and after some threads, and how long they waited"),
        new("veil --module scheduler --pid $(pidof nginx) --slower 10ms", "when a process waited long for a CPU, and who had it"),
        new("veil --module scheduler --pid $(pidof nginx) --fields prev_pid,prev_state,next_comm",
            "who takes the CPU from it (a count by next_comm is of its own turns)"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new CpuDimension()];

    public override IReadOnlyList<ModuleFlag> Flags { get; } = [Thresholds.Slower];

    public override IReadOnlyList<HookRung> Rungs { get; } =
        [s_tpBtf, new("raw_tp", "raw_tp/sched_switch, sched_wakeup, sched_wakeup_new", Programs("raw_tp"))];

    public override IReadOnlyList<(string Alias, string Field)> FieldAliases =>
        [("prev_comm", "comm"), ("prev_pid", "pid"), ("prev_tid", "tid")];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["prev_prio"] = new() { Title = "PPRIO", Rank = 12 },
        ["prev_state"] = new() { Title = "STATE", Width = 10, Rank = 70 },
        ["next_prio"] = new() { Title = "NPRIO", Rank = 11 },
        ["next_tid"] = new() { Rank = 41 },
        ["wait_ns"] = new() { Rank = ColumnHint.Kept, IsRare = false },
    };

    public override bool ShowsComputing => true;

    public override bool ComesInOrder => false;

    public override byte[] ReadObject() => EmbeddedObject.Read("scheduler");

    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bool waits = Waits(arguments), inTasks = rung == s_tpBtf && TaskStorage.IsSteadyInScheduler;
        bpfObject.SetGlobal("scheduler_has_state", KernelFeatures.KernelVersion >= new Version(5, 18));
        bpfObject.SetGlobal("scheduler_waits", waits);
        bpfObject.SetGlobal("scheduler_in_tasks", inTasks);
        bpfObject.Map("scheduler_tasks").SetAutoCreate(waits && inTasks);
        bpfObject.Map("scheduler_tids").SetAutoCreate(waits && !inTasks);
    }

    // The switches last: a task that is seen to take a CPU was then seen to wake up.
    private static HookProgram[] Programs(string rung) =>
        [new($"scheduler_wake_{rung}", When: Waits), new($"scheduler_new_{rung}", When: Waits), $"scheduler_switch_{rung}"];

    // Every wake-up of the machine is traced for it.
    private static bool Waits(ModuleArguments arguments) => arguments.Shows(Wait) || Thresholds.NeedTime(arguments);
}
