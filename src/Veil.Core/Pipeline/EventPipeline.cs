// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Budgets;
using Veil.Core.Enrichers;
using Veil.Core.Events;
using Veil.Core.Interop;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Output;
using Veil.Core.Sinks;

namespace Veil.Core.Pipeline;

/// <summary>
/// What a source gives its records and losses to, in their order: checks a record, asks the filter in userspace, drops it in a pause, and
/// hands the event on to the sink. Fed by one thread; paused, resumed and asked for its counters from any.
/// </summary>
internal sealed class EventPipeline : ILossObserver
{
    private const int ExportToldEveryMs = 60_000;

    private readonly EventCatalog _catalog;
    private readonly EventHeader _header;
    private readonly EventFilter?[] _filters;
    private readonly IEventSink _sink;
    private readonly Action<string> _message;
    private readonly Dictionary<LossKey, (ulong Count, long ToldMs)> _exportLosses = [];
    private readonly SortedDictionary<string, ulong> _leftOut = new(StringComparer.Ordinal);
    private readonly ulong[] _taken;
    private readonly ulong[] _damaged;
    private readonly ulong[] _droppedPaused;
    private ulong _left;
    private bool _paused;
    private bool _isBounded;
    private ulong _fromNs;
    private ulong _untilNs = ulong.MaxValue;

    /// <summary>Makes the pipeline.</summary>
    /// <param name="catalog">The events that come.</param>
    /// <param name="filters">By <see cref="EventSchema.Index"/>, where there is one.</param>
    /// <param name="sink">Where events go.</param>
    /// <param name="eventsMax">Events after which it takes no more; none: it always does.</param>
    /// <param name="message">Takes a line for the user, about losses that the sink has no place for.</param>
    public EventPipeline(EventCatalog catalog, EventFilter?[] filters, IEventSink sink, ulong? eventsMax, Action<string> message)
    {
        _catalog = catalog;
        _header = catalog.Header;
        _filters = filters;
        _sink = sink;
        _left = eventsMax ?? ulong.MaxValue;
        _message = message;
        _taken = new ulong[catalog.Schemas.Count];
        _damaged = new ulong[catalog.Schemas.Count];
        _droppedPaused = new ulong[catalog.Schemas.Count];
        FilterFlag = filters.OfType<EventFilter>().FirstOrDefault()?.Flag ?? "";
    }

    /// <summary>Makes the pipeline with a sink for each output. What some output wants to know beside the record is looked up once, for
    /// all.</summary>
    /// <param name="catalog">The events that come.</param>
    /// <param name="filters">By <see cref="EventSchema.Index"/>, where there is one.</param>
    /// <param name="outputs">At least one, or a recorder.</param>
    /// <param name="eventsMax">Events after which it takes no more; none: it always does.</param>
    /// <param name="message">Takes a line for the user, about losses that not every output has a place for.</param>
    /// <param name="names">Who knows what records do not hold.</param>
    /// <param name="others">Take the events too.</param>
    /// <param name="wanted">What these want to know.</param>
    public static EventPipeline To(
        IReadOnlyList<TraceOutput> outputs, EventCatalog catalog, EventFilter?[] filters, ulong? eventsMax, Action<string> message,
        EventNames names, IEnumerable<IEventSink>? others = null, Enrichments wanted = Enrichments.None)
    {
        var sinks = outputs.Select(output => LineSink.Create(catalog, output.Options, output.Output)).ToList();
        sinks.AddRange(others ?? []);
        var enrichments = outputs.Aggregate(wanted, static (all, output) => all | output.Options.Enrichments);
        var sink = sinks.Count == 1 ? sinks[0] : new SinkFork(sinks);
        if (enrichments != Enrichments.None)
            sink = new EnrichSink(sink, enrichments, catalog.Header, names);
        return new EventPipeline(catalog, filters, sink, eventsMax, message);
    }

    /// <summary>Events that passed the checks and the filter; those that came in a pause too.</summary>
    public ulong Taken => _catalog.Sum(_taken);

    /// <summary>Those of one module.</summary>
    /// <param name="module">Its number in the session.</param>
    public ulong TakenOf(int module) => _catalog.Sum(_taken, module);

    /// <summary>Events that every output has taken.</summary>
    public ulong Delivered => _sink.Delivered;

    /// <summary>Events that a filter in userspace dropped.</summary>
    public ulong DroppedByFilter { get; private set; }

    /// <summary>Events of cgroups that were made during the trace, which passed until the name of their container was known, and it was another
    /// one.</summary>
    public ulong DroppedByName { get; set; }

    /// <summary>The flag of that filter, with its dashes; empty where there is none.</summary>
    public string FilterFlag { get; }

    /// <summary>Does it drop events now?</summary>
    public bool Paused
    {
        get => Volatile.Read(ref _paused);
        // A full barrier, for TraceSession.Settle().
        set => Interlocked.Exchange(ref _paused, value);
    }

