// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Kernel;

/// <summary>The parameters of every call of every table, named as tracefs names them.</summary>
/// <remarks>
/// The signatures are written by <c>eng/syscall-parameters</c>. One is taken apart when it is first asked for, so that nothing is built
/// at start-up; instances are shared and immutable.
/// </remarks>
public static partial class SyscallParameters
{
    private static SyscallParameter[]?[]? s_parsed;

    /// <summary>The parameters of a call in their order; empty when it has none, or when the number has no call.</summary>
    /// <param name="arch">The table; <see cref="SyscallArch.Arm"/> has no names, and so no parameters.</param>
    /// <param name="number">The kernel's number. An x32 number may carry <see cref="SyscallTable.X32Bit"/> or not.</param>
    public static ReadOnlySpan<SyscallParameter> Of(SyscallArch arch, int number)
    {
        ReadOnlySpan<ushort> signatures = arch switch
        {
            SyscallArch.X64 => X64Signatures,
            SyscallArch.I386 => I386Signatures,
            SyscallArch.X32 => X32Signatures,
            SyscallArch.Arm64 => Arm64Signatures,
            _ => default,
        };
        if (arch == SyscallArch.X32)
            number &= ~SyscallTable.X32Bit;
        if ((uint)number >= (uint)signatures.Length)
            return default;
        int signature = signatures[number];
        if (signature == NoCall)
            return default;
        // Two threads may both take a signature apart: the results are equal, and either may stay.
        var parsed = s_parsed ??= new SyscallParameter[]?[SignatureOffsets.Length - 1];
        return parsed[signature] ??= Parse(Signatures[SignatureOffsets[signature]..(SignatureOffsets[signature + 1] - 1)]);
    }

    /// <summary>The names of the parameters of all calls.</summary>
    public static IReadOnlySet<string> Names()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int signature = 0; signature < SignatureOffsets.Length - 1; signature++)
        {
            foreach (var parameter in Parse(Signatures[SignatureOffsets[signature]..(SignatureOffsets[signature + 1] - 1)]))
                names.Add(parameter.Name);
        }

        return names;
    }

    private static SyscallParameter[] Parse(ReadOnlySpan<byte> signature)
    {
        if (signature.IsEmpty)
            return [];
        string[] parts = Encoding.UTF8.GetString(signature).Split(", ");
        var parameters = new SyscallParameter[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            int name = parts[i].AsSpan().LastIndexOfAny(' ', '*') + 1;
            parameters[i] = new SyscallParameter(parts[i][name..], parts[i][..name].TrimEnd());
        }

        return parameters;
    }
}
