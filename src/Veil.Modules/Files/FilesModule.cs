// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Text;

namespace Veil.Modules.Files;

/// <summary>Files as they are opened, read, written and copied, with their absolute paths.</summary>
internal sealed class FilesModule : TraceModule
{
    private const string FileFlag = "file";
    private const long LoadBytes = 3 * 1024 * 1024;
    private const int CallSlots = 2; // FILES_SLOT_CALL, FILES_SLOT_URING

    // The time from begin to end needs the begin.
    private static readonly EventKind s_timed = new("files_timed_event", Thresholds.Slower.Name);

    private readonly IReadOnlyList<PathPattern> _patterns;

    /// <summary>Without a filter by path.</summary>
    public FilesModule()
        : this([])
    {
    }

    private FilesModule(IReadOnlyList<PathPattern> patterns) => _patterns = patterns;

    /// <inheritdoc/>
    public override string Name => "files";

    /// <inheritdoc/>
    public override string Summary => "opens, reads, writes and copies, with absolute paths";

    /// <inheritdoc/>
    public override string CountKey => "filename";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module files --op read --enrich time", "who reads which file, and when"),
        new("veil --module files --name nginx --file /etc/", "what a service touches below a folder"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new EnumDimension("op", "file operation", "open", "read", "write", "copy"), new ErrnoDimension()];

    /// <inheritdoc/>
    public override IReadOnlyList<ModuleFlag> Flags { get; } =
        [new(FileFlag, "PATH", "/a/file, all below /a/folder/, the/end of a path, a part of one, or a pattern: *.log", Role: FlagRole.Filter), Thresholds.Slower, Thresholds.Failed];

    /// <inheritdoc/>
    public override IReadOnlyList<EventKind> EventsByFlag { get; } = [s_timed];

    /// <inheritdoc/>
    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        // The end first: what was seen to begin is then also seen to end.
        new("fentry", "fexit/vfs_open, vfs_read, vfs_write; tp_btf/sys_exit, io_uring_complete",
            [.. Uring("fentry"), .. s_functions.Select(static name => Function(name, "exit_fentry")), "files_call_exit_fentry",
                .. s_functions.Select(static name => Function(name, "enter_fentry", s_timed)), new("files_call_enter_fentry", s_timed)]) { LoadBytes = LoadBytes, UnusedMaps = ["files_calls"] },
        new("kprobe", "kretprobe/vfs_open, vfs_read, vfs_write; raw_tp/sys_exit, io_uring_complete",
            [.. Uring("kprobe"), "files_call_exit_kprobe", .. s_functions.SelectMany(static name => new[] { Function(name, "exit_kprobe"), Function(name, "enter_kprobe") }),
                new("files_call_enter_kprobe", s_timed)]) { LoadBytes = LoadBytes },
        SystemCalls("tp_btf"),
        SystemCalls("raw_tp"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["bytes"] = new() { WidthMin = 6, Rank = 9, SameAs = "ret", HidesZero = true },
    };

    /// <inheritdoc/>
    public override byte[] ReadObject() => EmbeddedObject.Read("files");

    /// <inheritdoc/>
    public override IReadOnlyList<TraceModule> Instances(ModuleArguments arguments, IReadOnlyList<FilterExpression> filters) =>
        arguments.Of(FileFlag) is { Count: > 0 } values ? [new FilesModule([.. values.SelectMany(PathPattern.Parse)])] : [this];

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings(ModuleArguments arguments)
    {
        foreach (string value in arguments.Of(FileFlag))
        {
            string text = value.TrimStart('!');
            // Cleaning it of ".." alone is no link.
            if (PathPattern.RealOf(text) is { } real && real != Path.GetFullPath(text))
                yield return $"--file: '{Escaping.ForMessage(text)}' goes through a symbolic link; '{Escaping.ForMessage(real)}' is matched too";
        }
    }

    /// <inheritdoc/>
    public override EventFilter? CreateFilter(EventSchema schema) =>
        _patterns.Count == 0 ? null : new PathFilter(_patterns, [.. schema.Fields.Where(static field => field.Name is "filename" or "target").Select(static field => field.Value)]);

    /// <inheritdoc/>
    public override IEnumerable<string> Gaps() =>
        WhyNoUring() is { } why ? ["reads and writes by io_uring: " + why] : [];

    /// <inheritdoc/>
    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bpfObject.SetGlobal("files_timed", s_timed.IsChosen(arguments));
        if (!s_timed.IsChosen(arguments))
            bpfObject.Map("files_starts").SetMaxEntries(1);
        if (rung.UnusedMaps.Contains("files_failures"))
            bpfObject.Map("path_walks").SetMaxEntries(CallSlots);
    }

    // Only the first three functions are exported: the others are the compiler's to keep or not.
    private static readonly (string Name, string? Function)[] s_functions =
        [("open", null), ("read", null), ("write", null), ("filp", "do_filp_open"), ("file", "do_file_open"), ("readv", "vfs_readv"), ("writev", "vfs_writev")];

    private static HookProgram Function((string Name, string? Function) traced, string ending, EventKind? kind = null) =>
        new($"files_{traced.Name}_{ending}", kind, traced.Function is { } function ? _ => KernelFeatures.HasFunction(function) : null);

    private static HookRung SystemCalls(string rung) =>
        new(rung, $"{rung}/sys_exit, io_uring_complete", [.. Uring(rung), $"files_call_exit_{rung}", new($"files_call_enter_{rung}", s_timed)])
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
        return request is not null && request.Members.Any(static member => member.Name == "cqe") ? null : "the tracepoints of io_uring name no file before Linux 5.19";
    }

    // What submits was renamed in 6.3.
    private static HookProgram[] Uring(string rung) =>
    [
        new($"files_uring_exit_{rung}", When: static _ => WhyNoUring() is null),
        new("files_uring_req", s_timed, static _ => WhyNoUring() is null && KernelFeatures.HasBtfTracepoint("io_uring_submit_req")),
        new("files_uring_sqe", s_timed, static _ => WhyNoUring() is null && !KernelFeatures.HasBtfTracepoint("io_uring_submit_req")),
    ];
}
