// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>One program of a <see cref="BpfObject"/>; lives and dies with it.</summary>
public sealed unsafe partial class BpfProgram
{
    private readonly BpfObject _object;
    private readonly nint _native;

    internal BpfProgram(BpfObject obj, nint native)
    {
        _object = obj;
        _native = native;
        Name = NativeText.Read(NativeProgram.bpf_program__name(native));
        Section = NativeText.Read(NativeProgram.bpf_program__section_name(native));
    }

    /// <summary>The name of the C function.</summary>
    public string Name { get; }

    /// <summary>The ELF section, which says how it is attached, as in <c>tp_btf/sched_switch</c>.</summary>
    public string Section { get; }

    /// <summary>The type that the section stands for.</summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public BpfProgramType Type
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            return (BpfProgramType)NativeProgram.bpf_program__type(_native);
        }
    }

    /// <summary>Whether <see cref="BpfObject.Load"/> loads it. Set it before.</summary>
    /// <exception cref="InvalidOperationException">Set after the object was loaded.</exception>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public bool AutoLoad
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            return NativeProgram.bpf_program__autoload(_native) != 0;
        }

        set
        {
            using var lease = new HandleLease(_object.Handle);
            if (NativeProgram.bpf_program__set_autoload(_native, value ? (byte)1 : (byte)0) != 0)
                throw new InvalidOperationException($"Program {Name} can be switched on and off only before {_object.Name} is loaded.");
        }
    }

    /// <summary>Whether its section wants a kprobe or kretprobe: worth asking <see cref="KernelFeatures.HasKprobes"/> before
    /// loading.</summary>
    public bool NeedsKprobes => HookKinds.OfSection(Section) == HookKind.Kprobe;

    /// <summary>
    /// The kernel function that its section wants traced (<c>fentry</c>, <c>fexit</c>), or nothing: worth asking
    /// <see cref="KernelFeatures.FentryRefusal"/> before loading.
    /// </summary>
    public string? TracedFunction => Section.StartsWith("fentry/", StringComparison.Ordinal) ? Section["fentry/".Length..]
        : Section.StartsWith("fexit/", StringComparison.Ordinal) ? Section["fexit/".Length..] : null;

    /// <summary>Whether it is an iterator: it is run (<see cref="Iterate"/>) and not left attached.</summary>
    public bool IsIterator => Section.StartsWith("iter/", StringComparison.Ordinal);

    /// <summary>The descriptor, owned by the object.</summary>
    /// <exception cref="InvalidOperationException">It is not loaded.</exception>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public int Fd
    {
        get
        {
            using var lease = new HandleLease(_object.Handle);
            int fd = NativeProgram.bpf_program__fd(_native);
            return fd >= 0 ? fd : throw new InvalidOperationException($"Program {Name} is not loaded.");
        }
    }

    /// <summary>Asks the kernel for identity, sizes and statistics (BPF_OBJ_GET_INFO_BY_FD, 4.13).</summary>
    /// <exception cref="InvalidOperationException">It is not loaded.</exception>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public BpfProgramInfo Info()
    {
        using var lease = new HandleLease(_object.Handle);
        NativeProgram.BpfProgInfo info = default;
        uint size = (uint)sizeof(NativeProgram.BpfProgInfo);
        int error = -NativeProgram.bpf_obj_get_info_by_fd(Fd, &info, &size);
        if (error != 0)
            throw BpfErrors.Create("describing program", Name, error);
        return new BpfProgramInfo(
            info.id, info.run_time_ns, info.run_cnt, info.recursion_misses, info.xlated_prog_len, info.jited_prog_len, info.verified_insns);
    }
}
