// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Kernel;
using Veil.Core.Modules;

namespace Veil.Modules.Locks;

/// <summary>Waits for locks, and who holds them.</summary>
internal sealed class LockModule : TraceModule
{
    private static readonly HookRung s_tpBtf = new("tp_btf", "tp_btf/sys_enter, sys_exit, sched_waking", Programs("tp_btf"));

    public override string Name => "lock";

    public override string Summary => "waits for locks (futexes): who waits, how long, who holds the lock, who woke the waiter";

    public override string CountKey => "holder";

    public override string? CountSum => "duration_ns";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module lock --pid $(pidof nginx) --slower 10ms", "who waits long for a lock of a process, and who holds it"),
        new("veil --module lock --name worker --sum duration_ns --count-by holder,address",
            "which holder and which lock cost the most time"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new ErrnoDimension()];

    public override IReadOnlyList<ModuleFlag> Flags { get; } = [Thresholds.Slower, Thresholds.Failed];

    public override IReadOnlyList<HookRung> Rungs { get; } =
        [s_tpBtf, new("raw_tp", "raw_tp/sys_enter, sys_exit, sched_waking", Programs("raw_tp"))];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["address"] = new() { Rank = 50 },
        ["operation"] = new() { Rank = 30 },
        ["lock"] = new() { Rank = 40 },
        ["holder"] = new() { Rank = 91 },
        ["holder_pid"] = new() { Title = "HPID", Rank = 20, IsRare = true, SameAs = "pid" },
        ["holder_tid"] = new() { Title = "HTID", Rank = 90 },
        ["woken_by"] = new() { Rank = 61 },
        ["woken_by_pid"] = new() { Title = "WPID", Rank = 19, IsRare = true, SameAs = "pid" },
        ["woken_by_tid"] = new() { Title = "WTID", Rank = 60 },
    };

    public override byte[] ReadObject() => EmbeddedObject.Read("lock");

    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bool inTasks = rung == s_tpBtf && TaskStorage.IsSteadyInScheduler;
        bpfObject.SetGlobal("lock_in_tasks", inTasks);
        bpfObject.Map("lock_tasks").SetAutoCreate(inTasks);
        bpfObject.Map("lock_tids").SetAutoCreate(!inTasks);
    }

    // Entry last: a wait that is seen to begin is then also seen to end.
    private static HookProgram[] Programs(string rung) =>
    [
        $"lock_gone_{rung}",
        new("lock_slow", When: IsShownWhileUnderWay) { IsRepeated = true },
        $"lock_exit_{rung}",
        $"lock_wake_{rung}",
        $"lock_enter_{rung}",
    ];

    // Whether it fails is known at its end.
    private static bool IsShownWhileUnderWay(ModuleArguments arguments) =>
        Thresholds.NeedTime(arguments) && !arguments.IsGiven(Thresholds.Failed.Name) && !arguments.IsGiven(ErrnoDimension.FlagName);
}
