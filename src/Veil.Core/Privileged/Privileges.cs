// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Privileged;

/// <summary>The privileges of this process: are they enough, and away with those that are not needed any more (docs/adr/0014).</summary>
internal static unsafe class Privileges
{
    public const ulong DacOverride = 1UL << 1;
    public const ulong DacReadSearch = 1UL << 2;
    private const ulong Kill = 1UL << 5;
    public const ulong SysPtrace = 1UL << 19;

    /// <summary>CAP_CHECKPOINT_RESTORE (Linux 5.9): to follow <c>/proc/PID/map_files</c>.</summary>
    public const ulong CheckpointRestore = 1UL << 40;
    private const ulong SysAdmin = 1UL << 21;
    private const ulong Perfmon = 1UL << 38;
    private const ulong Bpf = 1UL << 39;

    /// <summary>
    /// User and group of a reader that was root. Not 65534, which is also who is meant by "nobody" and who owns processes that could send
    /// signals to us: systemd's list of user ids says of 65520 to 65533 that nothing uses them (UIDS-GIDS).
    /// </summary>
    private const uint NobodysUser = 65533;

    private const uint CapabilityVersion3 = 0x20080522;
    private const int PrSetDumpable = 4;
    private const int PrSetKeepCaps = 8;
    private const int PrCapBoundingSetDrop = 24;
    private const int PrSetNoNewPrivs = 38;

    // Places in what capget(2) gives.
    private const int Effective = 0;
    private const int Permitted = 1;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

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
        ulong held = ReadSet(Effective);
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
    /// Gives up what an attached trace does not need: its user where that is root, and every capability but CAP_BPF on the kernels that ask
    /// for it even to look into a map that is open. What the kernel refuses to take is kept.
    /// </summary>
    /// <param name="keepUser">Stay who we are: there is nobody else who could do what needs root later.</param>
    /// <param name="signals">Pass signals on to a command, which may be root's: CAP_KILL stays, and <see cref="SystemCallFilter"/> says for
    /// whom.</param>
    /// <returns>What is held now, for people.</returns>
    public static string DropForReading(bool keepUser, bool signals)
    {
        OnFinalizerThread(static () => ShrinkThread());
        ShrinkThread();
        ulong before = ReadSet(Permitted);
        string? refusal = keepUser ? "there is no helper process" : LeaveRoot();
        SetCapabilities(effective: 0, permitted: before & (Bpf | Kill));
        ulong kept = before & ((MapsOpenWithoutCapability() ? 0 : Bpf) | (signals ? Kill : 0));
        SetCapabilities(kept, kept);
        // As leaving root did for all threads, where that was possible.
        OnFinalizerThread(static () => SetCapabilities(0, 0));
        uint user = LibC.EffectiveUser();
        return $"user {user}{(user == 0 ? $" ({refusal})" : "")}, {NamesOf(ReadSet(Permitted))}";
    }

    private static string NamesOf(ulong held) => held == 0 ? "no capability"
        : string.Join(" and ", new[] { (held & Bpf) != 0 ? "CAP_BPF" : null, (held & Kill) != 0 ? "CAP_KILL" : null }.OfType<string>());

    /// <summary>Keeps these capabilities and this user, in a process that has no thread but this one and the finalizer's.</summary>
    public static void DropAllBut(ulong kept, bool keepUser)
    {
        OnFinalizerThread(static () => ShrinkThread());
        ShrinkThread();
        kept &= ReadSet(Permitted);
        if (!keepUser)
            _ = LeaveRoot();
        SetCapabilities(kept, kept);
        OnFinalizerThread(static () => SetCapabilities(0, 0));
        // Nobody of the same user looks into it.
        _ = LibC.PrCtl(PrSetDumpable, 0, 0, 0, 0);
    }

