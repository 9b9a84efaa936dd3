using System.Buffers;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A typed view of a hash map. Changes are seen by running programs at once.</summary>
/// <typeparam name="TKey">The key, laid out as in C.</typeparam>
/// <typeparam name="TValue">The value, laid out as in C.</typeparam>
public readonly unsafe struct BpfHashMap<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    private const int BatchKeys = 256;
    private readonly int _fd;
    private readonly string _name;

    /// <summary>Looks at a map of a loaded object.</summary>
    /// <exception cref="ArgumentException">The sizes of key or value differ.</exception>
    public BpfHashMap(BpfMap map)
    {
        if (map.KeySize != sizeof(TKey) || map.ValueSize != sizeof(TValue))
            throw new ArgumentException($"map {map.Name} has keys of {map.KeySize} and values of {map.ValueSize} bytes, not {sizeof(TKey)} and {sizeof(TValue)}", nameof(map));
        _fd = map.Fd;
        _name = map.Name;
    }

    /// <summary>Reads the value of a key.</summary>
    /// <returns>False where the key is not there.</returns>
    public bool TryGet(in TKey key, out TValue value)
    {
        fixed (TKey* k = &key)
        fixed (TValue* v = &value)
            return Found("reading", LibbpfNative.bpf_map_lookup_elem(_fd, k, v));
    }

    /// <summary>Sets the value of a key.</summary>
    /// <exception cref="BpfException">The map is full (E2BIG), or the mode does not hold.</exception>
    public void Set(in TKey key, in TValue value, BpfUpdateMode mode = BpfUpdateMode.Any)
    {
        fixed (TKey* k = &key)
        fixed (TValue* v = &value)
        {
            int result = LibbpfNative.bpf_map_update_elem(_fd, k, v, (ulong)mode);
            if (result < 0)
                throw new BpfException("writing map", _name, -result);
        }
    }

    /// <summary>Sets many keys: in one call from Linux 5.6 on, one by one before. Not atomic.</summary>
    public void Set(ReadOnlySpan<TKey> keys, ReadOnlySpan<TValue> values)
    {
        if (keys.Length != values.Length)
            throw new ArgumentException("as many values as keys", nameof(values));
        if (keys.IsEmpty)
            return;
        uint count = (uint)keys.Length;
        var options = new LibbpfNative.MapBatchOptions { Size = (nuint)sizeof(LibbpfNative.MapBatchOptions) };
        int result;
        fixed (TKey* k = keys)
        fixed (TValue* v = values)
            result = LibbpfNative.bpf_map_update_batch(_fd, k, v, &count, &options);
        if (result >= 0)
            return;
        if (-result is not (ErrnoNames.Einval or ErrnoNames.Enotsupp))
            throw new BpfException("writing map", _name, -result);
        for (int i = 0; i < keys.Length; i++)
            Set(keys[i], values[i]);
    }

    /// <summary>Removes a key.</summary>
    /// <returns>False where it was not there.</returns>
    public bool Remove(in TKey key)
    {
        fixed (TKey* k = &key)
            return Found("removing from", LibbpfNative.bpf_map_delete_elem(_fd, k));
    }

    /// <summary>
    /// Reads all pairs. Programs may change the map meanwhile: a key that is there all the time is seen once, others may or may not be.
    /// </summary>
    public List<KeyValuePair<TKey, TValue>> Entries()
    {
        var entries = new List<KeyValuePair<TKey, TValue>>();
        // A hash bucket must fit into a batch (ENOSPC otherwise), so the batch grows when it has to.
        for (int size = BatchKeys; ; size *= 4)
        {
            entries.Clear();
            int result = ReadBatches(entries, size);
            if (result == 0)
                return entries;
            if (result == -28 /* ENOSPC */)
                continue;
            entries.Clear();
            foreach (var key in Keys())
            {
                if (TryGet(key, out var value))
                    entries.Add(new(key, value));
            }

            return entries;
        }
    }

    /// <summary>Removes all keys.</summary>
    public void Clear()
    {
        foreach (var key in Keys())
            Remove(key);
    }

    private List<TKey> Keys()
    {
        var keys = new List<TKey>();
        TKey previous = default;
        TKey next;
        int result = LibbpfNative.bpf_map_get_next_key(_fd, null, &next);
        while (result == 0)
        {
            keys.Add(next);
            previous = next;
            result = LibbpfNative.bpf_map_get_next_key(_fd, &previous, &next);
        }

        return keys;
    }

    private int ReadBatches(List<KeyValuePair<TKey, TValue>> entries, int size)
    {
        var keys = ArrayPool<TKey>.Shared.Rent(size);
        var values = ArrayPool<TValue>.Shared.Rent(size);
        try
        {
            // The position is the kernel's own: a bucket number for hash maps, never more than a key or four bytes.
            byte* position = stackalloc byte[Math.Max(sizeof(TKey), sizeof(ulong))];
            bool first = true;
            var options = new LibbpfNative.MapBatchOptions { Size = (nuint)sizeof(LibbpfNative.MapBatchOptions) };
            while (true)
            {
                uint count = (uint)size;
                int result;
                fixed (TKey* k = keys)
                fixed (TValue* v = values)
                    result = LibbpfNative.bpf_map_lookup_batch(_fd, first ? null : position, position, k, v, &count, &options);
                bool ended = -result == ErrnoNames.Enoent;
                if (result < 0 && !ended)
                    return result;
                for (int i = 0; i < count; i++)
                    entries.Add(new(keys[i], values[i]));
                if (ended)
                    return 0;
                first = false;
            }
        }
        finally
        {
            ArrayPool<TKey>.Shared.Return(keys);
            ArrayPool<TValue>.Shared.Return(values);
        }
    }

    private bool Found(string operation, int result)
    {
        if (result == 0)
            return true;
        return -result == ErrnoNames.Enoent ? false : throw new BpfException(operation + " map", _name, -result);
    }
}
