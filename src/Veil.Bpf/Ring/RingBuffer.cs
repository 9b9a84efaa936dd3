// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// The reading side of a BPF ring buffer (BPF_MAP_TYPE_RINGBUF, 5.8; Documentation/bpf/ringbuf.rst). Records are read where the kernel
/// wrote them, without copying or allocating. One reader for each ring, on one thread at a time.
/// </summary>
/// <example>
/// <code>
/// while (ring.TryRead(out var record))
///     Format(record);
/// ring.Release();
/// </code>
/// </example>
public sealed unsafe class RingBuffer : IDisposable
{
    /// <summary>
    /// The kernel keeps the largest record below 1 GiB (RINGBUF_MAX_RECORD_SZ), and a ring of that size is the largest that an int can
    /// name.
    /// </summary>
    private const int MaxSizeBytes = 1 << 30;

    private readonly BpfMapHandle _map;
    private readonly MmapHandle _consumerPage;
    private readonly MmapHandle _producerPages;
    private RingCursor _cursor;
    private bool _disposed;

    /// <summary>Maps a ring into memory: one page for writing the consumer position, and one page plus twice the data read-only.</summary>
    /// <param name="map">The ring's map. Stays the caller's; its descriptor is kept open for as long as this reader lives.</param>
    /// <param name="sizeBytes">The size that the map was created with.</param>
    /// <exception cref="ArgumentException">The size cannot be a ring's, or the map is no ring of this size.</exception>
    /// <exception cref="BpfException">The kernel refused the mapping.</exception>
    public RingBuffer(BpfMapHandle map, int sizeBytes)
    {
        CheckSize(sizeBytes);
        var info = map.Info();
        if (info.Type != BpfMapType.RingBuffer || info.MaxEntries != sizeBytes)
            throw new ArgumentException(
                $"Map {info.Name} is of type {info.Type} and size {info.MaxEntries}, not a ring of {sizeBytes} bytes.", nameof(map));

        nuint page = (nuint)Environment.SystemPageSize;
        bool added = false;
        map.DangerousAddRef(ref added);
        try
        {
            _consumerPage = MmapHandle.Map(map.Fd, page, NativeFile.PROT_READ | NativeFile.PROT_WRITE, 0, "mapping ring buffer", info.Name);
            try
            {
                _producerPages = MmapHandle.Map(
                    map.Fd, page + 2 * (nuint)sizeBytes, NativeFile.PROT_READ, (nint)page, "mapping ring buffer", info.Name);
            }
            catch
            {
                _consumerPage.Dispose();
                throw;
            }
        }
        catch
        {
            map.DangerousRelease();
            throw;
        }

        _map = map;
        SizeBytes = sizeBytes;
        _cursor = new RingCursor(
            (nuint*)_consumerPage.Address, (nuint*)_producerPages.Address, (byte*)_producerPages.Address + page, (nuint)sizeBytes);
    }

    /// <summary>The size of the data area, in bytes. A record takes its own size plus 8 bytes, rounded up to 8.</summary>
    public int SizeBytes { get; }

    /// <summary>Bytes written and not yet released, including records still being written. A snapshot.</summary>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public long PendingBytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return (long)_cursor.Pending;
        }
    }

    /// <summary>A descriptor for poll(2) and epoll(7), readable while records are unreleased. It is the map's.</summary>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public int PollFd
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return (int)_map.DangerousGetHandle();
        }
    }

    /// <summary>Creates the map for a ring (5.8).</summary>
    /// <param name="sizeBytes">A power of two and a multiple of the page size, up to 1 GiB; the memory is allocated at once.</param>
    /// <param name="name">At most 15 letters, digits, <c>_</c> and <c>.</c>.</param>
    /// <exception cref="ArgumentException">The size or the name cannot be a ring's.</exception>
    /// <exception cref="UnsupportedByKernelException">The kernel has no ring buffers.</exception>
    /// <exception cref="BpfException">The kernel refused, for instance for lack of memory (ENOMEM) or privileges (EPERM).</exception>
    public static BpfMapHandle CreateMap(int sizeBytes, string name = "veil_ring")
    {
        CheckSize(sizeBytes);
        return BpfMap.Create(BpfMapType.RingBuffer, name, keySize: 0, valueSize: 0, sizeBytes);
    }

    /// <summary>Takes the next committed record; discarded ones are skipped.</summary>
    /// <param name="record">The record's data in the ring itself, valid until <see cref="Release"/> or <see cref="Dispose"/>.</param>
    /// <returns>False if there is none, or the next is still being written: records are read in the order of their reservation.</returns>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(out ReadOnlySpan<byte> record)
    {
        // The producer position bounces between CPUs: it is read again only when the cursor has caught up with it.
        if ((!_cursor.IsAtKnownEnd || Refresh()) && _cursor.TryNext(out byte* data, out int length))
        {
            record = MemoryMarshal.CreateReadOnlySpan(ref *data, length);
            return true;
        }

        record = default;
        return false;
    }

    /// <summary>
    /// Gives the space of all records read so far back to the kernel; their spans are invalid from then on. Cheap (one store), yet it
    /// takes the cache line from the producers: once a batch is enough.
    /// </summary>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    public void Release()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _cursor.Release();
    }

    /// <summary>Unmaps the ring. Records that were not released stay for the next reader.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        // TryRead checks for disposal only where it reads shared memory; this sends it there.
        _cursor.ForgetProducer();
        _consumerPage.Dispose();
        _producerPages.Dispose();
        _map.DangerousRelease();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Refresh()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _cursor.Refresh();
    }

    private static void CheckSize(int sizeBytes)
    {
        int page = Environment.SystemPageSize;
        if (sizeBytes < page || sizeBytes > MaxSizeBytes || (sizeBytes & (sizeBytes - 1)) != 0)
        {
            throw new ArgumentException(
                $"A ring has a power of two of bytes, from a page ({page}) to 1 GiB ({MaxSizeBytes}); {sizeBytes} is none.",
                nameof(sizeBytes));
        }
    }
}
