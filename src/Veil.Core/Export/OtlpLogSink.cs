// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Budgets;
using Veil.Core.Enrichers;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Interop;
using Veil.Core.Losses;
using Veil.Core.Sinks;
using Veil.Core.Text;
using Veil.Core.Waiting;

namespace Veil.Core.Export;

/// <summary>
/// Events as log records of OTLP (<c>opentelemetry.proto.logs.v1.LogRecord</c>), encoded where they lie in the ring. It waits for
/// nothing: a
/// batch that is full goes to the exporter, and where that has no room, events are counted as lost.
/// </summary>
internal sealed class OtlpLogSink : IEventSink
{
    // ScopeLogs
    private const int RecordField = 2;

    // LogRecord
    private const int TimeField = 1;
    private const int SeverityField = 2;
    private const int SeverityTextField = 3;
    private const int BodyField = 5;
    private const int AttributesField = 6;
    private const int ObservedTimeField = 11;
    private const int EventNameField = 12;
    private const int StringField = 1; // AnyValue

    private const int Info = 9;
    private const int Warn = 13;
    private const int Error = 17;

    private const int BatchBytes = 224 * 1024;
    private const int BatchMs = 500;

    // What is left at the end of the trace has so long to be sent.
    private const int EndMs = 5_000;

    private readonly OtlpQueue _queue;
    private readonly StopSignal _stop;
    private readonly OtlpLogPlan[] _plans;
    private readonly EventHeader _header;
    private readonly WallClock _clock = new();
    private readonly byte[] _value;
    private readonly byte[] _body;
    private OtlpBatch? _batch;
    private long _begunMs;

    public OtlpLogSink(OtlpQueue queue, EventCatalog catalog, in OutputOptions shown, bool withArguments, StopSignal stop)
    {
        _queue = queue;
        _stop = stop;
        _header = catalog.Header;
        bool severalModules = catalog.Schemas.Select(static schema => schema.Module).Distinct(StringComparer.Ordinal).Skip(1).Any();
        _plans = new OtlpLogPlan[catalog.Schemas.Count];
        foreach (var schema in catalog.Schemas)
            _plans[schema.Index] = new OtlpLogPlan(schema, catalog.Header, shown, severalModules, withArguments);
        _value = new byte[_plans.Max(static plan => plan.ValueBytesMax)];
        _body = new byte[_plans.Max(static plan => plan.BodyBytesMax)];
    }

    /// <summary>Events that were taken; those that the receiver did not get are told as losses of it.</summary>
    public ulong Delivered { get; private set; }

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        Delivered++;
        if (!HasRoom())
        {
            _queue.Drop(OtlpCause.TooFast, 1);
            return;
        }

        var to = _batch!.Records;
        var plan = _plans[view.Schema.Index];
        int record = to.BeginMessage(RecordField);
        ulong time = (ulong)_clock.FromBootTime((long)BinaryPrimitives.ReadUInt64LittleEndian(view.Record[_header.TimestampOffset..]));
        to.Fixed64(TimeField, time);
        to.Fixed64(ObservedTimeField, time);

        var body = new LineWriter(_body);
        int length = TextLine.Write(ref body, plan.Body, ref view);
        to.Begin(BodyField, ProtoBuffer.SizeOfBytes(length));
        to.Bytes(StringField, _body.AsSpan(0, length));

        var identity = plan.Memory.Find(view.Record);
        to.Append(identity);
        if (identity.IsEmpty)
        {
            int start = to.Length;
            Append(to, plan.Identity, ref view);
            plan.Memory.Remember(view.Record, to.Written[start..]);
        }

