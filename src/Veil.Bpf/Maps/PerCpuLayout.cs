// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;

namespace Veil.Bpf;

/// <summary>
/// How a per-CPU value looks in user space: one after the other for every possible CPU, each rounded up to 8 bytes (round_up(value_size,
/// 8) in kernel/bpf/syscall.c).
/// </summary>
internal static unsafe class PerCpuLayout
{
    internal static int Stride(int valueSize) => (valueSize + 7) & ~7;

    internal static void Read<TValue>(byte* values, Span<TValue> destination)
        where TValue : unmanaged
    {
        for (int cpu = 0; cpu < destination.Length; cpu++)
            destination[cpu] = Unsafe.ReadUnaligned<TValue>(values + (nint)cpu * Stride(sizeof(TValue)));
    }

    internal static void Write<TValue>(ReadOnlySpan<TValue> source, byte* values)
        where TValue : unmanaged
    {
        for (int cpu = 0; cpu < source.Length; cpu++)
            Unsafe.WriteUnaligned(values + (nint)cpu * Stride(sizeof(TValue)), source[cpu]);
    }

    internal static void CheckLength(int length, int cpus, string parameter)
    {
        if (length != cpus)
            throw new ArgumentException($"A per-CPU element has {cpus} values on this machine, the span {length}.", parameter);
    }
}
