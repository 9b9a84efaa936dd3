using Veil.Bpf;

namespace Veil.Core.Filters;

/// <summary>A dimension in the kernel, of one module.</summary>
public sealed class FilterMap
{
    private const ulong Single = 1UL << 32; // VEIL_SINGLE

    private readonly BpfObject _object;
    private readonly FilterDimension _dimension;
    private readonly BpfMap _map;

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

    /// <summary>Finds the dimension in a loaded object.</summary>
    public FilterMap(BpfObject bpfObject, FilterDimension dimension)
    {
        _object = bpfObject;
        _dimension = dimension;
        _map = bpfObject.Map("filter_" + dimension.Name);
    }

    /// <summary>Puts keys in. The mode comes last, so that an allow set counts only when it is whole.</summary>
    public void Apply(FilterExpression expression)
    {
        const int hintBits = 64;
        var mode = FilterBits.None;
        ulong hint = 0;
        uint nameLengths = 0;
        foreach (var (key, bits) in expression.Bits)
        {
            Set(key, bits);
            mode |= bits;
            hint |= 1UL << (int)(key.Bits % hintBits);
            if (_dimension is NameDimension)
                nameLengths |= 1u << NameDimension.LengthOf(key);
        }

        if (_dimension is NameDimension)
        {
            _object.SetGlobal("filter_name_lengths", nameLengths);
            Interlocked.Increment(ref _object.Global<uint>("filter_name_generation"));
        }

        _object.SetGlobal($"filter_{_dimension.Name}_hint", hint);
        if (_map.KeySize == sizeof(uint) && expression.Bits.Count == 1)
            _object.SetGlobal($"filter_{_dimension.Name}_single", Single | (ulong)expression.Bits.Keys.First().Bits);
        _object.SetGlobal($"filter_{_dimension.Name}_mode", (uint)mode);
    }

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
                throw new InvalidOperationException($"no filter key has {_map.KeySize} bytes");
        }
    }
}
