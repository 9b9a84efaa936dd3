// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// A view of a hash map, or any other map with one value per key, by the types of its elements. A key's padding bytes are part of the
/// key: give it explicit fields. Safe to use while programs use the map.
/// </summary>
/// <typeparam name="TKey">Has the map's key size.</typeparam>
/// <typeparam name="TValue">Has the map's value size.</typeparam>
public readonly unsafe struct BpfHashMap<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    private readonly BpfMapHandle _map;
    private readonly int _maxEntries;

    /// <summary>Views a map of a loaded object.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    /// <exception cref="InvalidOperationException">The object is not loaded.</exception>
    public BpfHashMap(BpfMap map)
        : this(map.Handle)
    {
    }

    /// <summary>Views a map by its handle, which stays the caller's and has to outlive the view.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public BpfHashMap(BpfMapHandle map)
    {
        var info = map.Info();
        MapElements.CheckSizes(info, sizeof(TKey), sizeof(TValue));
        _map = map;
        _maxEntries = info.MaxEntries;
    }

    /// <summary>How many elements it can hold.</summary>
    public int MaxEntries => _maxEntries;

    /// <summary>Reads an element.</summary>
    /// <returns>False if there is no such key.</returns>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public bool TryGet(in TKey key, out TValue value)
    {
        Unsafe.SkipInit(out value);
        fixed (TKey* k = &key)
        fixed (TValue* v = &value)
        {
            if (MapElements.Found(_map, NativeMapElements.bpf_map_lookup_elem(_map, k, v), "reading map"))
                return true;
        }

        value = default;
        return false;
    }

    /// <summary>Writes an element; programs see the old or the new value, for values up to 8 bytes never a mix.</summary>
    /// <exception cref="BpfException">The map is full (E2BIG), or <paramref name="mode"/> is not met (EEXIST, ENOENT).</exception>
    public void Set(in TKey key, in TValue value, BpfUpdateMode mode = BpfUpdateMode.Any)
    {
        fixed (TKey* k = &key)
        fixed (TValue* v = &value)
            MapElements.Succeeded(_map, NativeMapElements.bpf_map_update_elem(_map, k, v, (ulong)mode), "writing map");
    }

    /// <summary>Removes an element.</summary>
    /// <returns>False if there is no such key.</returns>
    /// <exception cref="BpfException">The kernel refused; the elements of an array cannot be removed.</exception>
    public bool Remove(in TKey key)
    {
        fixed (TKey* k = &key)
            return MapElements.Found(_map, NativeMapElements.bpf_map_delete_elem(_map, k), "deleting from map");
    }

    /// <summary>
    /// All elements, read now, in batches where the kernel can (5.6). What is added or removed meanwhile may or may not be there.
    /// </summary>
    /// <exception cref="BpfException">The kernel refused.</exception>
    public IReadOnlyList<KeyValuePair<TKey, TValue>> Entries()
    {
        var entries = new List<KeyValuePair<TKey, TValue>>();
        MapElements.Walk(_map, sizeof(TKey), sizeof(TValue), _maxEntries, delete: false, (key, value) => entries.Add(Pair(key, value)));
        return entries;
    }

    private static KeyValuePair<TKey, TValue> Pair(byte* key, byte* value) =>
        new(Unsafe.ReadUnaligned<TKey>(key), Unsafe.ReadUnaligned<TValue>(value));
}