    /// <summary>Events dropped in all pauses so far.</summary>
    public ulong DroppedPaused => _catalog.Sum(_droppedPaused);

    /// <summary>Those of one module.</summary>
    /// <param name="module">Its number in the session.</param>
    public ulong DroppedPausedOf(int module) => _catalog.Sum(_droppedPaused, module);

    /// <summary>Has it handed on all the events that it may? Then nothing more must be delivered.</summary>
    public bool IsComplete => _left == 0;

    /// <summary>All losses so far.</summary>
    public LossTotals Losses { get; } = new();

    /// <summary>Events that were counted and not sent, by module, as far as notices told of them.</summary>
    public IReadOnlyDictionary<string, ulong> LeftOut => _leftOut;

    /// <summary>Called by a source now and then while it gives what there is, which may go on for as long as more comes.</summary>
    public Action? Beat { get; set; }

    /// <summary>Leaves events before a time to the trace that was there before this one. Before the first comes.</summary>
    public void TakeFrom(ulong timestampNs) => (_fromNs, _isBounded) = (timestampNs, _isBounded || timestampNs > 0);

    /// <summary>Leaves events from a time on to the trace that takes over. From any thread.</summary>
    public void TakeUntil(ulong timestampNs)
    {
        Volatile.Write(ref _untilNs, timestampNs);
        Volatile.Write(ref _isBounded, true);
    }

    /// <summary>Takes one record. It is valid only during the call.</summary>
    /// <exception cref="OutputException">The output takes no more.</exception>
    /// <exception cref="VeilException">It is no record of this session.</exception>
    public void Deliver(ReadOnlySpan<byte> record)
    {
        if (record.Length < _header.SizeBytes)
            throw new VeilException(
                $"reading the events: a record of {record.Length} bytes, but every event has at least {_header.SizeBytes}");
        var schema = _catalog.Find(BinaryPrimitives.ReadUInt32LittleEndian(record[_header.KindOffset..]));
        if (!schema.IsWhole(record))
        {
            _damaged[schema.Index]++;
            return;
        }

        var view = new EventView { Record = record, Schema = schema };
        if (_isBounded && BinaryPrimitives.ReadUInt64LittleEndian(record[_header.TimestampOffset..]) is var at
            && (at < _fromNs || at >= Volatile.Read(ref _untilNs)))
            return;
        if (_filters[schema.Index] is { } filter && !filter.Passes(ref view))
        {
            DroppedByFilter++;
            return;
        }

        // Before the sink, which throws where the output fails: this event is then one of those that were not written.
        _taken[schema.Index]++;
        if (_paused)
        {
            _droppedPaused[schema.Index]++;
            return;
        }

        _left--;
        _sink.Write(ref view);
    }

    public void Lost(LossKey key, LossCount lost)
    {
        if (lost.TimestampNs == 0)
            lost = lost with { TimestampNs = LibC.NowNs(LibC.ClockBoottime) };
        Losses.Add(key, lost);
        Tell(key, lost);
    }

    /// <summary>Tells what a trace with a budget has to say, at this place of the stream.</summary>
    public void Tell(BudgetNotice notice)
    {
        if (notice is SampledEvents { Seen: var seen, Sent: var sent } sampled && seen > sent)
            _leftOut[sampled.Module] = _leftOut.GetValueOrDefault(sampled.Module) + seen - sent;
        if (!_sink.Tell(notice))
            _message(notice.Text);
    }

    private void Tell(LossKey key, LossCount lost)
    {
        if (!_sink.Lost(key, lost))
            _message($"lost {lost.Count} events of {key}{lost.UsersText}");
    }

    /// <summary>Counts events that an export lost. As long as its receiver is away that goes on: it is told at once, and then once a
    /// minute.</summary>
    public void LostByExport(LossKey key, LossCount lost)
    {
        Losses.Add(key, lost);
        var (count, toldMs) = _exportLosses.TryGetValue(key, out var known) ? known : (0, long.MinValue / 2);
        count += lost.Count;
        if (Environment.TickCount64 - toldMs >= ExportToldEveryMs)
        {
            Tell(key, new LossCount(count, []));
            (count, toldMs) = (0, Environment.TickCount64);
        }

        _exportLosses[key] = (count, toldMs);
    }

    /// <summary>Tells of the records that were not what their events should be, since the last call.</summary>
    public void ReportDamaged()
    {
        foreach (var schema in _catalog.Schemas)
        {
            if (_damaged[schema.Index] is var count && count > 0)
                Lost(new(schema.Module, LossCause.ReadFailed), new LossCount(count, []));
            _damaged[schema.Index] = 0;
        }
    }

    /// <summary>A batch has ended.</summary>
    public void Flush() => _sink.Flush();

    /// <summary>Nothing more comes.</summary>
    public void End() => _sink.End();
}