        Severity(to, Append(to, plan.Rest, ref view) ? Warn : Info);
        if (view.Container is { } container)
            OtlpValue.Text(to, AttributesField, "container.id"u8, container.Id);
        to.Bytes(EventNameField, plan.Event);
        to.EndMessage(record);
        _batch.Events++;
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost)
    {
        if (!HasRoom())
            return false;
        var to = _batch!.Records;
        int record = to.BeginMessage(RecordField);
        ulong now = (ulong)LibC.NowNs(LibC.ClockRealtime);
        to.Fixed64(TimeField, now);
        to.Fixed64(ObservedTimeField, now);
        Severity(to, Error);
        byte[] body = Encoding.UTF8.GetBytes($"lost {lost.Count} events of {key}{lost.UsersText}");
        to.Begin(BodyField, ProtoBuffer.SizeOfBytes(body.Length));
        to.Bytes(StringField, body);
        OtlpValue.Text(to, AttributesField, "veil.module"u8, Encoding.UTF8.GetBytes(key.Module));
        OtlpValue.Text(to, AttributesField, "veil.evt_type"u8, "lost"u8);
        OtlpValue.Text(to, AttributesField, "veil.cause"u8, Encoding.UTF8.GetBytes(key.Cause));
        OtlpValue.Int(to, AttributesField, "veil.count"u8, (long)lost.Count);
        to.Bytes(EventNameField, "veil.lost"u8);
        to.EndMessage(record);
        return true;
    }

    /// <inheritdoc/>
    public bool Tell(BudgetNotice notice)
    {
        if (!HasRoom())
            return false;
        var to = _batch!.Records;
        int record = to.BeginMessage(RecordField);
        ulong now = (ulong)LibC.NowNs(LibC.ClockRealtime);
        to.Fixed64(TimeField, now);
        to.Fixed64(ObservedTimeField, now);
        Severity(to, notice is BudgetStep ? Warn : Info);
        byte[] body = Encoding.UTF8.GetBytes(notice.Text);
        to.Begin(BodyField, ProtoBuffer.SizeOfBytes(body.Length));
        to.Bytes(StringField, body);
        OtlpValue.Text(to, AttributesField, "veil.evt_type"u8, Encoding.UTF8.GetBytes(notice.Name));
        if (notice is SampledEvents sampled)
        {
            OtlpValue.Text(to, AttributesField, "veil.module"u8, Encoding.UTF8.GetBytes(sampled.Module));
            OtlpValue.Int(to, AttributesField, "veil.one_in"u8, sampled.Rate.OneIn);
            OtlpValue.Int(to, AttributesField, "veil.seen"u8, (long)sampled.Seen);
            OtlpValue.Int(to, AttributesField, "veil.sent"u8, (long)sampled.Sent);
        }
        else if (notice is BudgetStep step)
        {
            OtlpValue.Text(to, AttributesField, "veil.step"u8, Encoding.UTF8.GetBytes(step.To.Name));
            OtlpValue.Int(to, AttributesField, "veil.one_in"u8, step.To.OneIn);
        }

        to.Bytes(EventNameField, notice is BudgetStep ? "veil.budget"u8 : "veil.sampled"u8);
        to.EndMessage(record);
        return true;
    }

    /// <inheritdoc/>
    public void Flush()
    {
        if (_batch is not null && Environment.TickCount64 - _begunMs >= BatchMs)
            HandOver();
    }

    /// <inheritdoc/>
    public void End()
    {
        HandOver();
        _queue.End(EndMs, () => _stop.IsForced);
    }

    // Is there a place for a record?
    private bool HasRoom()
    {
        if (_batch is { } full && full.Records.Length >= BatchBytes)
            HandOver();
        if (_batch is not null)
            return true;
        _batch = _queue.TryBegin();
        _begunMs = Environment.TickCount64;
        return _batch is not null;
    }

    private void HandOver()
    {
        if (_batch is { Records.Length: > 0 } batch)
            _queue.Add(batch);
        else if (_batch is not null)
            _queue.GiveBack(_batch);
        _batch = null;
    }

    // Is one of them an error?
    private bool Append(ProtoBuffer to, OtlpAttribute[] attributes, scoped ref EventView view)
    {
        bool hasFailed = false;
        foreach (ref readonly var attribute in attributes.AsSpan())
        {
            var value = new LineWriter(_value);
            int shown = attribute.Value.WriteJson(ref value, ref view);
            bool isThere = value.Length > 0 && OtlpValue.Json(to, AttributesField, attribute.Key, value.Written);
            hasFailed |= isThere && attribute.IsError;
            if (shown == JsonStyle.NotExact)
                AppendExactBytes(to, attribute, ref view);
        }

        return hasFailed;
    }

    // As JSON has it: what is not UTF-8 is given once more, exactly.
    private static void AppendExactBytes(ProtoBuffer to, in OtlpAttribute attribute, scoped ref EventView view) =>
        OtlpValue.Text(
            to, AttributesField, [.. attribute.Key, .. "_hex"u8],
            Encoding.ASCII.GetBytes(Convert.ToHexStringLower(attribute.Value.RawText(ref view))));

    private static void Severity(ProtoBuffer to, int number)
    {
        to.Number(SeverityField, (ulong)number);
        to.Bytes(SeverityTextField, number switch { Info => "INFO"u8, Warn => "WARN"u8, _ => "ERROR"u8 });
    }
}
