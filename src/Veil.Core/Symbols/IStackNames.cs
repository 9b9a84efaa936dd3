// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>Names addresses of stacks.</summary>
public interface IStackNames
{
    /// <summary>An address of the kernel.</summary>
    /// <param name="address">The address.</param>
    /// <param name="isReturn">It is a return address, and looked up one byte before: all but the innermost of a sample.</param>
    StackFrame Kernel(ulong address, bool isReturn);

    /// <summary>An address of a process.</summary>
    /// <param name="pid">Its thread group id in the initial PID namespace.</param>
    /// <param name="address">The address.</param>
    /// <param name="timeNs">When it was taken, nanoseconds of CLOCK_MONOTONIC.</param>
    /// <param name="isReturn">As of <see cref="Kernel"/>.</param>
    StackFrame User(int pid, ulong address, long timeNs, bool isReturn);
}
