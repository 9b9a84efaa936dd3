// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Unwinding;

/// <summary>The registers of a machine as its frame tables number them.</summary>
/// <param name="Count">How many matter.</param>
/// <param name="Stack">The stack pointer.</param>
/// <param name="Frame">The frame pointer.</param>
/// <param name="Return">The one that stands for the address to return to.</param>
/// <param name="Kernel">Where in the kernel's <c>struct pt_regs</c> each is.</param>
/// <param name="KernelCount">How many words that has.</param>
/// <param name="CodeAt">Where in it the place in the code is.</param>
/// <param name="CodeMask">The bits of an address of code; above them arm64 has signatures.</param>
internal sealed record FrameRegisters(int Count, int Stack, int Frame, int Return, int[] Kernel, int KernelCount, int CodeAt, ulong CodeMask)
{
    /// <summary>x86-64: System V ABI, figure 3.36.</summary>
    public static FrameRegisters X64 { get; } =
        new(17, 7, 6, 16, [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16], 21, 16, ulong.MaxValue);

    /// <summary>arm64: DWARF for the Arm 64-bit Architecture, 4.1.</summary>
    public static FrameRegisters Arm64 { get; } = new(32, 31, 29, 30, [.. Enumerable.Range(0, 32)], 34, 32, (1UL << 48) - 1);

    /// <summary>Those of this machine.</summary>
    public static FrameRegisters Own { get; } = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? Arm64 : X64;
}
