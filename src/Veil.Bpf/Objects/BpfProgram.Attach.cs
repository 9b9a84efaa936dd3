// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

public sealed unsafe partial class BpfProgram
{
    private const string AttachOperation = "attaching program";

    /// <summary>Attaches the program where its section says.</summary>
    /// <returns>The attachment; it ends when disposed, and outlives the object otherwise.</returns>
    /// <exception cref="UnsupportedByKernelException">The kernel lacks this kind of hook.</exception>
    /// <exception cref="BpfException">The hook does not exist, privileges are missing, or the section names no hook.</exception>
    /// <exception cref="InvalidOperationException">It is not loaded.</exception>
    public BpfLink Attach()
    {
        using var scope = Begin();
        return scope.Finish(NativeAttach.bpf_program__attach(_native), Section, HookKinds.OfSection(Section));
    }

    /// <summary>Attaches to an instruction of a user-space file, in every process that maps it (as perf event 4.17).</summary>
    /// <param name="file">The executable or library, open: what is probed is this file, whatever its path has become. It stays the
    /// caller's.</param>
    /// <param name="name">What messages call the file.</param>
    /// <param name="offset">Offset in the file, in bytes; not a virtual address.</param>
    /// <param name="onReturn">True for a uretprobe: the offset has to be a function's entry.</param>
    /// <param name="counterOffset">Where in the file a USDT probe's semaphore is, which the kernel counts up while attached (4.20); 0 for
    /// none.</param>
    /// <inheritdoc cref="Attach()"/>
    public BpfLink AttachUprobe(SafeHandle file, string name, ulong offset, bool onReturn = false, ulong counterOffset = 0)
    {
        const int allProcesses = -1;
        using var lease = new HandleLease(file);
        using var scope = Begin();
        var options = new NativeAttach.BpfUprobeOpts
        {
            Size = (nuint)sizeof(NativeAttach.BpfUprobeOpts),
            CounterOffset = checked((nuint)counterOffset),
            OnReturn = onReturn ? (byte)1 : (byte)0,
        };
        return scope.Finish(
            NativeAttach.bpf_program__attach_uprobe_opts(_native, allProcesses, PathOf(lease), checked((nuint)offset), &options),
            $"{name}+0x{offset:x}",
            HookKind.Uprobe);
    }

    /// <summary>
    /// Attaches to instructions of a user-space file by one link, in every process that maps it (6.6). Unlike perf events, which some
    /// kernels keep for CAP_SYS_ADMIN, it needs no more than loading the program does. <see cref="MakeUprobeMulti"/> comes before loading.
    /// </summary>
    /// <param name="file">The executable or library, open. It stays the caller's.</param>
    /// <param name="name">What messages call the file.</param>
    /// <param name="offsets">Offsets in the file.</param>
    /// <param name="onReturn">True for uretprobes.</param>
    /// <param name="counterOffset">Where in the file the semaphore of a USDT probe is; 0 for none.</param>
    /// <inheritdoc cref="Attach()"/>
    public BpfLink AttachUprobeMulti(
        SafeHandle file, string name, ReadOnlySpan<ulong> offsets, bool onReturn = false, ulong counterOffset = 0)
    {
        using var lease = new HandleLease(file);
        using var scope = Begin();
        ulong[] counters = new ulong[offsets.Length];
        counters.AsSpan().Fill(counterOffset);
        nint path = Marshal.StringToCoTaskMemUTF8(PathOf(lease));
        nint link;
        int errno;
        fixed (ulong* places = offsets, counted = counters)
        {
            var attributes = new NativeAttach.BpfLinkCreateUprobeMulti
            {
                ProgramFd = (uint)Fd,
                AttachType = NativeAttach.BPF_TRACE_UPROBE_MULTI,
                Path = (ulong)path,
                Offsets = (ulong)places,
                CounterOffsets = counterOffset == 0 ? 0 : (ulong)counted,
                Count = (uint)offsets.Length,
                UprobeFlags = onReturn ? NativeAttach.BPF_F_UPROBE_MULTI_RETURN : 0,
            };
            link = NativeAttach.bpf(
                NativeAttach.BpfNumber, NativeAttach.BPF_LINK_CREATE, &attributes, (nuint)sizeof(NativeAttach.BpfLinkCreateUprobeMulti));
            errno = Marshal.GetLastPInvokeError();
        }

        Marshal.FreeCoTaskMem(path);
        return link >= 0
            ? BpfLink.OfDescriptor((int)link)
            : throw AttachErrors.Create($"{Name} to {name}+0x{offsets[0]:x}", HookKind.UprobeMulti, errno, "");
    }

    /// <summary>Prepares a uprobe or uretprobe program for <see cref="AttachUprobeMulti"/>, and for nothing else. Before loading.</summary>
    public void MakeUprobeMulti()
    {
        using var lease = new HandleLease(_object.Handle);
        _ = NativeProgram.bpf_program__set_expected_attach_type(_native, NativeAttach.BPF_TRACE_UPROBE_MULTI);
    }

    /// <summary>Attaches to a perf event, which it starts (4.9).</summary>
    /// <param name="perfEvent">Stays the caller's: the link has its own descriptor. The event itself stops when the link is
    /// disposed.</param>
    /// <inheritdoc cref="Attach()"/>
    public BpfLink AttachPerfEvent(SafeHandle perfEvent)
    {
        using var lease = new HandleLease(perfEvent);
        return AttachPerfEvent(lease.Fd);
    }

    /// <summary>Attaches to a perf event, which it starts (4.9).</summary>
    /// <param name="perfFd">Stays the caller's: the link has its own descriptor. The event itself stops when the link is disposed.</param>
    /// <inheritdoc cref="Attach()"/>
    public BpfLink AttachPerfEvent(int perfFd)
    {
        // libbpf's link closes the descriptor that it is given.
        int own = NativeFile.fcntl(perfFd, NativeFile.F_DUPFD_CLOEXEC, 0);
        if (own < 0)
            throw BpfErrors.Create(AttachOperation, $"{Name} to perf event", Marshal.GetLastPInvokeError());
        using var scope = Begin();
        nint link = NativeAttach.bpf_program__attach_perf_event(_native, own);
        int errno = Marshal.GetLastPInvokeError();
        if (link == 0)
            _ = NativeFile.close(own);
        return scope.Finish(link, errno, "perf event", HookKind.PerfEvent);
    }

    // What a path led to when the file was read, it need not lead to any more.
    private static string PathOf(HandleLease file) => $"/proc/self/fd/{file.Fd}";

    private AttachScope Begin()
    {
        // libbpf would answer EINVAL for both; the caller deserves to know which of its steps is missing.
        _ = Fd;
        return new AttachScope(this);
    }

    private readonly ref struct AttachScope
    {
        private readonly BpfProgram _program;
        private readonly HandleLease _lease;
        private readonly LogCapture _log;

        internal AttachScope(BpfProgram program)
        {
            _program = program;
            _lease = new HandleLease(program._object.Handle);
            _log = LogCapture.Begin();
        }

        internal BpfLink Finish(nint link, string target, HookKind kind) => Finish(link, Marshal.GetLastPInvokeError(), target, kind);

        internal BpfLink Finish(nint link, int errno, string target, HookKind kind)
        {
            if (link != 0)
                return new BpfLink(link);
            throw AttachErrors.Create($"{_program.Name} to {target}", kind, errno, _log.Text);
        }

        public void Dispose()
        {
            _log.Dispose();
            _lease.Dispose();
        }
    }
}
