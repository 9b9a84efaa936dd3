// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A view of a per-CPU array: every element has one value for each possible CPU (4.6).</summary>
/// <typeparam name="TValue">Has the map's value size.</typeparam>
public readonly unsafe struct BpfPerCpuArray<TValue>
    where TValue : unmanaged
{
    private readonly BpfMapHandle _map;
    private readonly int _length;

    /// <summary>Views a map of a loaded object.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    /// <exception cref="InvalidOperationException">The object is not loaded.</exception>
    public BpfPerCpuArray(BpfMap map)
        : this(map.Handle)
    {
    }

    /// <summary>Views a map by its handle, which stays the caller's and has to outlive the view.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public BpfPerCpuArray(BpfMapHandle map)
    {
        var info = map.Info();
        MapElements.CheckSizes(info, sizeof(uint), sizeof(TValue));
        _map = map;
        _length = info.MaxEntries;
    }

    /// <summary>How many values an element has; see <see cref="KernelFeatures.PossibleCpuCount"/>.</summary>
#pragma warning disable CA1000 // Reads naturally at the place where the span is allocated; KernelFeatures has the same for other callers.
    public static int PossibleCpuCount => KernelFeatures.PossibleCpuCount;
#pragma warning restore CA1000

    /// <summary>Number of elements.</summary>
    public int Length => _length;

    /// <summary>Reads an element. CPUs are read one after the other while they may be writing.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="perCpu">Has <see cref="PossibleCpuCount"/> places.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public void Read(int index, Span<TValue> perCpu)
    {
        CheckIndex(index);
        int cpus = PossibleCpuCount;
        PerCpuLayout.CheckLength(perCpu.Length, cpus, nameof(perCpu));
        uint key = (uint)index;
        if (PerCpuLayout.Stride(sizeof(TValue)) == sizeof(TValue))
        {
            fixed (TValue* values = perCpu)
                MapElements.Succeeded(_map, NativeMapElements.bpf_map_lookup_elem(_map, &key, values), "reading map");
            return;
        }

        byte* buffer = (byte*)NativeMemory.Alloc((nuint)cpus, (nuint)PerCpuLayout.Stride(sizeof(TValue)));
        try
        {
            MapElements.Succeeded(_map, NativeMapElements.bpf_map_lookup_elem(_map, &key, buffer), "reading map");
            PerCpuLayout.Read(buffer, perCpu);
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    /// <summary>Writes an element on every CPU.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="perCpu">Has <see cref="PossibleCpuCount"/> values.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public void Write(int index, ReadOnlySpan<TValue> perCpu)
    {
        CheckIndex(index);
        PerCpuLayout.CheckLength(perCpu.Length, PossibleCpuCount, nameof(perCpu));
        uint key = (uint)index;
        byte* buffer = (byte*)NativeMemory.AllocZeroed((nuint)perCpu.Length, (nuint)PerCpuLayout.Stride(sizeof(TValue)));
        try
        {
            PerCpuLayout.Write(perCpu, buffer);
            MapElements.Succeeded(_map, NativeMapElements.bpf_map_update_elem(_map, &key, buffer, 0), "writing map");
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    private void CheckIndex(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _length);
    }
}
