using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Filters;

/// <summary>
/// A dimension in the kernel, of one module, with the keys that it holds. It can be changed while programs run: at every
/// instant an event is decided by the keys before the change or by those after it. One thread at a time.
/// </summary>
public sealed class FilterMap
{
    private readonly BpfObject _object;
    private readonly BpfMap _map;
    private readonly uint _counter;
    private Dictionary<FilterKey, FilterBits> _keys = new(FilterKeyByBits.Instance);

    /// <summary>Finds the dimension in a loaded object.</summary>
    /// <param name="bpfObject">The object.</param>
    /// <param name="dimension">One of its dimensions.</param>
    /// <param name="counter">As given to <see cref="Configure"/>.</param>
    public FilterMap(BpfObject bpfObject, FilterDimension dimension, uint counter)
    {
        _object = bpfObject;
        _counter = counter;
        Dimension = dimension;
        _map = bpfObject.Map("filter_" + dimension.Name);
    }

    /// <summary>What it compares.</summary>
    public FilterDimension Dimension { get; }

    /// <summary>The keys, each allowed, denied or both.</summary>
    public IReadOnlyDictionary<FilterKey, FilterBits> Keys => _keys;

    /// <summary>
    /// Has the kernel take memory for keys as they come, where tracing programs may have such maps without a warning in its log
    /// (Linux 6.1): all the room at once costs megabytes and a good part of the time to attach.
    /// </summary>
    /// <param name="bpfObject">Not loaded yet.</param>
    /// <param name="dimension">One of its dimensions.</param>
    /// <param name="counter">Where in <c>filter_counts</c> its decisions are counted; 0: nowhere.</param>
    public static void Configure(BpfObject bpfObject, FilterDimension dimension, uint counter)
    {
        bpfObject.TrySetGlobal($"filter_{dimension.Name}_counter", counter);
        const uint noPreallocation = 1; // BPF_F_NO_PREALLOC
        if (KernelFeatures.KernelVersion >= new Version(6, 1))
            bpfObject.Map("filter_" + dimension.Name).SetFlags(noPreallocation);
    }

    /// <summary>The counter of a dimension by its place among those of its module.</summary>
    public static uint CounterOf(int index) => (uint)(index + 1) * 2;

    /// <summary>What it let through and what it dropped while it held keys; nothing where that is not counted. From any thread.</summary>
    public (ulong Passed, ulong Dropped)? Counts()
    {
        if (_counter == 0)
            return null;
        var counts = new BpfPerCpuArray<ulong>(_object.Map("filter_counts"));
        return (Sum(counts, _counter + 1), Sum(counts, _counter));

        static ulong Sum(BpfPerCpuArray<ulong> counts, uint slot)
        {
            var perCpu = new ulong[KernelFeatures.PossibleCpuCount];
            counts.Read((int)slot, perCpu);
            return perCpu.Aggregate(0ul, static (sum, count) => sum + count);
        }
    }

    /// <summary>Puts keys in place of those that are there, in the order of <see cref="FilterChange"/>.</summary>
    /// <param name="wanted">None of them without a bit.</param>
    /// <exception cref="BpfException">The kernel has no room; what was there before is in force.</exception>
    public void Replace(IReadOnlyDictionary<FilterKey, FilterBits> wanted)
    {
        try
        {
            Store(_keys, wanted);
        }
        catch (BpfException)
        {
            Store(wanted, _keys);
            throw;
        }

        _keys = new(wanted, FilterKeyByBits.Instance);
    }

    private void Store(IReadOnlyDictionary<FilterKey, FilterBits> before, IReadOnlyDictionary<FilterKey, FilterBits> after)
    {
        foreach (var store in FilterChange.Plan(Dimension, _map.KeySize, before, after))
            Store(store);
    }

    private void Store(in FilterStore store)
    {
        switch (store.Kind)
        {
            case FilterStoreKind.SetKey:
                Set(store.Key, (FilterBits)store.Value);
                break;
            case FilterStoreKind.RemoveKey:
                Remove(store.Key);
                break;
            case FilterStoreKind.Hint:
                Volatile.Write(ref Global<ulong>("hint"), store.Value);
                break;
            case FilterStoreKind.Single:
                Volatile.Write(ref Global<ulong>("single"), store.Value);
                break;
            case FilterStoreKind.Mode:
                Volatile.Write(ref Global<uint>("mode"), (uint)store.Value);
                break;
            case FilterStoreKind.NameLengths:
                Volatile.Write(ref Global<uint>("lengths"), (uint)store.Value);
                break;
            case FilterStoreKind.NameGeneration:
                Interlocked.Increment(ref Global<uint>("generation"));
                break;
            case FilterStoreKind.Grace:
                GracePeriod.Wait();
                break;
        }
    }

    private ref T Global<T>(string part)
        where T : unmanaged => ref _object.Global<T>($"filter_{Dimension.Name}_{part}");

    private void Set(in FilterKey key, FilterBits bits)
    {
        switch (_map.KeySize)
        {
            case sizeof(uint):
                new BpfHashMap<uint, FilterBits>(_map).Set((uint)key.Bits, bits);
                break;
            case sizeof(ulong):
                new BpfHashMap<ulong, FilterBits>(_map).Set((ulong)key.Bits, bits);
                break;
            case 16:
                new BpfHashMap<UInt128, FilterBits>(_map).Set(key.Bits, bits);
                break;
            default:
                throw NoSuchKeySize();
        }
    }

    private void Remove(in FilterKey key) => _ = _map.KeySize switch
    {
        sizeof(uint) => new BpfHashMap<uint, FilterBits>(_map).Remove((uint)key.Bits),
        sizeof(ulong) => new BpfHashMap<ulong, FilterBits>(_map).Remove((ulong)key.Bits),
        16 => new BpfHashMap<UInt128, FilterBits>(_map).Remove(key.Bits),
        _ => throw NoSuchKeySize(),
    };

    private InvalidOperationException NoSuchKeySize() => new($"no filter key has {_map.KeySize} bytes");
}
