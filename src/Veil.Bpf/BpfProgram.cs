using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A program of an object. Valid until the object is disposed.</summary>
public sealed unsafe class BpfProgram
{
    // Offsets in struct bpf_prog_info of linux/bpf.h, which only ever grows.
    private const int InfoBytes = 232;
    private const int InfoId = 4;
    private const int InfoJited = 16;
    private const int InfoXlated = 20;
    private const int InfoRunTime = 192;

    private readonly nint _program;

    internal BpfProgram(nint program)
    {
        _program = program;
        Name = Marshal.PtrToStringUTF8((nint)LibbpfNative.bpf_program__name(program)) ?? "";
        Section = Marshal.PtrToStringUTF8((nint)LibbpfNative.bpf_program__section_name(program)) ?? "";
    }

    /// <summary>The C function's name.</summary>
    public string Name { get; }

    /// <summary>The ELF section, which says what it is for: <c>tp_btf/sys_enter</c>.</summary>
    public string Section { get; }

    /// <summary>The file descriptor; negative before the object is loaded.</summary>
    public int Fd => LibbpfNative.bpf_program__fd(_program);

    /// <summary>Whether loading the object loads this program. Can be set until then.</summary>
    /// <exception cref="BpfException">The object is loaded already.</exception>
    public bool AutoLoad
    {
        get => LibbpfNative.bpf_program__autoload(_program) != 0;
        set
        {
            int result = LibbpfNative.bpf_program__set_autoload(_program, value ? (byte)1 : (byte)0);
            if (result < 0)
                throw new BpfException("choosing", Name, -result);
        }
    }

    /// <summary>Attaches the program to what its section names.</summary>
    /// <returns>The link; disposing it detaches.</returns>
    /// <exception cref="BpfException">The kernel has no such hook, or may not be asked for it.</exception>
    public BpfLink Attach() => Attached(Section, () => LibbpfNative.bpf_program__attach(_program));

    /// <summary>Attaches to a tracepoint. Needs access to tracefs. Linux 4.7.</summary>
    public BpfLink AttachTracepoint(string category, string name) =>
        Attached($"tracepoint {category}:{name}", () => LibbpfNative.bpf_program__attach_tracepoint(_program, category, name));

    /// <summary>Attaches to a tracepoint's raw arguments. Linux 4.17.</summary>
    public BpfLink AttachRawTracepoint(string name) =>
        Attached($"raw tracepoint {name}", () => LibbpfNative.bpf_program__attach_raw_tracepoint(_program, name));

    /// <summary>Attaches a program of section <c>tp_btf</c>, <c>fentry</c> or <c>fexit</c> to what it was loaded for. Linux 5.5.</summary>
    public BpfLink AttachTrace() => Attached(Section, () => LibbpfNative.bpf_program__attach_trace(_program));

    /// <summary>Attaches to a kernel function. Needs CONFIG_KPROBES.</summary>
    /// <param name="function">The kernel symbol.</param>
    /// <param name="onReturn">At its return instead of its entry.</param>
    public BpfLink AttachKprobe(string function, bool onReturn = false) =>
        Attached($"{(onReturn ? "kretprobe" : "kprobe")} {function}", () => LibbpfNative.bpf_program__attach_kprobe(_program, onReturn, function));

    /// <summary>Attaches to a function in a file that processes map. Needs CONFIG_UPROBES.</summary>
    /// <param name="path">The executable or library.</param>
    /// <param name="offset">The function's offset in the file, in bytes.</param>
    /// <param name="pid">The one process to hit; -1 for all.</param>
    /// <param name="onReturn">At its return instead of its entry.</param>
    public BpfLink AttachUprobe(string path, ulong offset, int pid = -1, bool onReturn = false) =>
        Attached(
            $"{(onReturn ? "uretprobe" : "uprobe")} {path}+0x{offset:x}",
            () => LibbpfNative.bpf_program__attach_uprobe(_program, onReturn, pid, path, (nuint)offset));

    /// <summary>Attaches to a perf event. Linux 4.9.</summary>
    /// <param name="perfEvent">The event; from here on it is the link's, which closes it.</param>
    public BpfLink AttachPerfEvent(PerfEvent perfEvent)
    {
        var link = Attached(perfEvent.Description, () => LibbpfNative.bpf_program__attach_perf_event(_program, perfEvent.Fd));
        perfEvent.SetHandleAsInvalid();
        return link;
    }

    /// <summary>Runs a <c>raw_tp</c> program once in the calling thread, with no arguments. Linux 5.10.</summary>
    /// <returns>What the program returned.</returns>
    public uint RunRawTracepoint()
    {
        var options = new LibbpfNative.TestRunOptions { Size = (nuint)sizeof(LibbpfNative.TestRunOptions) };
        int result = LibbpfNative.bpf_prog_test_run_opts(Fd, &options);
        if (result < 0)
            throw new BpfException("running", Name, -result);
        return options.ReturnValue;
    }

    /// <summary>Asks the kernel about the loaded program.</summary>
    public BpfProgramInfo Info()
    {
        Span<byte> info = stackalloc byte[InfoBytes];
        info.Clear();
        uint size = InfoBytes;
        fixed (byte* target = info)
        {
            int result = LibbpfNative.bpf_obj_get_info_by_fd(Fd, target, &size);
            if (result < 0)
                throw new BpfException("asking about", Name, -result);
        }

        return new BpfProgramInfo(
            BinaryPrimitives.ReadUInt32LittleEndian(info[InfoId..]),
            BinaryPrimitives.ReadInt32LittleEndian(info[InfoXlated..]),
            BinaryPrimitives.ReadInt32LittleEndian(info[InfoJited..]),
            BinaryPrimitives.ReadUInt64LittleEndian(info[InfoRunTime..]),
            BinaryPrimitives.ReadUInt64LittleEndian(info[(InfoRunTime + 8)..]),
            BinaryPrimitives.ReadUInt64LittleEndian(info[(InfoRunTime + 16)..]),
            BinaryPrimitives.ReadInt32LittleEndian(info[(InfoRunTime + 24)..]));
    }

    private static BpfLink Attached(string hook, Func<nint> attach)
    {
        nint link = 0;
        int errno = 0;
        Libbpf.Capture(
            () =>
            {
                link = attach();
                errno = link == 0 ? Marshal.GetLastPInvokeError() : 0;
                return 0;
            },
            out string said);
        return link != 0 ? new BpfLink(link) : throw BpfErrors.Attach(hook, errno, said);
    }
}
