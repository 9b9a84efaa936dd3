// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Kernel;

/// <summary>The system call table a call went through. The values are shared with the BPF programs.</summary>
public enum SyscallArch : byte
{
    /// <summary>Native x86-64.</summary>
    X64 = 0,

    /// <summary>32-bit x86: a compat task, or <c>int 0x80</c> of a 64-bit one.</summary>
    I386 = 1,

    /// <summary>The x32 ABI: 64-bit mode with 32-bit pointers, marked by <see cref="SyscallTable.X32Bit"/>.</summary>
    X32 = 2,

    /// <summary>Native arm64.</summary>
    Arm64 = 3,

    /// <summary>32-bit arm on an arm64 kernel; it has numbers but no names here.</summary>
    Arm = 4,
}
