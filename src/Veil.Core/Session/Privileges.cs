using System.Runtime.InteropServices;
using Veil.Core.Interop;

namespace Veil.Core.Session;

/// <summary>The capabilities of this process: are they enough, and away with those that are not needed any more.</summary>
internal static unsafe class Privileges
{
    private const ulong SysAdmin = 1UL << 21;
    private const ulong Perfmon = 1UL << 38;
    private const ulong Bpf = 1UL << 39;

    private const uint CapabilityVersion3 = 0x20080522;
    private const int PrSetNoNewPrivs = 38;

    private static nint CapgetNumber => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 90 : 125;

    private static nint CapsetNumber => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 91 : 126;

    /// <summary>Checks that programs can be loaded at all, so that the answer is a sentence and not the kernel's EPERM.</summary>
    /// <exception cref="VeilException">Something is missing; says what.</exception>
    public static void Require()
    {
        if (Missing() is { } missing)
            throw new VeilException($"tracing needs root, or CAP_BPF and CAP_PERFMON: this process lacks {missing}; run it with sudo");
    }

    /// <summary>The capabilities that tracing needs and this thread lacks, or nothing.</summary>
    public static string? Missing()
    {
        ulong held = Effective();
        if ((held & SysAdmin) != 0)
            return null;
        var missing = new List<string>();
        if ((held & Bpf) == 0)
            missing.Add("CAP_BPF");
        if ((held & Perfmon) == 0)
            missing.Add("CAP_PERFMON");
        return missing.Count == 0 ? null : string.Join(" and ", missing);
    }

    /// <summary>
    /// Gives up everything but what changing filters and reading counters needs. Capabilities belong to threads: the calling one,
    /// those that it makes later, and the finalizer's, the only other one of this process at that point.
    /// </summary>
    public static void DropAllButBpf()
    {
        Drop();
        DropOnFinalizerThread();
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private static void Drop()
    {
        ulong kept = Permitted() & (Bpf | Perfmon);
        var header = stackalloc uint[] { CapabilityVersion3, 0 };
        // effective, permitted, inheritable; the low 32 of each, then the high 32.
        var sets = stackalloc uint[] { (uint)kept, (uint)kept, 0, (uint)(kept >> 32), (uint)(kept >> 32), 0 };
        _ = LibC.Syscall(CapsetNumber, (nint)header, (nint)sets, 0, 0, 0);
        _ = LibC.PrCtl(PrSetNoNewPrivs, 1, 0, 0, 0);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void DropOnFinalizerThread() => _ = new FinalizerVisitor();

    private static ulong Effective() => ReadSet(0);

    private static ulong Permitted() => ReadSet(1);

    // The call and not /proc, which a container or a chroot may hide: effective, permitted, inheritable, in two halves.
    private static ulong ReadSet(int which)
    {
        var header = stackalloc uint[] { CapabilityVersion3, 0 };
        var sets = stackalloc uint[6];
        return LibC.Syscall(CapgetNumber, (nint)header, (nint)sets, 0, 0, 0) == 0 ? sets[which] | ((ulong)sets[which + 3] << 32) : 0;
    }

    private sealed class FinalizerVisitor
    {
        // The one way to run code on the finalizer's thread, which is the point here.
#pragma warning disable MA0055
        ~FinalizerVisitor() => Drop();
#pragma warning restore MA0055
    }
}
