using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Text;

namespace Veil.Modules.Files;

/// <summary>Files as they are opened, read, written and copied, with their absolute paths.</summary>
public sealed class FilesModule : TraceModule
{
    private const string FileFlag = "file";
    private const int CallSlots = 2; // FILES_SLOT_CALL, FILES_SLOT_URING
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
    public override string Summary => "files opened, read, written and copied";

    /// <inheritdoc/>
    public override string CountKey => "filename";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module files --op read --enrich time", "who reads which file, and when"),
        new("veil --module files --name nginx --file /etc/", "what a service touches below a folder"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new OpDimension(), new ErrnoDimension()];

    /// <inheritdoc/>
    public override IReadOnlyList<ModuleFlag> Flags { get; } =
        [new(FileFlag, "PATH", "/a/file, all below /a/folder/, the/end of a path, a part of one, or a pattern: *.log"), Thresholds.Slower, Thresholds.Failed];

    /// <inheritdoc/>
    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        new("fentry", "fexit/vfs_open, vfs_read, vfs_write; tp_btf/sys_exit, io_uring_complete"),
        new("kprobe", "kretprobe/vfs_open, vfs_read, vfs_write; raw_tp/sys_exit, io_uring_complete"),
        new("tp_btf", "tp_btf/sys_exit, io_uring_complete"),
        new("raw_tp", "raw_tp/sys_exit, io_uring_complete"),
    ];

    /// <inheritdoc/>
    public override long LoadBytes(HookRung rung) => 3 * 1024 * 1024;

    /// <inheritdoc/>
    public override byte[] ReadObject() => EmbeddedObject.Read("files");

    /// <inheritdoc/>
    public override IReadOnlyList<TraceModule> Instances(ModuleArguments arguments)
    {
        Thresholds.Validate(arguments);
        return arguments.Of(FileFlag) is { Count: > 0 } values ? [new FilesModule([.. values.SelectMany(PathPattern.Parse)])] : [this];
    }

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
    public override IReadOnlyList<int> EventNumbers(ModuleArguments arguments) => [Thresholds.NeedTime(arguments) ? 1 : 0];

    /// <inheritdoc/>
    public override EventFilter? CreateFilter(EventSchema schema) =>
        _patterns.Count == 0 ? null : new PathFilter(_patterns, [.. schema.Fields.Where(static field => field.Name is "filename" or "target").Select(static field => field.Value)]);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Programs(HookRung rung, ModuleArguments arguments)
    {
        // The end first: what was seen to begin is then also seen to end.
        bool timed = Thresholds.NeedTime(arguments);
        List<string> programs = UringPrograms(rung, timed);
        if (rung.Name is "tp_btf" or "raw_tp")
            return timed ? [.. programs, $"syscall_{rung.Name}", $"syscall_begin_{rung.Name}"] : [.. programs, $"syscall_{rung.Name}"];

        // Only the first three functions are exported: the others are the compiler's to keep or not.
        List<string> names = ["open", "read", "write"];
        foreach (var (name, function) in new[] { ("open_failed", "do_filp_open"), ("open_failed_7", "do_file_open"), ("readv", "vfs_readv"), ("writev", "vfs_writev") })
        {
            if (KernelFeatures.HasFunction(function))
                names.Add(name);
        }

        if (rung.Name == "fentry")
            return [.. programs, .. names.Append("call").Select(static name => name + "_fentry"), .. timed ? names.Append("call").Select(static name => name + "_begin_fentry") : []];
        return [.. programs, "call_kprobe", .. names.SelectMany(static name => new[] { $"{name}_kprobe", $"{name}_enter_kprobe" }), .. timed ? ["call_begin_kprobe"] : Array.Empty<string>()];
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Gaps() =>
        WhyNoUring() is { } why ? ["reads and writes by io_uring: " + why] : [];

    /// <inheritdoc/>
    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        Thresholds.Configure(bpfObject, arguments);
        bpfObject.SetGlobal("files_timed", Thresholds.NeedTime(arguments));
        if (!Thresholds.NeedTime(arguments))
            bpfObject.Map("files_starts").SetMaxEntries(1);
        if (rung.Name != "kprobe")
            bpfObject.Map("files_calls").SetMaxEntries(1);
        if (rung.Name is "tp_btf" or "raw_tp")
        {
            bpfObject.Map("path_walks").SetMaxEntries(CallSlots);
            bpfObject.Map("files_told").SetMaxEntries(1);
        }
    }

    // The tracepoint names the request, and the request has its result, from 5.19 on.
    private static string? WhyNoUring()
    {
        if (!KernelFeatures.HasBtfTracepoint("io_uring_complete"))
            return "this kernel has no io_uring (CONFIG_IO_URING)";
        var request = KernelFeatures.KernelBtf.FindStruct("io_kiocb");
        return request is not null && request.Members.Any(static member => member.Name == "cqe") ? null : "the tracepoints of io_uring name no file before Linux 5.19";
    }

    private static List<string> UringPrograms(HookRung rung, bool timed)
    {
        if (WhyNoUring() is not null)
            return [];
        string begin = KernelFeatures.HasBtfTracepoint("io_uring_submit_req") ? "uring_begin" : "uring_begin_sqe";
        return timed ? [$"uring_{rung.Name}", begin] : [$"uring_{rung.Name}"];
    }
}
