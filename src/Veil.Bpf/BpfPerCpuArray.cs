using System.Runtime.CompilerServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>A typed view of an array that has a value for each CPU. Linux 4.6.</summary>
/// <typeparam name="TValue">One CPU's value, laid out as in C.</typeparam>
public readonly unsafe struct BpfPerCpuArray<TValue>
    where TValue : unmanaged
{
    private readonly BpfMap _map;

    /// <summary>Looks at a map of a loaded object.</summary>
    /// <exception cref="ArgumentException">The size of the value differs, or it is no per-CPU array.</exception>
    public BpfPerCpuArray(BpfMap map)
    {
        if (map.Type != BpfMapType.PerCpuArray || map.ValueSize != sizeof(TValue))
            throw new ArgumentException($"map {map.Name} is {map.Type} with values of {map.ValueSize} bytes, not a per-CPU array of {sizeof(TValue)}", nameof(map));
        _map = map;
    }

    /// <summary>Reads every CPU's value of an element.</summary>
    /// <param name="index">The element.</param>
    /// <param name="perCpu">Takes the values; as long as <see cref="KernelFeatures.PossibleCpuCount"/>.</param>
    public void Read(int index, Span<TValue> perCpu)
    {
        int result = PossibleCpus.Read(_map.Fd, &index, perCpu);
        if (result < 0)
            throw new BpfException("reading map", _map.Name, -result);
    }
}

/// <summary>What all per-CPU maps share.</summary>
internal static unsafe class PossibleCpus
{
    private const int StackBytesMax = 4096;

    /// <summary>Reads an element: the kernel hands over each CPU's value padded to eight bytes.</summary>
    public static int Read<TValue>(int fd, void* key, Span<TValue> perCpu)
        where TValue : unmanaged
    {
        int stride = (sizeof(TValue) + 7) & ~7;
        int bytes = stride * KernelFeatures.PossibleCpuCount;
        if (perCpu.Length < KernelFeatures.PossibleCpuCount)
            throw new ArgumentException($"room for {KernelFeatures.PossibleCpuCount} values is needed", nameof(perCpu));
        byte[]? rented = bytes > StackBytesMax ? System.Buffers.ArrayPool<byte>.Shared.Rent(bytes) : null;
        Span<byte> raw = rented ?? stackalloc byte[StackBytesMax];
        int result;
        fixed (byte* target = raw)
            result = LibbpfNative.bpf_map_lookup_elem(fd, key, target);
        for (int cpu = 0; result == 0 && cpu < KernelFeatures.PossibleCpuCount; cpu++)
            perCpu[cpu] = Unsafe.ReadUnaligned<TValue>(ref raw[cpu * stride]);
        if (rented is not null)
            System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        return result;
    }
}
