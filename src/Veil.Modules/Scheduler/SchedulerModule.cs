// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Kernel;
using Veil.Core.Modules;
using Veil.Core.Stacks;

namespace Veil.Modules.Scheduler;

/// <summary>Context switches.</summary>
internal sealed class SchedulerModule : TraceModule
{
    private const string Wait = "wait_ns";
    private const string OffTime = "off_cpu_ns";

    // scheduler_off_reads: of the task, then of its waker.
    private static readonly string[] s_offStacks = [StackFields.User, StackFields.Kernel, "waker_ustack", "waker_kstack"];

    private static readonly ModuleFlag s_offCpu =
        new("off-cpu", null, "an event as a task has a CPU again instead: how long it was away, why, and who woke it; with --stack by which path");

    // Who asks for the time alone means these events.
    private static readonly EventKind s_off = new("scheduler_off_event", s_offCpu.Name)
    {
        When = static arguments => arguments.Has(s_offCpu.Name) || arguments.Fields?.Contains(OffTime) == true,
    };

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
        new("veil --module scheduler --pid $(pidof nginx) --sum off_cpu_ns --count-by kstack,ustack", "what a process waits for, and how long"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new CpuDimension()];

    public override IReadOnlyList<ModuleFlag> Flags { get; } = [s_offCpu, Thresholds.Slower];

    public override IReadOnlyList<EventKind> EventsByFlag { get; } = [s_off];

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
        [OffTime] = new() { Title = "OFF", Rank = ColumnHint.Kept },
        ["off_state"] = new() { Title = "STATE", Width = 10, Rank = 70 },
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
        bool isOff = s_off.IsChosen(arguments);
        bpfObject.SetGlobal("scheduler_off_reads", OffStacks(arguments));
        bpfObject.SetGlobal("sched_off_in_tasks", inTasks);
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64)
            bpfObject.SetGlobal("veil_preempt_count_from_rq", PreemptCount.BytesFromRunQueue);
        bpfObject.Map("sched_off_tasks").SetAutoCreate(isOff && inTasks);
        bpfObject.Map("sched_off_tids").SetAutoCreate(isOff && !inTasks);
    }

    public override StackKinds? OwnStacks(ModuleArguments arguments)
    {
        if (!s_off.IsChosen(arguments))
            return null;
        uint bits = OffStacks(arguments);
        return (StackKinds)((bits | bits >> 2) & (uint)(StackKinds.User | StackKinds.Kernel));
    }

    private static uint OffStacks(ModuleArguments arguments)
    {
        uint asked = (uint)arguments.Stacks, bits = 0;
        if (arguments.Fields is null)
            return asked | asked << 2;
        foreach (var (bit, field) in s_offStacks.Index())
            bits |= arguments.Fields.Contains(field) ? 1u << bit : 0;
        return bits;
    }

    // The switches last: a task that is seen to take a CPU was then seen to wake up.
    private static HookProgram[] Programs(string rung) =>
    [
        new($"scheduler_wake_{rung}", When: Waits), new($"scheduler_new_{rung}", When: Waits),
        new($"scheduler_switch_{rung}", When: static arguments => !s_off.IsChosen(arguments)),
        new($"scheduler_waking_{rung}", When: s_off.IsChosen), new($"scheduler_off_{rung}", When: s_off.IsChosen),
    ];

    // Every wake-up of the machine is traced for it.
    private static bool Waits(ModuleArguments arguments) => !s_off.IsChosen(arguments) && (arguments.Shows(Wait) || Thresholds.NeedTime(arguments));
}
