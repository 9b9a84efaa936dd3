// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Kernel;

/// <summary>Names of flags and enumerations of system call arguments, as the kernel's headers spell them.</summary>
/// <remarks>
/// Written by <c>eng/flag-names</c>, which says what decides between several names of one value. Where x86 and arm64 differ the property
/// is this machine's, and <c>…Of(arch)</c> is another's. Values that no kernel header names are listed in <c>eng/flag-names.txt</c>.
/// </remarks>
public static partial class FlagSets
{
    internal static ReadOnlySpan<byte> NameAt(uint offset)
    {
        var names = Names[(int)offset..];
        return names[..names.IndexOf((byte)'\n')];
    }

    private static bool IsArm(SyscallArch arch) => arch is SyscallArch.Arm64 or SyscallArch.Arm;
}
