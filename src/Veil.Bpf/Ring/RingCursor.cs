// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Veil.Bpf;

/// <summary>
/// Walks the records of a BPF ring buffer, wherever its memory is. A record is a header of 8 bytes (u32 length with two flags, u32 page
/// offset that is the kernel's own business) and its data, rounded up to 8 bytes. The data area appears twice in a row, so a record never
/// wraps (kernel/bpf/ringbuf.c).
/// </summary>
/// <remarks>
/// Positions only grow; modulo the size they are offsets. The kernel publishes a record by clearing the busy bit with a release store
/// after it has moved the producer position at reservation, hence: acquire the position, acquire the header, then read the data.
/// </remarks>
[StructLayout(LayoutKind.Auto)]
internal unsafe struct RingCursor
{
    internal const uint BusyBit = 1u << 31;
    internal const uint DiscardBit = 1u << 30;
    internal const int HeaderSize = 8;

    private readonly nuint* _consumer;
    private readonly nuint* _producer;
    private readonly byte* _data;
    private readonly nuint _mask;
    private nuint _position;
    private nuint _producerSeen;

    /// <summary>Starts at the published consumer position.</summary>
    /// <param name="consumer">The reader's position; only this side writes it.</param>
    /// <param name="producer">The kernel's position.</param>
    /// <param name="data">Twice <paramref name="size"/> bytes, the second half a mirror of the first.</param>
    /// <param name="size">A power of two.</param>
    internal RingCursor(nuint* consumer, nuint* producer, byte* data, nuint size)
    {
        _consumer = consumer;
        _producer = producer;
        _data = data;
        _mask = size - 1;
        _position = Volatile.Read(ref *consumer);
        _producerSeen = _position;
    }

    /// <summary>Whether the next step has to look at shared memory; false while known records are left.</summary>
    internal readonly bool IsAtKnownEnd
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _position == _producerSeen;
    }

    /// <summary>Bytes between the published consumer position and the producer's, headers included.</summary>
    internal readonly nuint Pending => Volatile.Read(ref *_producer) - Volatile.Read(ref *_consumer);

    /// <summary>Reads the producer position; false if there is nothing new.</summary>
    internal bool Refresh()
    {
        _producerSeen = Volatile.Read(ref *_producer);
        return _position != _producerSeen;
    }

    /// <summary>The next committed record. Call only with records left (<see cref="IsAtKnownEnd"/> false).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryNext(out byte* data, out int length)
    {
        byte* header = _data + (_position & _mask);
        uint word = Volatile.Read(ref *(uint*)header);
        // One comparison catches the busy bit, the discard bit and a length that no record can have.
        if (word <= _mask)
        {
            _position += Advance(word);
            data = header + HeaderSize;
            length = (int)word;
            return true;
        }

        return TryNextSlow(out data, out length);
    }

    /// <summary>
    /// Gives everything before the cursor back to the kernel: a release store, so that all reads of the records come before it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void Release() => Volatile.Write(ref *_consumer, _position);

    /// <summary>Makes the next call look at shared memory.</summary>
    internal void ForgetProducer() => _producerSeen = _position;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Advance(uint length) => ((nuint)length + HeaderSize + 7) & ~(nuint)7;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryNextSlow(out byte* data, out int length)
    {
        data = null;
        length = 0;
        while (_position != _producerSeen || Refresh())
        {
            byte* header = _data + (_position & _mask);
            uint word = Volatile.Read(ref *(uint*)header);
            if ((word & BusyBit) != 0)
                return false;
            uint size = word & ~DiscardBit;
            if (size > _mask)
                throw new BpfException("reading ring buffer", "", $"a record claims {size} bytes", hint: "a ring has one reader only");
            _position += Advance(size);
            if ((word & DiscardBit) != 0)
                continue;
            data = header + HeaderSize;
            length = (int)size;
            return true;
        }

        return false;
    }
}
