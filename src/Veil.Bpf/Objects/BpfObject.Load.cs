// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

public sealed partial class BpfObject
{
    /// <summary>
    /// Creates the maps and loads the programs whose <see cref="BpfProgram.AutoLoad"/> is set. On kernels before 5.11 memory counts against
    /// RLIMIT_MEMLOCK; libbpf raises it where it must, and where it may not the kernel's own answer is what counts.
    /// </summary>
    /// <exception cref="BpfVerifierException">The verifier refused a program.</exception>
    /// <exception cref="UnsupportedByKernelException">The kernel lacks BTF, or a program or map type.</exception>
    /// <exception cref="BpfException">Anything else, a lack of privileges among it. The object cannot be loaded again: libbpf allows one
    /// try.</exception>
    /// <exception cref="InvalidOperationException">It is loaded already.</exception>
    public void Load()
    {
        if (IsLoaded)
            throw new InvalidOperationException($"Object {Name} is loaded already.");
        using var lease = new HandleLease(_handle);
        RequireDescriptors();
        using var log = LogCapture.Begin();
        int error = -NativeObject.bpf_object__load(lease.Value);
        if (error != 0)
            throw LoadError(error, log.Text);
        IsLoaded = true;
        MapGlobals();
    }

    /// <summary>
    /// libbpf tries what the kernel can by loading things. Where it runs out of descriptors meanwhile it takes that for a no, remembers it,
    /// and the verifier's answer is about something else.
    /// </summary>
    private unsafe void RequireDescriptors()
    {
        const int trials = 8;
        ulong* limit = stackalloc ulong[2];
        if (NativeFile.getrlimit(NativeFile.RLIMIT_NOFILE, limit) != 0)
            return;
        int needed = Maps.Count(static map => map.WillBeCreated) + Programs.Count(static program => program.AutoLoad) + trials;
        // The lowest number that is free: those below it are taken.
        int lowest = NativeFile.fcntl(0, NativeFile.F_DUPFD_CLOEXEC, 0);
        if (lowest >= 0)
            _ = NativeFile.close(lowest);
        if (lowest < 0 ? Marshal.GetLastPInvokeError() == Errno.EMFILE : limit[0] - (ulong)lowest < (ulong)needed)
            throw BpfErrors.Create("loading object", Name, Errno.EMFILE);
    }

    private BpfException LoadError(int errno, string said)
    {
        if (VerifierLog.TryExtract(said, out string? program, out string? verifierLog))
            return new BpfVerifierException(program, errno, verifierLog);

        if (!KernelFeatures.HasBtf && errno is Errno.ESRCH or Errno.ENOENT or Errno.EINVAL)
            return new UnsupportedByKernelException("loading object", Name, "BTF (CONFIG_DEBUG_INFO_BTF)", MinimumKernel.KernelBtf, errno);

        // libbpf tries one place after the other for the kernel's types, and says of the last one that it is not there.
        if (errno is Errno.ESRCH && said.Contains("Error loading vmlinux BTF", StringComparison.Ordinal))
            return new BpfException(
                "loading object", Name, "the kernel's types (/sys/kernel/btf/vmlinux) do not fit into memory", Errno.ENOMEM,
                "raise the limit of address space (ulimit -v), or the cgroup's of memory");

        string failed = VerifierLog.FailedProgram(said);
        if (VerifierLog.MissingBtfTarget(said) is { Length: > 0 } target)
            return new UnsupportedByKernelException(
                "loading program", failed, $"a function or tracepoint {target} in its BTF", minimumVersion: null, errno);

        if (IsFunctionTracing(failed) && errno is Errno.EPERM && ProcessCapabilities.MissingForTracing() is null)
        {
            return new UnsupportedByKernelException(
                "loading program", failed, "function tracing (CONFIG_FUNCTION_TRACER with BPF trampolines)", MinimumKernel.TracingPrograms,
                errno);
        }

        if (errno is Errno.EINVAL or Errno.EOPNOTSUPP or Errno.ENOTSUPP)
        {
            foreach (var map in Maps)
            {
                if (map.WillBeCreated && KernelFeatures.SupportsMapType(map.Type) == false)
                    return BpfErrors.MapCreation(map.Name, map.Type, errno);
            }

            foreach (var candidate in Programs)
            {
                if (candidate.AutoLoad && KernelFeatures.SupportsProgramType(candidate.Type) == false)
                {
                    return new UnsupportedByKernelException(
                        "loading program", candidate.Name, $"BPF programs of type {candidate.Type}", MinimumKernel.Of(candidate.Type),
                        errno);
                }
            }
        }

        // With privileges missing, libbpf's own lines only repeat the number or advise on ulimits.
        var (operation, subject) = failed.Length == 0 ? ("loading object", Name) : ("loading program", failed);
        return errno is Errno.EPERM
            ? BpfErrors.Create(operation, subject, errno)
            : BpfErrors.Create(operation, subject, errno, said);
    }

    private bool IsFunctionTracing(string program) =>
        TryGetProgram(program, out var found) && HookKinds.OfSection(found.Section) == HookKind.Function;
}
