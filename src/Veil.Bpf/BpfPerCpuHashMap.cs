using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A typed view of a hash map that has a value for each CPU. Linux 4.6.</summary>
/// <typeparam name="TKey">The key, laid out as in C.</typeparam>
/// <typeparam name="TValue">One CPU's value, laid out as in C.</typeparam>
public readonly unsafe struct BpfPerCpuHashMap<TKey, TValue>
    where TKey : unmanaged
    where TValue : unmanaged
{
    private readonly BpfMap _map;

    /// <summary>Looks at a map of a loaded object.</summary>
    /// <exception cref="ArgumentException">The sizes of key or value differ.</exception>
    public BpfPerCpuHashMap(BpfMap map)
    {
        if (map.KeySize != sizeof(TKey) || map.ValueSize != sizeof(TValue))
            throw new ArgumentException($"map {map.Name} has keys of {map.KeySize} and values of {map.ValueSize} bytes, not {sizeof(TKey)} and {sizeof(TValue)}", nameof(map));
        _map = map;
    }

    /// <summary>Reads every CPU's value of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="perCpu">Takes the values; as long as <see cref="KernelFeatures.PossibleCpuCount"/>.</param>
    /// <returns>False where the key is not there.</returns>
    public bool TryGet(in TKey key, Span<TValue> perCpu)
    {
        fixed (TKey* k = &key)
        {
            int result = PossibleCpus.Read(_map.Fd, k, perCpu);
            if (result < 0 && -result != ErrnoNames.Enoent)
                throw new BpfException("reading map", _map.Name, -result);
            return result == 0;
        }
    }

    /// <summary>Reads all keys. Programs may change the map meanwhile.</summary>
    public List<TKey> Keys()
    {
        var keys = new List<TKey>();
        TKey previous;
        TKey next;
        int result = LibbpfNative.bpf_map_get_next_key(_map.Fd, null, &next);
        while (result == 0)
        {
            keys.Add(next);
            previous = next;
            result = LibbpfNative.bpf_map_get_next_key(_map.Fd, &previous, &next);
        }

        return keys;
    }

    /// <summary>Removes a key.</summary>
    /// <returns>False where it was not there.</returns>
    public bool Remove(in TKey key)
    {
        fixed (TKey* k = &key)
        {
            int result = LibbpfNative.bpf_map_delete_elem(_map.Fd, k);
            if (result < 0 && -result != ErrnoNames.Enoent)
                throw new BpfException("removing from map", _map.Name, -result);
            return result == 0;
        }
    }
}
