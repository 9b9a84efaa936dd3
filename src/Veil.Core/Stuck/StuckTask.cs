// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Core.Kernel;

namespace Veil.Core.Stuck;

/// <summary>A task as the look found it: <c>struct look_task</c> of <c>look.bpf.h</c>, without the frames of its stack.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct StuckTask
{
    private const ulong TimeUnknown = ulong.MaxValue;

    /// <summary>Its process.</summary>
    public readonly uint Pid;

    /// <summary>The thread.</summary>
    public readonly uint Tid;

    /// <summary>The process's parent.</summary>
    public readonly uint Ppid;

    /// <summary>Its user, in the initial user namespace.</summary>
    public readonly uint Uid;

    private readonly Comm _comm;
    private readonly ulong _offCpuNs;

    /// <summary>Bits of <c>include/linux/sched.h</c>.</summary>
    public readonly uint State;

    private readonly StuckMarks _marks;
    private readonly int _nr;
    private readonly SyscallArch _arch;
    private readonly uint _frames;
    private readonly uint _unused;
    private readonly Words _args;

    /// <summary>Bytes before the frames of the stack.</summary>
    public static int SizeBytes => Unsafe.SizeOf<StuckTask>();

    /// <summary>The name, up to its NUL.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Name
    {
        get
        {
            ReadOnlySpan<byte> name = _comm;
            int end = name.IndexOf((byte)0);
            return end < 0 ? name : name[..end];
        }
    }

    /// <summary>For how long it has not run, in nanoseconds; nothing where that is not known, and 0 while it runs.</summary>
    public ulong? OffCpuNs => _offCpuNs == TimeUnknown ? null : _offCpuNs;

    /// <summary>It runs at this moment, so what it does is not known.</summary>
    public bool IsOnCpu => (_marks & StuckMarks.OnCpu) != StuckMarks.None;

    /// <summary>It is in a system call.</summary>
    public bool IsInCall => (_marks & StuckMarks.InCall) != StuckMarks.None;

    /// <summary>Somebody changes its memory's map: who reads its memory waits until that is done.</summary>
    public bool IsMemoryLocked => (_marks & StuckMarks.MemoryLocked) != StuckMarks.None;

    /// <summary>It is the kernel's own.</summary>
    public bool IsKernelThread => (_marks & StuckMarks.KernelThread) != StuckMarks.None;

    /// <summary>The freezer of a cgroup, or of the system's sleep, has stopped it.</summary>
    public bool IsFrozen => (_marks & StuckMarks.Frozen) != StuckMarks.None;

    /// <summary>It is ready to run, and its cgroup has used up its share of the CPUs.</summary>
    public bool IsThrottled => (_marks & StuckMarks.Throttled) != StuckMarks.None;

    /// <summary>It waits so that no signal but one that kills gets through, or is frozen.</summary>
    public bool IsUninterruptible => StateLetter == 'D' || IsFrozen;

    /// <summary>The number of its call.</summary>
    public int Number => _nr;

    /// <summary>The table of its call.</summary>
    public SyscallArch Arch => _arch;

    /// <summary>The call's arguments, as the registers have them.</summary>
    [UnscopedRef]
    public ReadOnlySpan<ulong> Args => _args;

    /// <summary>Addresses in the kernel that follow, the innermost first.</summary>
    public int Frames => (int)_frames;

    /// <summary>The letter of <c>ps</c> and <c>/proc</c>.</summary>
    public char StateLetter => State switch
    {
        0 => 'R',
        _ when (State & 0x20) != 0 => 'Z',
        _ when (State & 0x10) != 0 => 'X',
        _ when (State & 0x08) != 0 => 't',
        _ when (State & 0x04) != 0 => 'T',
        _ when (State & 0x40) != 0 => 'P',
        _ when (State & 0x402) == 0x402 => 'I',
        _ when (State & 0x9000) != 0 => 'D', // TASK_FROZEN, TASK_RTLOCK_WAIT
        _ when (State & 0x02) != 0 => 'D',
        _ => 'S',
    };

    [Flags]
    private enum StuckMarks : uint
    {
        None = 0,
        OnCpu = 1,
        InCall = 2,
        MemoryLocked = 4,
        KernelThread = 8,
        Frozen = 16,
        Throttled = 32,
    }

    [InlineArray(16)]
    private struct Comm
    {
        private byte _first;
    }

    [InlineArray(6)]
    private struct Words
    {
        private ulong _first;
    }
}
