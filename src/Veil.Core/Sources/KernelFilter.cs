// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Interop;

namespace Veil.Core.Sources;

/// <summary>The kernel's side of a filter, in the object of one module: the parts of <c>VEIL_FILTER</c>.</summary>
internal sealed class KernelFilter : IFilterStorage
{
    private readonly BpfObject _object;
    private readonly string _prefix;
    private readonly uint _counter;

    // One of the three. Made once: each asks the kernel for the map's facts.
    private readonly BpfHashMap<uint, FilterBits>? _words;
    private readonly BpfHashMap<ulong, FilterBits>? _longs;
    private readonly BpfHashMap<UInt128, FilterBits>? _wide;

    /// <summary>Finds the filter in a loaded object.</summary>
    /// <param name="bpfObject">The object.</param>
    /// <param name="dimension">One of its dimensions.</param>
    /// <param name="counter">As given to <see cref="Configure"/>.</param>
    public KernelFilter(BpfObject bpfObject, FilterDimension dimension, uint counter)
    {
        _object = bpfObject;
        _prefix = "filter_" + dimension.Name;
        _counter = counter;
        var map = bpfObject.Map(_prefix);
        KeyBytes = map.KeySize;
        switch (KeyBytes)
        {
            case sizeof(uint):
                _words = new(map);
                break;
            case sizeof(ulong):
                _longs = new(map);
                break;
            case 16:
                _wide = new(map);
                break;
            default:
                throw new InvalidOperationException($"no filter key has {KeyBytes} bytes");
        }
    }

    /// <summary>Bytes of a key.</summary>
    public int KeyBytes { get; }

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
        if (dimension is not PathDimension && KernelFeatures.KernelVersion >= new Version(6, 1))
            bpfObject.Map("filter_" + dimension.Name).SetFlags(noPreallocation);
    }

    /// <summary>The counter of a dimension by its place among those of its module.</summary>
    public static uint CounterOf(int index) => (uint)(index + 1) * 2;

    public (ulong Passed, ulong Dropped)? Counts() => CountsOf(_object, _counter);

    /// <summary>What a filter let through and what it dropped; nothing where that is not counted.</summary>
    public static (ulong Passed, ulong Dropped)? CountsOf(BpfObject bpfObject, uint counter)
    {
        if (counter == 0)
            return null;
        var counts = new BpfPerCpuArray<ulong>(bpfObject.Map("filter_counts"));
        return (Sum(counts, counter + 1), Sum(counts, counter));

        static ulong Sum(BpfPerCpuArray<ulong> counts, uint slot)
        {
            ulong[] perCpu = new ulong[KernelFeatures.PossibleCpuCount];
            counts.Read((int)slot, perCpu);
            return perCpu.Aggregate(0ul, static (sum, count) => sum + count);
        }
    }

    public void Replace(
        FilterDimension dimension, IReadOnlyDictionary<FilterKey, FilterBits> before, IReadOnlyDictionary<FilterKey, FilterBits> after)
    {
        foreach (var store in FilterChange.Plan(dimension, KeyBytes, before, after))
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
        where T : unmanaged => ref _object.Global<T>($"{_prefix}_{part}");

    private void Set(in FilterKey key, FilterBits bits)
    {
        _words?.Set((uint)key.Bits, bits);
        _longs?.Set((ulong)key.Bits, bits);
        _wide?.Set(key.Bits, bits);
    }

    private void Remove(in FilterKey key)
    {
        _ = _words?.Remove((uint)key.Bits);
        _ = _longs?.Remove((ulong)key.Bits);
        _ = _wide?.Remove(key.Bits);
    }
}
