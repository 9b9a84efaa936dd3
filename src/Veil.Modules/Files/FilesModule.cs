// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Kernel;
using Veil.Core.Modules;

namespace Veil.Modules.Files;

/// <summary>What is done to files, with their absolute paths.</summary>
internal sealed class FilesModule : TraceModule
{
    private const long LoadBytes = 4 * 1024 * 1024;
    private const int CallSlots = 3; // FILES_SLOT_CALL, FILES_SLOT_ENTER, FILES_SLOT_URING
    private const string Close = "close", Duration = "duration_ns";

    // The order is that of enum files_op. Without --op it is those up to copy.
    private static readonly EnumDimension s_op = new(
        "op", "file operation", "open", "read", "write", "copy", "sync", "truncate", "stat", "unlink", "rename", "mkdir", "rmdir", "link",
        "symlink", "chmod", "chown", "mmap", Close);

    private static readonly string[] s_usual = ["open", "read", "write", "copy"];

    // The time from begin to end needs the begin.
    private static readonly EventKind s_timed = new("files_timed_event", Thresholds.Slower.Name) { When = IsTimed };
    private static readonly EventKind s_detailed = new("files_op_event", s_op.Name);
    private static readonly EventKind s_timedAndDetailed =
        new("files_timed_op_event", s_op.Name, Thresholds.Slower.Name)
        {
            NeedsAll = true,
            When = static arguments => IsTimed(arguments) && arguments.IsGiven(s_op.Name),
        };

    private static readonly PathDimension s_file = new(
        "file", "a file, all below /a/folder/, the/end of a path, a part of one, or a pattern: *.log");

    private static readonly FilterDimension[] s_filtersWithoutFile = [s_op, new ErrnoDimension()];
    private static readonly FilterDimension[] s_filters = [s_op, s_file, new ErrnoDimension()];

    // A filter by path that the kernel has no room for.
    private readonly PathAutomaton? _paths;

    /// <summary>With the filter by path in the kernel.</summary>
    public FilesModule()
        : this(null)
    {
    }

    private FilesModule(PathAutomaton? paths) => _paths = paths;

    public override string Name => "files";

    public override string Summary => "opens, reads, writes, copies and, by --op, all else done to files, with absolute paths";

    public override string CountKey => "filename";

