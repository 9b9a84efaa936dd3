using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Core.Filters;

/// <summary>
/// A dimension in the kernel, of one module, with the keys that it holds. It can be changed while programs run: at every
/// instant an event is decided by the keys before the change or by those after it. One thread at a time.
/// </summary>
public sealed class FilterMap
{
    private const ulong Single = 1UL << 32; // VEIL_SINGLE
    private const int HintBits = 64;

    private readonly BpfObject _object;
    private readonly BpfMap _map;
    private Dictionary<FilterKey, FilterBits> _keys = new(FilterKeyByBits.Instance);

    /// <summary>Finds the dimension in a loaded object.</summary>
    public FilterMap(BpfObject bpfObject, FilterDimension dimension)
    {
        _object = bpfObject;
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
    public static void Configure(BpfObject bpfObject, FilterDimension dimension)
    {
        const uint noPreallocation = 1; // BPF_F_NO_PREALLOC
        if (KernelFeatures.KernelVersion >= new Version(6, 1))
            bpfObject.Map("filter_" + dimension.Name).SetFlags(noPreallocation);
    }

    /// <summary>Puts keys in place of those that are there.</summary>
    /// <param name="wanted">None of them without a bit.</param>
    /// <exception cref="BpfException">The kernel has no room; what was there before is in force.</exception>
    public void Replace(IReadOnlyDictionary<FilterKey, FilterBits> wanted)
    {
        var before = ModeOf(_keys);
        var after = ModeOf(wanted);
        ref ulong hint = ref Global<ulong>("hint");

        // While keys come and go, each is looked up, and no hint hides one.
        bool hasSingle = _map.KeySize == sizeof(uint);
        if (hasSingle)
            Volatile.Write(ref Global<ulong>("single"), 0);
        Volatile.Write(ref hint, HintOf(_keys) | HintOf(wanted));
        if (Dimension is NameDimension)
            SetNameLengths(NameLengthsOf(_keys) | NameLengthsOf(wanted));

        // An allow set counts no more before its keys go, and counts once they are all there.
        SetMode(before & after);
        if ((before & ~after) != FilterBits.None)
            WaitForPrograms(); // those that have read the old mode still look for its keys
        try
        {
            Move(_keys, wanted);
        }
        catch (BpfException)
        {
            Move(wanted, _keys);
            SetMode(before);
            throw;
        }

        SetMode(after);
        Volatile.Write(ref hint, HintOf(wanted));
        if (Dimension is NameDimension)
            SetNameLengths(NameLengthsOf(wanted));
        if (hasSingle && wanted.Count == 1)
            Volatile.Write(ref Global<ulong>("single"), Single | (ulong)wanted.Keys.First().Bits);
        _keys = new(wanted, FilterKeyByBits.Instance);
    }

    // membarrier(2) over all threads of the machine is a grace period of RCU, and programs run inside one. Where it is refused
    // (nohz_full), a time that no program takes.
    private static void WaitForPrograms()
    {
        const int global = 1; // MEMBARRIER_CMD_GLOBAL
        nint number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 283 : 324;
        if (LibC.Syscall(number, global, 0, 0, 0, 0) != 0)
            Thread.Sleep(10);
    }

    private void Move(IReadOnlyDictionary<FilterKey, FilterBits> from, IReadOnlyDictionary<FilterKey, FilterBits> to)
    {
        foreach (var (key, bits) in to)
        {
            if (!from.TryGetValue(key, out var held) || held != bits)
                Set(key, bits);
        }

        foreach (var key in from.Keys)
        {
            if (!to.ContainsKey(key))
                Remove(key);
        }
    }

    private void SetMode(FilterBits mode)
    {
        Volatile.Write(ref Global<uint>("mode"), (uint)mode);
        // What was found out about names so far holds no more.
        if (Dimension is NameDimension)
            Interlocked.Increment(ref _object.Global<uint>("filter_name_generation"));
    }

    private void SetNameLengths(uint lengths) => Volatile.Write(ref _object.Global<uint>("filter_name_lengths"), lengths);

    private ref T Global<T>(string part)
        where T : unmanaged => ref _object.Global<T>($"filter_{Dimension.Name}_{part}");

    private static FilterBits ModeOf(IReadOnlyDictionary<FilterKey, FilterBits> keys) => keys.Values.Aggregate(FilterBits.None, static (mode, bits) => mode | bits);

    private static ulong HintOf(IReadOnlyDictionary<FilterKey, FilterBits> keys) => keys.Keys.Aggregate(0UL, static (hint, key) => hint | (1UL << (int)(key.Bits % HintBits)));

    private static uint NameLengthsOf(IReadOnlyDictionary<FilterKey, FilterBits> keys) => keys.Keys.Aggregate(0u, static (lengths, key) => lengths | (1u << NameDimension.LengthOf(key)));

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
