// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Kernel;

public sealed partial class SyscallTable
{
    /// <summary>The table of this machine's own calls; of a recording that of the machine where it was made.</summary>
    public static SyscallArch Native { get; internal set; } =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? SyscallArch.Arm64 : SyscallArch.X64;

    /// <summary>Every table that calls on this machine can index, its own first.</summary>
    public static IReadOnlyList<SyscallArch> OfThisMachine =>
        Native == SyscallArch.Arm64 ? [SyscallArch.Arm64, SyscallArch.Arm] : [SyscallArch.X64, SyscallArch.I386, SyscallArch.X32];

    /// <summary><see cref="ArchName"/> in UTF-8. Does not allocate.</summary>
    public ReadOnlySpan<byte> ArchNameUtf8 => Arch switch
    {
        SyscallArch.X64 => "x86_64"u8,
        SyscallArch.I386 => "i386"u8,
        SyscallArch.X32 => "x32"u8,
        SyscallArch.Arm64 => "arm64"u8,
        _ => "arm"u8,
    };
}
