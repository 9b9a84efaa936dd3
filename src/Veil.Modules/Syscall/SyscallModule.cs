// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Kernel;
using Veil.Core.Modules;
using Veil.Core.Stuck;

namespace Veil.Modules.Syscall;

/// <summary>System calls, as they begin or, with <c>--returns</c>, as they end.</summary>
internal sealed class SyscallModule : TraceModule
{
    private const string Returns = "returns";
    private const string Look = "syscall_look";

    private static readonly PathDimension s_path =
        new("path", "calls with such a path, or on a descriptor of one, as --file of files; syscall then shows arguments");

    private static readonly string[] s_atEnd = [Thresholds.Failed.Name, ErrnoDimension.FlagName, s_path.Name, FdDimension.FlagName];

    // What a call came to is only known at its end.
    private static readonly EventKind s_args = new("syscall_args_event", [CallFlags.Args.Name, s_path.Name, FdDimension.FlagName]);
    private static readonly EventKind s_return = new("syscall_return_event", [Returns, .. Thresholds.OfResults, .. s_args.Flags]);

    public override string Name => "syscall";

    public override string Summary => "system calls, as they begin or with their results";

    public override string CountKey => "syscall";

    public override string? CountSum => "duration_ns";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module syscall -p $(pidof nginx) --syscall '!ioctl'", "what a process asks of the kernel, but for one call"),
        new("veil --module syscall --name postgres --returns --output json | jq .",
            "every call of some threads with its result and duration, as JSON"),
        new("veil --module syscall --uid www-data --fields comm,pid,syscall", "a user's calls, as key=value"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } =
        [new SyscallDimension(), s_path, new FdDimension(), new ErrnoDimension()];

    public override IReadOnlyList<ModuleFlag> Flags { get; } =
    [
        new(Returns, null, "an event as each call ends, with its result, error and duration; only so are calls seen that seccomp refuses"),
        CallFlags.Args, CallFlags.StringSize, CallFlags.Fds, Thresholds.Slower, Thresholds.Failed,
    ];

    public override IReadOnlyList<EventKind> EventsByFlag { get; } = [s_return, s_args];

    public override EventKind? EventsOfStrace { get; } = s_args with { Beside = ["syscall_signal_event", "syscall_exit_event"] };

    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        new("tp_btf", "tp_btf/sys_enter", Programs("tp_btf")),
        new("raw_tp", "raw_tp/sys_enter", Programs("raw_tp")),
        new("tracepoint", "tracepoint/raw_syscalls/sys_enter", Programs("tracepoint")),
    ];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["ret"] = new() { Width = 15, WidthMin = 14 },
    };

    public override bool ShowsComputing => true;

    public override byte[] ReadObject() => EmbeddedObject.Read("syscall");

    // A call that was not seen to begin is an event.
    public override bool DetachesLastFirst => false;

    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bool args = s_args.IsChosen(arguments), returns = s_return.IsChosen(arguments) && !args;
        bpfObject.SetGlobal("syscall_returns", returns);
        bpfObject.SetGlobal("syscall_in_tasks", TaskStorage.IsSteady);
        bpfObject.Map("syscall_tids").SetAutoCreate(returns && !TaskStorage.IsSteady);
        bpfObject.Map("syscall_tasks").SetAutoCreate(returns && TaskStorage.IsSteady);
        bpfObject.SetGlobal("syscall_strace", arguments.IsStrace);
        bpfObject.SetGlobal("args_in_tasks", TaskStorage.IsSteady);
        bpfObject.Map("args_tids").SetAutoCreate(args && !TaskStorage.IsSteady);
        bpfObject.Map("args_tasks").SetAutoCreate(args && TaskStorage.IsSteady);
        bpfObject.Map("syscall_plans").SetAutoCreate(args);
        bpfObject.Map("call_variants").SetAutoCreate(args);
        bpfObject.Map("args_known").SetAutoCreate(args);
        bpfObject.Map("syscall_copies").SetAutoCreate(args && IsShownWhileUnderWay(arguments));
        bpfObject.Map("path_walks").SetAutoCreate(args);
        bpfObject.Map("path_matches").SetAutoCreate(args);
        bpfObject.Map("filter_path").SetAutoCreate(args);
        bpfObject.Map("filter_fd").SetAutoCreate(args);
        if (args)
            bpfObject.Map("syscall_plans").SetMaxEntries(CallPlan.RowsMax);
    }

    public override void Fill(BpfObject bpfObject, ModuleArguments arguments)
    {
        if (!s_args.IsChosen(arguments))
            return;
        var plans = new BpfHashMap<uint, CallPlanBytes>(bpfObject.Map("syscall_plans"));
        var all = CallPlan.All(CallOptions.Current);
        foreach (var (key, plan) in all.Rows)
            plans.Set(key, plan);
        var variants = new BpfHashMap<ulong, uint>(bpfObject.Map("call_variants"));
        foreach (var (key, value, row) in all.Variants)
            variants.Set(key | (ulong)value << 32, row);
    }

    public override IEnumerable<BpfLink> Attach(BpfObject bpfObject, BpfProgram program, HookRung rung, ModuleArguments arguments)
    {
        if (program.Name != Look)
            return base.Attach(bpfObject, program, rung, arguments);
        UnderWay.Note(program, bpfObject.Map("args_known"), CallOptions.Current);
        return [];
    }

    // Whether it fails, or has a path or descriptor that is asked for, is known at its end; and a line of strace stands for a whole call.
    private static bool IsShownWhileUnderWay(ModuleArguments arguments) =>
        Thresholds.NeedTime(arguments) && !arguments.IsStrace
        && !Array.Exists(s_atEnd, arguments.IsGiven);

    // Entry last: a call seen to begin is then also seen to end.
    private static HookProgram[] Programs(string rung) =>
    [
        // a tracepoint only moves what is kept by id
        new($"syscall_arg_exec_{rung}", s_args, _ => rung != "tracepoint" || !TaskStorage.IsSteady),
        new($"syscall_arg_thread_exit_{rung}", s_args),
        // After it: the call that a thread is in ends before the thread.
        new("syscall_exit", When: static arguments => arguments.IsStrace),
        new("syscall_deliver", When: static arguments => arguments.IsStrace),
        new(rung == "tp_btf" ? "syscall_send_tp_btf" : "syscall_send_raw_tp", When: static arguments => arguments.IsStrace),
        new("syscall_running", s_args) { IsLast = true },
        new("syscall_arg_slow", s_args, IsShownWhileUnderWay) { IsRepeated = true },
        new("syscall_slow", s_return, static arguments => !s_args.IsChosen(arguments) && IsShownWhileUnderWay(arguments)) { IsRepeated = true },
        new($"syscall_arg_exit_{rung}", s_args),
        new($"syscall_arg_enter_{rung}", s_args),
        new(Look, s_args),
        new($"syscall_exec_{rung}", s_return, static arguments => !s_args.IsChosen(arguments) && !TaskStorage.IsSteady),
        new($"syscall_thread_exit_{rung}", s_return, static arguments => !s_args.IsChosen(arguments)),
        new($"syscall_exit_{rung}", s_return, static arguments => !s_args.IsChosen(arguments)),
        new($"syscall_enter_{rung}", When: static arguments => !s_args.IsChosen(arguments)),
    ];
}
