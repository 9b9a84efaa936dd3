using System.Runtime.CompilerServices;

namespace Veil.Bpf;

/// <summary>
/// Walks the records of a ring in memory; knows nothing of where the memory comes from.
/// </summary>
/// <remarks>
/// A record is a header of eight bytes (length with two flags, page offset) and its data, padded to eight. The header's busy flag is
/// cleared with release semantics when the record is finished (bpf_ringbuf_commit), so it is read with acquire.
/// </remarks>
internal unsafe struct RingCursor(ulong* consumerPosition, ulong* producerPosition, byte* data, ulong mask)
{
    private const uint Busy = 1u << 31;
    private const uint Discarded = 1u << 30;
    private const uint HeaderBytes = 8;

    private ulong _position = Volatile.Read(ref *consumerPosition);
    private ulong _produced;
    private ulong _released;

    public readonly long PendingBytes => producerPosition is null ? 0 : (long)(Volatile.Read(ref *producerPosition) - Volatile.Read(ref *consumerPosition));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(out ReadOnlySpan<byte> record)
    {
        while (true)
        {
            // The producers' cache line is looked at only when what was seen of it is used up.
            if (_position >= _produced && !Refresh())
            {
                record = default;
                return false;
            }

            byte* header = data + (_position & mask);
            uint length = Volatile.Read(ref *(uint*)header);
            if ((length & Busy) != 0)
            {
                record = default;
                return false;
            }

            uint size = length & ~Discarded;
            _position += (size + HeaderBytes + 7) & ~7UL;
            if ((length & Discarded) != 0)
                continue;
            record = new ReadOnlySpan<byte>(header + HeaderBytes, (int)size);
            return true;
        }
    }

    public void Release()
    {
        if (_released == _position || consumerPosition is null)
            return;
        _released = _position;
        Volatile.Write(ref *consumerPosition, _position);
    }

    private bool Refresh()
    {
        if (producerPosition is null)
            return false;
        _produced = Volatile.Read(ref *producerPosition);
        return _position < _produced;
    }
}
