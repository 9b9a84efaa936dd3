// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A view of a per-CPU hash map: every key has one value for each possible CPU (4.6).</summary>
/// <typeparam name="TKey">Has the map's key size.</typeparam>
/// <typeparam name="TValue">Has the map's value size.</typeparam>
public readonly unsafe struct BpfPerCpuHashMap<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    private readonly BpfMapHandle _map;
    private readonly int _maxEntries;

    /// <summary>Views a map of a loaded object.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    /// <exception cref="InvalidOperationException">The object is not loaded.</exception>
    public BpfPerCpuHashMap(BpfMap map)
        : this(map.Handle)
    {
    }

    /// <summary>Views a map by its handle, which stays the caller's and has to outlive the view.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public BpfPerCpuHashMap(BpfMapHandle map)
    {
        var info = map.Info();
        MapElements.CheckSizes(info, sizeof(TKey), sizeof(TValue));
        _map = map;
        _maxEntries = info.MaxEntries;
    }

    /// <summary>How many values a key has; see <see cref="KernelFeatures.PossibleCpuCount"/>.</summary>
#pragma warning disable CA1000 // Reads naturally at the place where the span is allocated; KernelFeatures has the same for other callers.
    public static int PossibleCpuCount => KernelFeatures.PossibleCpuCount;
#pragma warning restore CA1000

    /// <summary>How many keys it can hold.</summary>
    public int MaxEntries => _maxEntries;

    private static int ElementSize => PossibleCpuCount * PerCpuLayout.Stride(sizeof(TValue));

    /// <summary>Reads the values of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="perCpu">Has <see cref="PossibleCpuCount"/> places; untouched if there is no such key.</param>
    /// <returns>False if there is no such key.</returns>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public bool TryGet(in TKey key, Span<TValue> perCpu)
    {
        PerCpuLayout.CheckLength(perCpu.Length, PossibleCpuCount, nameof(perCpu));
        var buffer = (byte*)NativeMemory.Alloc((nuint)ElementSize);
        try
        {
            fixed (TKey* k = &key)
            {
                if (!MapElements.Found(_map, NativeMapElements.bpf_map_lookup_elem(_map, k, buffer), "reading map"))
                    return false;
            }

            PerCpuLayout.Read(buffer, perCpu);
            return true;
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    /// <summary>Writes the values of a key on every CPU.</summary>
    /// <param name="key">The key.</param>
    /// <param name="perCpu">Has <see cref="PossibleCpuCount"/> values.</param>
    /// <param name="mode">What is expected to be there.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    /// <exception cref="BpfException">The map is full (E2BIG), or <paramref name="mode"/> is not met (EEXIST, ENOENT).</exception>
    public void Set(in TKey key, ReadOnlySpan<TValue> perCpu, BpfUpdateMode mode = BpfUpdateMode.Any)
    {
        PerCpuLayout.CheckLength(perCpu.Length, PossibleCpuCount, nameof(perCpu));
        var buffer = (byte*)NativeMemory.AllocZeroed((nuint)ElementSize);
        try
        {
            PerCpuLayout.Write(perCpu, buffer);
            fixed (TKey* k = &key)
                MapElements.Succeeded(_map, NativeMapElements.bpf_map_update_elem(_map, k, buffer, (ulong)mode), "writing map");
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    /// <summary>Removes a key.</summary>
    /// <returns>False if there is no such key.</returns>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public bool Remove(in TKey key)
    {
        fixed (TKey* k = &key)
            return MapElements.Found(_map, NativeMapElements.bpf_map_delete_elem(_map, k), "deleting from map");
    }

    /// <summary>
    /// All keys with their values, read now, in batches where the kernel can (5.6). What changes meanwhile may or may not be there.
    /// </summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public IReadOnlyList<KeyValuePair<TKey, TValue[]>> Entries() => Collect(delete: false);

    /// <summary>Reads all elements and removes them in the same step, so that nothing added by a program in between is lost.</summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public IReadOnlyList<KeyValuePair<TKey, TValue[]>> Drain() => Collect(delete: true);

    /// <summary>Removes all keys.</summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public void Clear() => MapElements.Walk(_map, sizeof(TKey), ElementSize, _maxEntries, delete: true, static (_, _) => { });

    private List<KeyValuePair<TKey, TValue[]>> Collect(bool delete)
    {
        var entries = new List<KeyValuePair<TKey, TValue[]>>();
        var cpus = PossibleCpuCount;
        MapElements.Walk(_map, sizeof(TKey), ElementSize, _maxEntries, delete, (key, value) =>
        {
            var values = new TValue[cpus];
            PerCpuLayout.Read<TValue>(value, values);
            entries.Add(new(Unsafe.ReadUnaligned<TKey>(key), values));
        });
        return entries;
    }
}