    public override string? CountSum => Duration;

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module files --op read --enrich time", "who reads which file, and when"),
        new("veil --module files --name nginx --file /etc/", "what a service touches below a folder"),
        new("veil --module files --op unlink,rename,chmod --file /srv/app/", "who deletes, renames or chmods files there"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters => _paths is null ? s_filters : s_filtersWithoutFile;

    public override IReadOnlyList<ModuleFlag> Flags { get; } =
        [Thresholds.Slower, Thresholds.Failed];

    public override IReadOnlyList<EventKind> EventsByFlag { get; } = [s_timed, s_detailed, s_timedAndDetailed];

    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        // The end first: what was seen to begin is then also seen to end.
        new("fentry", "fexit/vfs_open, vfs_read, vfs_write; tp_btf/sys_exit, io_uring_complete",
            [.. Uring("fentry"), .. s_functions.Select(static name => Function(name, "exit_fentry")), "files_call_exit_fentry",
                .. s_functions.Select(static name => Function(name, "enter_fentry", s_timed)),
                new("files_call_enter_fentry", When: NeedsBegin)]) { LoadBytes = LoadBytes, UnusedMaps = ["files_calls"] },
        new("kprobe", "kretprobe/vfs_open, vfs_read, vfs_write; raw_tp/sys_exit, io_uring_complete",
            [.. Uring("kprobe"), "files_call_exit_kprobe",
                .. s_functions.SelectMany(static name => new[] { Function(name, "exit_kprobe"), Function(name, "enter_kprobe") }),
                new("files_call_enter_kprobe", When: NeedsBegin)]) { LoadBytes = LoadBytes },
        SystemCalls("tp_btf"),
        SystemCalls("raw_tp"),
    ];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["bytes"] = new() { WidthMin = 6, Rank = 9, SameAs = "ret", HidesZero = true },
    };

    public override byte[] ReadObject() => EmbeddedObject.Read("files");

    public override IReadOnlyList<TraceModule> Instances(ModuleArguments arguments, IReadOnlyList<FilterExpression> filters) =>
        filters.FirstOrDefault(static filter => filter.Dimension == s_file) is { } file
            && PathAutomaton.Of(file.Bits) is { FitsKernel: false } paths ? [new FilesModule(paths)] : [this];

    public override string? FiltersInUserspace => _paths is null ? null : "--" + s_file.Name;

    public override EventFilter? CreateFilter(EventSchema schema) =>
        _paths is null ? null
            : new PathFilter(
            FiltersInUserspace!, _paths, schema.Fields.Where(static field => field.Name is "filename" or "target")
            .Select(static field => field.Value));

    public override IEnumerable<string> Gaps() =>
        WhyNoUring() is { } why ? ["reads and writes by io_uring: " + why] : [];

    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bool closes = SeesClose(arguments);
        bpfObject.SetGlobal("files_timed", s_timed.IsChosen(arguments));
        bpfObject.SetGlobal("files_detailed", s_detailed.IsChosen(arguments));
        bpfObject.SetGlobal("files_closes", closes);
        bpfObject.SetGlobal("closing_in_tasks", TaskStorage.IsSteady);
        bpfObject.Map("closing_tids").SetAutoCreate(closes && !TaskStorage.IsSteady);
        bpfObject.Map("closing_tasks").SetAutoCreate(closes && TaskStorage.IsSteady);
        if (!s_timed.IsChosen(arguments))
            bpfObject.Map("files_starts").SetMaxEntries(1);
        if (rung.UnusedMaps.Contains("files_failures"))
            bpfObject.Map("path_walks").SetMaxEntries(CallSlots);
    }

    // Who asks for the sum of the times means the events that have them.
    private static bool IsTimed(ModuleArguments arguments) =>
        arguments.IsGiven(Thresholds.Slower.Name) || arguments.Quantities.Contains(Duration);

    // The path of what is closed is gone at the end.
    public override bool Traces(FilterDimension filter, FilterKey key, ModuleArguments arguments) =>
        filter.Name != s_op.Name || s_usual.Contains(key.Text) || arguments.IsGiven(s_op.Name);

    private static bool SeesClose(ModuleArguments arguments) => arguments.Filters.TryGetValue(s_op.Name, out var op) && op.Allows(Close);

    private static bool NeedsBegin(ModuleArguments arguments) => s_timed.IsChosen(arguments) || SeesClose(arguments);

    // Only the first three functions are exported: the others are the compiler's to keep or not.
    private static readonly (string Name, string? Function)[] s_functions =
        [("open", null), ("read", null), ("write", null), ("filp", "do_filp_open"), ("file", "do_file_open"), ("readv", "vfs_readv"),
            ("writev", "vfs_writev")];

    private static HookProgram Function((string Name, string? Function) traced, string ending, EventKind? kind = null) =>
        new($"files_{traced.Name}_{ending}", kind, traced.Function is { } function ? _ => KernelFeatures.HasFunction(function) : null);

    private static HookRung SystemCalls(string rung) =>
        new(rung, $"{rung}/sys_exit, io_uring_complete",
            [.. Uring(rung), $"files_call_exit_{rung}", new($"files_call_enter_{rung}", When: NeedsBegin)])
        {
            LoadBytes = LoadBytes,
            UnusedMaps = ["files_calls", "files_failures"],
        };

    // The tracepoint names the request, and the request has its result, from 5.19 on.
    private static string? WhyNoUring()
    {
        if (!KernelFeatures.HasBtfTracepoint("io_uring_complete"))
            return "this kernel has no io_uring (CONFIG_IO_URING)";
        var request = KernelFeatures.KernelBtf.FindStruct("io_kiocb");
        return request is not null && request.Members.Any(static member => member.Name == "cqe") ? null
            : "the tracepoints of io_uring name no file before Linux 5.19";
    }

    // What submits was renamed in 6.3.
    private static HookProgram[] Uring(string rung) =>
    [
        new($"files_uring_exit_{rung}", When: static _ => WhyNoUring() is null),
        new("files_uring_req", s_timed, static _ => WhyNoUring() is null && KernelFeatures.HasBtfTracepoint("io_uring_submit_req")),
        new("files_uring_sqe", s_timed, static _ => WhyNoUring() is null && !KernelFeatures.HasBtfTracepoint("io_uring_submit_req")),
    ];
}
