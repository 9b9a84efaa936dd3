// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>Why attaching did not work, per kind of hook.</summary>
internal static class AttachErrors
{
    private const string Operation = "attaching program";

    internal static BpfException Create(string subject, HookKind kind, int errno, string libbpfText)
    {
        switch (kind)
        {
            case HookKind.Kprobe when !KernelFeatures.HasKprobes:
                return new UnsupportedByKernelException(
                    Operation, subject, "kprobes (CONFIG_KPROBE_EVENTS)", MinimumKernel.PerfProbes, errno);
            case HookKind.Uprobe when !KernelFeatures.HasUprobes:
                return new UnsupportedByKernelException(
                    Operation, subject, "uprobes (CONFIG_UPROBE_EVENTS)", MinimumKernel.PerfProbes, errno);
            case HookKind.UprobeMulti when errno is Errno.EINVAL or Errno.EOPNOTSUPP
                && KernelFeatures.KernelVersion < MinimumKernel.UprobeMulti:
                return new UnsupportedByKernelException(Operation, subject, "links to many uprobes", MinimumKernel.UprobeMulti, errno);
            case HookKind.Function when errno is Errno.EOPNOTSUPP or Errno.ENOTSUPP or Errno.EINVAL or Errno.EBUSY or Errno.ENODEV:
                return new UnsupportedByKernelException(
                    Operation, subject, "function tracing (CONFIG_FUNCTION_TRACER with BPF trampolines)", MinimumKernel.TracingPrograms,
                    errno);
            case HookKind.BtfTracepoint when errno is Errno.EOPNOTSUPP or Errno.ENOTSUPP:
                return new UnsupportedByKernelException(Operation, subject, "BTF tracepoints", MinimumKernel.TracingPrograms, errno);
        }

        if (HintFor(kind, errno) is { } hint)
            return new BpfException(Operation, subject, errno, hint);
        // The subject says which file or process; libbpf's line would only say it again.
        return kind == HookKind.Uprobe && errno is Errno.ENOENT or Errno.ESRCH
            ? BpfErrors.Create(Operation, subject, errno)
            : BpfErrors.Create(Operation, subject, errno, libbpfText);
    }

    private static string? HintFor(HookKind kind, int errno) => (kind, errno) switch
    {
        (HookKind.Tracepoint, Errno.ENOENT) => "tracefs lists no such tracepoint (is /sys/kernel/tracing mounted?)",
        (HookKind.RawTracepoint, Errno.ENOENT) => "this kernel has no such tracepoint",
        (HookKind.Kprobe, Errno.ENOENT or Errno.EINVAL) =>
            "this kernel has no such function, inlined it, or forbids probes on it (available_filter_functions in " +
                "tracefs lists the others)",
        (HookKind.Kprobe or HookKind.PerfEvent, Errno.EACCES) => BpfErrors.HintForPerfEvent(errno),
        // Taken back from CAP_PERFMON in 6.16, and in the stable kernels of July 2025 (commit ba677dbe77af).
        (HookKind.Uprobe, Errno.EACCES) when !ProcessCapabilities.HasSysAdmin() =>
            "this kernel lets only CAP_SYS_ADMIN open uprobes as perf events",
        (HookKind.Uprobe or HookKind.UprobeMulti, Errno.ENOENT) when !Directory.Exists("/proc/self/fd") =>
            "a uprobe needs /proc: it is attached through /proc/self/fd",
        (HookKind.Uprobe or HookKind.UprobeMulti, Errno.EINVAL) => "the offset is not the start of an instruction inside the file's code",
        (HookKind.Uprobe or HookKind.PerfEvent or HookKind.Other, Errno.EOPNOTSUPP) =>
            "its section does not say where: attach it explicitly",
        _ => null,
    };
}
