// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A view of a per-CPU hash map or array whose values are arrays of 64-bit counters, added up over the CPUs; keys are bytes of any
/// size.</summary>
public sealed unsafe class BpfPerCpuSums
{
    private readonly BpfMapHandle _map;
    private readonly BpfMapInfo _info;
    private readonly int _largest;

    /// <summary>Views a map of a loaded object.</summary>
    /// <param name="map">The map.</param>
    /// <param name="largest">The place of a counter that is the largest of the CPUs', and no sum; -1: none is.</param>
    /// <exception cref="ArgumentException">A value is not a whole number of counters.</exception>
    /// <exception cref="InvalidOperationException">The object is not loaded.</exception>
    public BpfPerCpuSums(BpfMap map, int largest = -1)
    {
        _largest = largest;
        _map = map.Handle;
        _info = _map.Info();
        if (_info.ValueSize % sizeof(ulong) != 0)
            throw new ArgumentException($"A value of {_info.ValueSize} bytes is no array of 64-bit counters.", nameof(map));
    }

    /// <summary>Is handed a key and its sums, both valid during the call.</summary>
    public delegate void Visitor(ReadOnlySpan<byte> key, ReadOnlySpan<ulong> sums);

    /// <summary>Does the map hold a key? An array always does.</summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public bool HasKeys()
    {
        byte[] key = new byte[_info.KeySize];
        fixed (byte* first = key)
            return MapElements.Found(_map, NativeMapElements.bpf_map_get_next_key(_map, null, first), "walking map");
    }

    /// <summary>Sets a key's counters to zero on every CPU.</summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public void Clear(ReadOnlySpan<byte> key)
    {
        byte[] zeros = new byte[KernelFeatures.PossibleCpuCount * _info.ValueSize];
        fixed (byte* keyBytes = key, values = zeros)
            MapElements.Succeeded(_map, NativeMapElements.bpf_map_update_elem(_map, keyBytes, values, 0), "writing map");
    }

    /// <summary>Visits every key. What changes meanwhile may or may not be there.</summary>
    /// <param name="remove">Take each key out in the same step.</param>
    /// <param name="visit">Called for each.</param>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public void Visit(bool remove, Visitor visit)
    {
        int cpus = KernelFeatures.PossibleCpuCount, counters = _info.ValueSize / sizeof(ulong);
        ulong[] sums = new ulong[counters];
        MapElements.Walk(_map, _info.KeySize, cpus * _info.ValueSize, _info.MaxEntries, remove, (key, value) =>
        {
            var counts = MemoryMarshal.Cast<byte, ulong>(new ReadOnlySpan<byte>(value, cpus * _info.ValueSize));
            counts[..counters].CopyTo(sums);
            for (int cpu = 1; cpu < cpus; cpu++)
            {
                var ofCpu = counts.Slice(cpu * counters, counters);
                for (int at = 0; at < ofCpu.Length; at++)
                    sums[at] = at == _largest ? Math.Max(sums[at], ofCpu[at]) : sums[at] + ofCpu[at];
            }

            visit(new ReadOnlySpan<byte>(key, _info.KeySize), sums);
        });
    }
}
