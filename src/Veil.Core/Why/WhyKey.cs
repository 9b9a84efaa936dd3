// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Kernel;

namespace Veil.Core.Why;

/// <summary>What a sum of time is over: <c>struct why_key</c> of <c>why.bpf.c</c>.</summary>
/// <param name="Pid">The process.</param>
/// <param name="Tid">The thread.</param>
/// <param name="State">What it did.</param>
/// <param name="Number">The system call, or -1.</param>
/// <param name="ArchNumber">The table of that call.</param>
/// <param name="Other">While it waited for a CPU: the process that had it, 0 if none had, or <see cref="Unknown"/>. In <c>poll</c>: of how
/// many descriptors.</param>
/// <param name="Argument">While it waited in a call: the call's first argument, or the only descriptor that it polls.</param>
/// <param name="Inode">The inode of the file, where that is a descriptor; 0: it is none.</param>
/// <param name="Peer">Of a Unix socket the inode of the one at the other end; 0: that is not known.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct WhyKey(
    uint Pid, uint Tid, WhyState State, int Number, uint ArchNumber, uint Other, ulong Argument, ulong Inode, ulong Peer)
{
    /// <summary>Who had the CPU is not known.</summary>
    public const uint Unknown = uint.MaxValue;

    /// <summary>The table of the call.</summary>
    public SyscallArch Arch => (SyscallArch)ArchNumber;

    /// <summary>Does it wait in a call?</summary>
    public bool IsInWait => State is WhyState.Blocked or WhyState.Disk;

    /// <summary>The name of the call; empty where there is none.</summary>
    public string Call => NameOf(Arch, Number);

    /// <summary>The name of a call; its number where it has none, and empty for -1.</summary>
    public static string NameOf(SyscallArch arch, int number) => number < 0 ? ""
        : SyscallTable.For(arch).NameUtf8(number) is { Length: > 0 } name ? Encoding.UTF8.GetString(name) : $"syscall_{number}";
}
