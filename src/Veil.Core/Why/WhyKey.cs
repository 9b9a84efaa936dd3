// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Kernel;

namespace Veil.Core.Why;

/// <summary>What a sum of time is over: <c>struct why_key</c> of <c>why.bpf.c</c>.</summary>
/// <param name="Pid">The process.</param>
/// <param name="Tid">The thread.</param>
/// <param name="State">What it did.</param>
/// <param name="Number">The system call, or -1.</param>
/// <param name="ArchNumber">The table of that call.</param>
/// <param name="Other">While it waited for a CPU: the process that ran there just before; 0: none did.</param>
/// <param name="Argument">While it waited in a call: the call's first argument.</param>
/// <param name="Inode">The inode of the file, where that argument can be a descriptor; 0: it is none.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct WhyKey(
    uint Pid, uint Tid, WhyState State, int Number, uint ArchNumber, uint Other, ulong Argument, ulong Inode)
{
    /// <summary>The table of the call.</summary>
    public SyscallArch Arch => (SyscallArch)ArchNumber;
}
