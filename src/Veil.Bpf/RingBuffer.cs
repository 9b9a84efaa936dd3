using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// The reading end of a BPF ring buffer: records are handed out where the kernel wrote them. One thread reads. Linux 5.8.
/// </summary>
/// <remarks>The layout is that of kernel/bpf/ringbuf.c: a page for the consumer's position, one for the producer's, the data twice in a row.</remarks>
public sealed unsafe class RingBuffer : IDisposable
{
    private readonly MappedRegion _consumer;
    private readonly MappedRegion _producer;
    private readonly BpfMapHandle _map;
    private RingCursor _cursor;

    /// <summary>Maps the ring into this process.</summary>
    /// <param name="map">The map; it stays the caller's and must live as long.</param>
    /// <param name="sizeBytes">Its size.</param>
    /// <exception cref="BpfException">It cannot be mapped.</exception>
    public RingBuffer(BpfMapHandle map, int sizeBytes)
    {
        CheckSize(sizeBytes);
        _map = map;
        SizeBytes = sizeBytes;
        nuint page = (nuint)Environment.SystemPageSize;
        _consumer = MappedRegion.Map(map.Fd, page, LibC.ProtRead | LibC.ProtWrite, 0, "the ring's consumer page");
        try
        {
            _producer = MappedRegion.Map(map.Fd, page + (2 * (nuint)sizeBytes), LibC.ProtRead, (nint)page, "the ring");
        }
        catch
        {
            _consumer.Dispose();
            throw;
        }

        _cursor = new RingCursor((ulong*)_consumer.Address, (ulong*)_producer.Address, (byte*)_producer.Address + page, (ulong)sizeBytes - 1);
    }

    /// <summary>Bytes that it holds.</summary>
    public int SizeBytes { get; }

    /// <summary>Bytes that are taken now, with the records' headers and those still being written.</summary>
    public long PendingBytes => _cursor.PendingBytes;

    /// <summary>For <c>poll()</c>: readable when a program asked for a wake-up and the ring holds something.</summary>
    public int PollFd => _map.Fd;

    /// <summary>Creates a ring.</summary>
    /// <param name="sizeBytes">A power of two, a multiple of the page.</param>
    /// <param name="name">Its name in the kernel.</param>
    /// <exception cref="ArgumentException">The size cannot be.</exception>
    /// <exception cref="UnsupportedByKernelException">The kernel is older than 5.8.</exception>
    public static BpfMapHandle CreateMap(int sizeBytes, string name = "veil_ring")
    {
        CheckSize(sizeBytes);
        return BpfMap.Create(BpfMapType.RingBuffer, name, 0, 0, sizeBytes);
    }

    /// <summary>Steps to the next finished record.</summary>
    /// <param name="record">The record, valid until <see cref="Release"/>. The memory is read-only.</param>
    /// <returns>False where there is none now, or where the next one is still being written.</returns>
    public bool TryRead(out ReadOnlySpan<byte> record) => _cursor.TryRead(out record);

    /// <summary>Gives the space of all records read so far back to the programs.</summary>
    public void Release() => _cursor.Release();

    /// <inheritdoc/>
    public void Dispose()
    {
        // What was handed out is gone now: a read after this must not reach the old memory.
        _cursor = default;
        _producer.Dispose();
        _consumer.Dispose();
    }

    private static void CheckSize(int sizeBytes)
    {
        if (!int.IsPow2(sizeBytes) || sizeBytes % Environment.SystemPageSize != 0)
            throw new ArgumentException($"a ring has a power of two of bytes, at least a page of {Environment.SystemPageSize}", nameof(sizeBytes));
    }
}
