// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>What a thread does at a moment: <c>enum why_state</c> of <c>why.bpf.c</c>.</summary>
public enum WhyState : uint
{
    /// <summary>On a CPU, not in a system call.</summary>
    User,

    /// <summary>On a CPU, in a system call.</summary>
    Kernel,

    /// <summary>It could run, and waits for a CPU.</summary>
    Runnable,

    /// <summary>It waits in a system call.</summary>
    Blocked,

    /// <summary>It waits in a system call and cannot be interrupted: for the disk, as a rule.</summary>
    Disk,

    /// <summary>It waits uninterruptibly outside of a call: for a page of its memory, as a rule.</summary>
    Fault,

    /// <summary>Stopped by a signal, a debugger or a frozen control group.</summary>
    Stopped,

    /// <summary>It waits otherwise outside of a call.</summary>
    Other,
}
