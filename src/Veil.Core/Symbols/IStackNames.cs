// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>Names of the addresses that a stack consists of. Not for several threads at once.</summary>
public interface IStackNames
{
    /// <summary>Names an address in the kernel.</summary>
    /// <param name="address">The address.</param>
    /// <param name="isReturn">A call returns to it: what is named is the call, one byte before. So are all frames but the
    /// innermost.</param>
    StackFrame Kernel(ulong address, bool isReturn);

    /// <summary>Names an address in a process, also in one that has ended since.</summary>
    /// <param name="pid">The process (thread group) as the initial PID namespace numbers it.</param>
    /// <param name="address">The address.</param>
    /// <param name="timeNs">When the stack was taken, by CLOCK_MONOTONIC: what was mapped then counts.</param>
    /// <param name="isReturn">A call returns to it: what is named is the call, one byte before. So are all frames but the
    /// innermost.</param>
    StackFrame User(int pid, ulong address, long timeNs, bool isReturn);
}
