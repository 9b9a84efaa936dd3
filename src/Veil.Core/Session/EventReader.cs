using System.Buffers.Binary;
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Modules;
using Veil.Core.Sinks;

namespace Veil.Core.Session;

/// <summary>Moves events from the ring through the pipeline, straight out of the mapped memory.</summary>
internal sealed class EventReader(RingBuffer[] rings, EventCatalog catalog, EventFilter?[] filters, IEventSink sink, OutputBuffer buffer)
{
    // The producers see free space late if it is given back late, and the cache line bounces if it is given back often.
    private const int ReleaseEveryBytes = 64 * 1024;

    // A small ring gives back in parts, too: users that do not flood have a share of each (veil_admit() in emit.bpf.h).
    private const int ReleasesARound = 16;

    private readonly EventHeader _header = catalog.Header;
    private readonly RingMerge? _merge = rings.Length > 1 ? new RingMerge(rings, catalog.Header.TimestampOffset) : null;

    private readonly ulong[] _taken = new ulong[catalog.Schemas.Count];
    private readonly ulong[] _damaged = new ulong[catalog.Schemas.Count];

    /// <summary>Events handed to the sink.</summary>
    public ulong Taken => catalog.Sum(_taken);

    /// <summary>Those of one module. May be asked from another thread, and is then a moment old.</summary>
    /// <param name="module">Its number in the session.</param>
    public ulong TakenOf(int module) => catalog.Sum(_taken, module);

    /// <summary>Events that a filter in userspace dropped.</summary>
    public ulong Dropped { get; private set; }

    /// <summary>Is something held back until no earlier event can come?</summary>
    public bool Holds => _merge is { Holds: true };

    /// <summary>Takes all that is there now, and flushes. Of several rings what is too young to be in order waits for the next time.</summary>
    /// <param name="last">Nothing more will come.</param>
    public void Drain(bool last)
    {
        if (_merge is null)
            DrainOne(rings[0]);
        else
            DrainMerged(_merge, last);
        buffer.Flush();
    }

    /// <summary>Counts what is there now, and throws it away: there is no output any more.</summary>
    public ulong Discard()
    {
        ulong count = 0;
        if (_merge is not null)
        {
            _merge.Begin(last: true);
            while (_merge.TryRead(out _))
                count++;
            _merge.End();
            return count;
        }

        while (rings[0].TryRead(out _))
            count++;
        rings[0].Release();
        return count;
    }

    /// <summary>Names the records that were not what their events should be, since the last call.</summary>
    public void CollectLosses(ILossObserver observer)
    {
        foreach (var schema in catalog.Schemas)
        {
            if (_damaged[schema.Index] is var count && count > 0)
                observer.Lost(schema.Module, "read_failed", new LossCount(count, []));
            _damaged[schema.Index] = 0;
        }
    }

    /// <summary>Takes one record.</summary>
    internal void Deliver(ReadOnlySpan<byte> record)
    {
        if (record.Length < _header.SizeBytes)
            throw new VeilException($"reading the ring: a record of {record.Length} bytes, but every event has at least {_header.SizeBytes}");
        var schema = catalog.Find(BinaryPrimitives.ReadUInt32LittleEndian(record[_header.KindOffset..]));
        if (!schema.IsWhole(record))
        {
            _damaged[schema.Index]++;
            return;
        }

        var view = new EventView { Record = record, Schema = schema };
        if (filters[schema.Index] is { } filter && !filter.Passes(ref view))
        {
            Dropped++;
            return;
        }

        // Before the sink, which throws where the output fails: this event is then one of those that were not written.
        _taken[schema.Index]++;
        sink.Write(ref view);
    }

    private void DrainOne(RingBuffer ring)
    {
        int unreleased = 0, releaseEvery = Math.Min(ReleaseEveryBytes, ring.SizeBytes / ReleasesARound);
        try
        {
            while (!buffer.IsComplete && ring.TryRead(out var record))
            {
                Deliver(record);
                unreleased += record.Length;
                if (unreleased >= releaseEvery)
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
    }

    private void DrainMerged(RingMerge merge, bool last)
    {
        merge.Begin(last);
        try
        {
            while (!buffer.IsComplete && merge.TryRead(out var record))
                Deliver(record);
        }
        finally
        {
            merge.End();
        }
    }
}
