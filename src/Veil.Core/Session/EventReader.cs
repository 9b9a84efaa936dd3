using System.Buffers.Binary;
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Modules;
using Veil.Core.Sinks;

namespace Veil.Core.Session;

/// <summary>Moves events from the ring through the pipeline, straight out of the mapped memory.</summary>
internal sealed class EventReader(RingBuffer ring, EventCatalog catalog, EventFilter?[] filters, IEventSink sink, OutputBuffer buffer)
{
    // The producers see free space late if it is given back late, and the cache line bounces if it is given back often.
    private const int ReleaseEveryBytes = 64 * 1024;

    private readonly EventHeader _header = catalog.Header;

    private readonly ulong[] _taken = new ulong[catalog.Schemas.Count];

    /// <summary>Events handed to the sink.</summary>
    public ulong Taken => catalog.Sum(_taken);

    /// <summary>Those of one module. May be asked from another thread, and is then a moment old.</summary>
    /// <param name="module">Its number in the session.</param>
    public ulong TakenOf(int module) => catalog.Sum(_taken, module);

    /// <summary>Events that a filter in userspace dropped.</summary>
    public ulong Dropped { get; private set; }

    /// <summary>Takes all that is in the ring now, and flushes.</summary>
    public void Drain()
    {
        int unreleased = 0;
        try
        {
            while (ring.TryRead(out var record))
            {
                Deliver(record);
                unreleased += record.Length;
                if (unreleased >= ReleaseEveryBytes)
                {
                    ring.Release();
                    unreleased = 0;
                }
            }
        }
        finally
        {
            ring.Release();
        }

        buffer.Flush();
    }

    /// <summary>Counts what is in the ring now, and throws it away: there is no output any more.</summary>
    public ulong Discard()
    {
        ulong count = 0;
        while (ring.TryRead(out _))
            count++;
        ring.Release();
        return count;
    }

    private void Deliver(ReadOnlySpan<byte> record)
    {
        if (record.Length < _header.SizeBytes)
            throw new VeilException($"reading the ring: a record of {record.Length} bytes, but every event has at least {_header.SizeBytes}");
        var schema = catalog.Find(BinaryPrimitives.ReadUInt32LittleEndian(record[_header.KindOffset..]));
        if (record.Length < schema.SizeBytes)
            throw new VeilException($"reading the ring: a record of {record.Length} bytes for an event of {schema.SizeBytes} of module {schema.Module}");
        var view = new EventView { Record = record, Schema = schema };
        if (filters[schema.Index] is { } filter && !filter.Passes(ref view))
        {
            Dropped++;
            return;
        }

        sink.Write(ref view);
        _taken[schema.Index]++;
    }
}
