// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>Turns an error number and what libbpf said about it into the exception that tells the user most.</summary>
internal static class BpfErrors
{
    /// <summary>The plain case: the number, and a hint where one is known.</summary>
    internal static BpfException Create(string operation, string subject, int errno) => new(operation, subject, errno, HintFor(errno));

    /// <summary>As above, with libbpf's own explanation as the cause where it gave one.</summary>
    internal static BpfException Create(string operation, string subject, int errno, string libbpfText)
    {
        string? said = VerifierLog.LastWarning(libbpfText);
        return said is null
            ? Create(operation, subject, errno)
            : new BpfException(operation, subject, said, errno, HintFor(errno));
    }

    /// <summary>A map type that the kernel does not know, else the plain error.</summary>
    internal static BpfException MapCreation(string name, BpfMapType type, int errno, string operation = "creating map")
    {
        if (errno is Errno.EINVAL or Errno.EOPNOTSUPP or Errno.ENOTSUPP && KernelFeatures.SupportsMapType(type) == false)
            return new UnsupportedByKernelException(operation, name, $"BPF maps of type {type}", MinimumKernel.Of(type), errno);
        if (errno == Errno.EPERM && KernelFeatures.KernelVersion < MinimumKernel.MapsBesideLockedMemory
            && ProcessCapabilities.MissingForTracing() is null)
            return new BpfException(
                operation, name, errno,
                "Linux before 5.11 counts it as locked memory: give CAP_SYS_RESOURCE too, or raise the limit (ulimit -l unlimited)");
        return Create(operation, name, errno);
    }

    /// <summary>
    /// The same of a perf event, and so of a kprobe. Debian and Ubuntu patch in more levels of perf_event_paranoid, by default;
    /// perf_event_open(2) asks for CAP_SYS_ADMIN there, and CAP_PERFMON does not count.
    /// </summary>
    internal static string? HintForPerfEvent(int errno)
    {
        const int levelMax = 2;
        const string file = "/proc/sys/kernel/perf_event_paranoid";
        return errno == Errno.EACCES && !ProcessCapabilities.HasSysAdmin() && File.Exists(file)
            && int.TryParse(File.ReadAllText(file), out int level) && level > levelMax
            ? $"kernel.perf_event_paranoid is {level}, which keeps perf events and kprobes for CAP_SYS_ADMIN: run as " +
                $"root, or set it to {levelMax}"
            : HintFor(errno);
    }

    /// <summary>What a lack of privileges, descriptors or memory looks like, and for whom.</summary>
    internal static unsafe string? HintFor(int errno)
    {
        ulong* limit = stackalloc ulong[2];
        if (errno == Errno.EMFILE)
            return NativeFile.getrlimit(NativeFile.RLIMIT_NOFILE, limit) == 0 ? $"the limit is {limit[0]} (ulimit -n)" : null;
        if (errno == Errno.ENOMEM)
        {
            return NativeFile.getrlimit(NativeFile.RLIMIT_AS, limit) == 0 && limit[0] != ulong.MaxValue
                ? $"the address space may have {limit[0] >> 20} MiB (ulimit -v): raise that, or ask for less"
                : "the machine or the memory cgroup has too little: ask for less";
        }

        if (errno is not (Errno.EPERM or Errno.EACCES))
            return null;
        string? missing = ProcessCapabilities.MissingForTracing();
        if (missing is not null)
            return $"needs {missing}: run as root";
        return KernelFeatures.Lockdown is "integrity" or "confidentiality"
            ? $"the kernel is locked down ({KernelFeatures.Lockdown}): see kernel_lockdown(7)"
            : "the capabilities are there: a container, seccomp or another security module may forbid it";
    }
}