    // The bounding set and the promise belong to a thread; those that it makes later have them too.
    private static void ShrinkThread()
    {
        // Up to the last that this kernel knows; none without CAP_SETPCAP.
        for (nuint capability = 0; LibC.PrCtl(PrCapBoundingSetDrop, capability, 0, 0, 0) == 0; capability++)
        {
        }

        _ = LibC.PrCtl(PrSetNoNewPrivs, 1, 0, 0, 0);
    }

    // Why we are still root, or nothing. libc does it on all threads; those lose their capabilities by it, and we keep ours
    // (capabilities(7)).
    private static string? LeaveRoot()
    {
        const int limitOfProcesses = 6; // RLIMIT_NPROC
        if (LibC.EffectiveUser() != 0)
            return null;
        // Root is exempt from the limit, and the threads to come would not be.
        ulong* unlimited = stackalloc ulong[] { ulong.MaxValue, ulong.MaxValue };
        _ = LibC.SetLimit(limitOfProcesses, unlimited);
        _ = LibC.PrCtl(PrSetKeepCaps, 1, 0, 0, 0);
        _ = LibC.SetSupplementaryGroups(0, null);
        _ = LibC.SetGroups(NobodysUser, NobodysUser, NobodysUser);
        string? refusal = LibC.SetUsers(NobodysUser, NobodysUser, NobodysUser) == 0 ? null : Marshal.GetLastPInvokeErrorMessage();
        _ = LibC.PrCtl(PrSetKeepCaps, 0, 0, 0, 0);
        if (refusal is null)
            _ = LibC.PrCtl(PrSetDumpable, 0, 0, 0, 0);
        return refusal;
    }

    /// <summary>
    /// Before Linux 5.19 (commit c8644cd0efe7) <c>kernel.unprivileged_bpf_disabled</c> refuses every bpf(2), and somebody may set it while
    /// we run. From then on, and where it was brought back to an older kernel, a map's descriptor is enough.
    /// </summary>
    private static bool MapsOpenWithoutCapability()
    {
        const int getNextKey = 4; // BPF_MAP_GET_NEXT_KEY
        const int attributeBytes = 32;
        byte* attribute = stackalloc byte[attributeBytes];
        *(int*)attribute = -1;
        bool refused = LibC.Syscall(IsArm ? 280 : 321, getNextKey, (nint)attribute, attributeBytes, 0, 0) < 0
            && Marshal.GetLastPInvokeError() == Errno.EPERM;
        return !refused && (KernelFeatures.KernelVersion >= new Version(5, 19) || !KernelFeatures.UnprivilegedBpf);
    }

    private static void SetCapabilities(ulong effective, ulong permitted)
    {
        uint* header = stackalloc uint[] { CapabilityVersion3, 0 };
        // effective, permitted, inheritable; the low 32 of each, then the high 32.
        uint* sets = stackalloc uint[] { (uint)effective, (uint)permitted, 0, (uint)(effective >> 32), (uint)(permitted >> 32), 0 };
        _ = LibC.Syscall(IsArm ? 91 : 126, (nint)header, (nint)sets, 0, 0, 0);
    }

    // The call and not /proc, which a container or a chroot may hide: effective, permitted, inheritable, in two halves.
    private static ulong ReadSet(int which)
    {
        uint* header = stackalloc uint[] { CapabilityVersion3, 0 };
        uint* sets = stackalloc uint[6];
        return LibC.Syscall(IsArm ? 90 : 125, (nint)header, (nint)sets, 0, 0, 0) == 0 ? sets[which] | ((ulong)sets[which + 3] << 32) : 0;
    }

    private static void OnFinalizerThread(Action action)
    {
        Leave(action);
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leave(Action action) => _ = new FinalizerVisitor(action);

    private sealed class FinalizerVisitor(Action action)
    {
        // The one way to run code on the finalizer's thread, which is the point here.
#pragma warning disable MA0055
        ~FinalizerVisitor() => action();
#pragma warning restore MA0055
    }
}
