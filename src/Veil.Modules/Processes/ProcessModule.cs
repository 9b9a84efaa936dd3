// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Kernel;
using Veil.Core.Modules;

namespace Veil.Modules.Processes;

/// <summary>Processes, from their start to their end.</summary>
internal sealed class ProcessModule : TraceModule
{
    private const string Threads = "threads";
    private static readonly HookRung s_tpBtf = Rung("tp_btf");

    // The order is that of enum process_type.
    private static readonly EnumDimension s_event = new("event", "event", "EXEC", "EXIT", "FORK", "OOM");

    public override string Name => "process";

    public override string Summary => "processes: what they execute, how they end, whom they fork, whom the kernel kills for memory";

    public override string CountKey => "filename";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module process --failed", "every program that could not be executed, failed or was killed, with its parent"),
        new("veil --module process --output tree -- make", "what a script or a build does: a tree of its processes, and how each ended"),
        new("veil --module process --event EXEC --count-by argv", "which commands are run how often"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [s_event];

    public override IReadOnlyList<ModuleFlag> Flags { get; } =
        [Thresholds.Failed, new(Threads, null, "of threads too when they are made and when they end")];

    public override IReadOnlyList<HookRung> Rungs { get; } = [s_tpBtf, Rung("raw_tp")];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["evt_type"] = new() { Title = "EVENT", Rank = ColumnHint.Kept },
        ["filename"] = new() { Rank = 1 },
    };

    public override bool HasTree => true;

    public override byte[] ReadObject() => EmbeddedObject.Read("process");

    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bool inTasks = rung == s_tpBtf && TaskStorage.IsSteady;
        bpfObject.SetGlobal("process_threads", arguments.Has(Threads));
        bpfObject.SetGlobal("process_has_group_dead", FreesLater());
        bpfObject.SetGlobal("process_frees_later", FreesLater());
        bpfObject.SetGlobal("process_page_bytes", (uint)Environment.SystemPageSize);
        foreach (string kept in (string[])["kept", "kept_long"])
        {
            bpfObject.SetGlobal(kept + "_in_tasks", inTasks);
            bpfObject.Map(kept + "_tasks").SetAutoCreate(inTasks);
            bpfObject.Map(kept + "_tids").SetAutoCreate(!inTasks);
        }
    }

    // The end last: what is seen to end was then seen to begin.
    private static HookRung Rung(string rung) => new(
        rung,
        $"{rung}/sched_process_exec, sys_enter, sys_exit, task_newtask, sched_process_exit, exit_mmap, sched_process_free, mark_victim",
        new("process_clock_raw_tp", When: static arguments => arguments.Shows("cpu_ns")), $"process_fork_{rung}", $"process_exec_{rung}",
        $"process_ask_{rung}", $"process_ref_{rung}", new("process_oom_tp_btf", When: _ => rung == "tp_btf" && NamesVictim()),
        new("process_oom_raw_tp", When: _ => rung != "tp_btf" || !NamesVictim()),
        new($"process_free_{rung}", When: static _ => FreesLater()), new($"process_mem_{rung}", When: static _ => FreesLater()),
        $"process_exit_{rung}");

    // Since 6.16 sched_process_exit comes before the memory is freed.
    private static bool FreesLater() => KernelFeatures.KernelVersion >= new Version(6, 16);

    // Does the hook say more of a victim than its id?
    private static bool NamesVictim() =>
        KernelFeatures.KernelBtf.FindStruct("trace_event_raw_mark_victim")?.Members.Any(static member => member.Name == "total_vm") == true;
}
