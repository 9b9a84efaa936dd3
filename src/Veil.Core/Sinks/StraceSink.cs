// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Output;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>
/// The end of the pipeline in the form of <c>strace -f -o FILE</c>: calls, signals and exits, each a line with the thread's id first. A
/// call
/// is a line at its end.
/// </summary>
internal sealed class StraceSink : IEventSink
{
    private const int IdWidth = 5;
    private const int ResultColumn = 40; // strace -a
    private const int LineBytesBesideCall = 256;
    private const uint Sent = 1; // SYSCALL_SIGNAL_SENT
    private const uint Stops = 2; // SYSCALL_SIGNAL_STOPS
    private const int MarksOffset = 12; // in struct syscall_siginfo
    private const int HeldMax = 1024;

    private readonly EventHeader _header;
    private readonly Plan[] _plans;
    private readonly OutputBuffer _buffer;
    private readonly List<Held> _held = [];
    private readonly bool _showsTime;
    private readonly bool _showsDuration;

    /// <summary>Finds the values.</summary>
    public StraceSink(EventCatalog catalog, in OutputOptions options, IOutput output)
    {
        _header = catalog.Header;
        _plans = [.. catalog.Schemas.Select(static schema => new Plan(schema))];
        _showsTime = options.Enrichments.HasFlag(Enrichments.Time);
        _showsDuration = options.Fields.Count > 0;
        _buffer = new OutputBuffer(output, _plans.Max(static plan => plan.Call?.BytesMax ?? 0) + LineBytesBesideCall);
    }

    /// <inheritdoc/>
    public ulong Delivered => _buffer.EventsWritten;

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        var plan = _plans[view.Schema.Index];
        if (plan.Signal is { } signal && (Marks(signal, view.Record) & Sent) != 0)
        {
            Hold(ref view);
            return;
        }

        if (_held.Count == 0)
        {
            WriteLine(plan, ref view);
            return;
        }

        uint thread = Tid(view.Record);
        ulong begin = plan.Call is null ? ulong.MaxValue : plan.BeginOf(view.Record, Timestamp(view.Record));
        Release(thread, begin);
        WriteLine(plan, ref view);
        Release(thread, ulong.MaxValue);
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost) => false;

    /// <inheritdoc/>
    public void Flush() => _buffer.Flush();

    /// <inheritdoc/>
    public void End()
    {
        foreach (var held in _held)
            WriteHeld(held);
        _held.Clear();
        _buffer.Flush();
    }

    // A signal may be sent in the middle of a call. Under strace it arrives as the call ends, and this line comes after that one.
    private void Hold(scoped ref EventView view)
    {
        if (_held.Count == HeldMax)
        {
            WriteHeld(_held[0]);
            _held.RemoveAt(0);
        }

        _held.Add(new Held(view.Record.ToArray(), view.WallTimeNs, view.Schema));
    }

    private void Release(uint thread, ulong before)
    {
        for (int at = 0; at < _held.Count; at++)
        {
            var held = _held[at];
            if (Tid(held.Record) != thread || Timestamp(held.Record) > before)
                continue;
            WriteHeld(held);
            _held.RemoveAt(at--);
        }
    }

    private void WriteHeld(Held held)
    {
        var view = new EventView { Record = held.Record, Schema = held.Schema, WallTimeNs = held.WallTimeNs };
        WriteLine(_plans[held.Schema.Index], ref view);
    }

    private void WriteLine(Plan plan, ref EventView view)
    {
        var line = _buffer.BeginLine();
        var record = view.Record;
        BeginLine(ref line, record, view.WallTimeNs - plan.DurationOf(record));
        if (plan.Call is { } value)
        {
            var call = new CallView(record, value.Offset);
            CallText.Write(ref line, call, CallOptions.Current, ResultColumn);
            if (_showsDuration && call.HasReturned && plan.IsDurationKnown(record))
                AppendDuration(ref line, (ulong)plan.DurationOf(record));
        }
        else if (plan.Signal is { } signal)
        {
            AppendSignal(ref line, record.Slice(signal.Offset, SignalInfo.SizeBytes));
            if ((Marks(signal, record) & Stops) != 0)
            {
                line.Append((byte)'\n');
                _buffer.EndEvent(line);
                WriteStop(record, view.WallTimeNs, BinaryPrimitives.ReadUInt32LittleEndian(record[signal.Offset..]));
                return;
            }
        }
        else
        {
            AppendExit(ref line, record, plan);
        }

        line.Append((byte)'\n');
        _buffer.EndEvent(line);
    }

    private void WriteStop(ReadOnlySpan<byte> record, long wallTimeNs, uint signal)
    {
        var line = _buffer.BeginLine();
        BeginLine(ref line, record, wallTimeNs);
        line.Append("--- stopped by "u8);
        AppendSignalName(ref line, signal);
        line.Append(" ---\n"u8);
        _buffer.EndNotice(line);
    }

    private void BeginLine(ref LineWriter line, ReadOnlySpan<byte> record, long wallTimeNs)
    {
        line.PadTo(line.Append((ulong)Tid(record)), IdWidth);
        line.Append((byte)' ');
        if (!_showsTime)
            return;
        AppendSeconds(ref line, (ulong)wallTimeNs);
        line.Append((byte)' ');
    }

    // Seconds with six digits behind the point; the rest is cut off.
    private static void AppendSeconds(ref LineWriter line, ulong nanoseconds)
    {
        line.Append(nanoseconds / 1_000_000_000);
        line.Append((byte)'.');
        line.AppendPadded((uint)(nanoseconds % 1_000_000_000 / 1_000), 6);
    }

    private static void AppendDuration(ref LineWriter line, ulong nanoseconds)
    {
        line.Append(" <"u8);
        AppendSeconds(ref line, nanoseconds);
        line.Append((byte)'>');
    }

    private static void AppendSignal(ref LineWriter line, ReadOnlySpan<byte> info)
    {
        line.Append("--- "u8);
        AppendSignalName(ref line, BinaryPrimitives.ReadUInt32LittleEndian(info));
        line.Append((byte)' ');
        var writer = new CallWriter(line, CallOptions.Current);
        SignalInfo.Write(ref writer, info, 8);
        line = writer.Line;
        line.Append(" ---"u8);
    }

    private static void AppendSignalName(ref LineWriter line, uint signal)
    {
        var writer = new CallWriter(line, CallOptions.Current);
        SignalSet.WriteSignal(ref writer, signal);
        line = writer.Line;
    }

    private static void AppendExit(ref LineWriter line, ReadOnlySpan<byte> record, Plan plan)
    {
        const int coreDumped = 0x80;
        int status = BinaryPrimitives.ReadInt32LittleEndian(record[plan.StatusOffset..]);
        uint exec = BinaryPrimitives.ReadUInt32LittleEndian(record[plan.ExecOffset..]);
        line.Append("+++ "u8);
        if (exec != 0)
        {
            line.Append("superseded by execve in pid "u8);
            line.Append((ulong)exec);
        }
        else if ((status & 0x7f) == 0)
        {
            line.Append("exited with "u8);
            line.Append((ulong)(status >> 8 & 0xff));
        }
        else
        {
            line.Append("killed by "u8);
            AppendSignalName(ref line, (uint)status & 0x7f);
            if ((status & coreDumped) != 0)
                line.Append(" (core dumped)"u8);
        }

        line.Append(" +++"u8);
    }

    private static uint Marks(EventValue signal, ReadOnlySpan<byte> record) =>
        BinaryPrimitives.ReadUInt32LittleEndian(record[(signal.Offset + MarksOffset)..]);

    private uint Tid(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt32LittleEndian(record[_header.TidOffset..]);

    private ulong Timestamp(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadUInt64LittleEndian(record[_header.TimestampOffset..]);

    private sealed record Held(byte[] Record, long WallTimeNs, EventSchema Schema);

    // Where the records of one kind have what.
    private sealed class Plan
    {
        private readonly EventValue? _duration;

        public Plan(EventSchema schema)
        {
            Call = Find("args");
            Signal = Find("signo");
            _duration = Find("duration_ns");
            StatusOffset = Find("status")?.Offset ?? 0;
            ExecOffset = Find("exec_tid")?.Offset ?? 0;

            EventValue? Find(string name) => schema.Fields.FirstOrDefault(field => field.Name == name).Value;
        }

        public EventValue? Call { get; }

        public EventValue? Signal { get; }

        public int StatusOffset { get; }

        public int ExecOffset { get; }

        public bool IsDurationKnown(ReadOnlySpan<byte> record) => _duration is not null && _duration.Unsigned(record) != ulong.MaxValue;

        // 0 where it is not known.
        public long DurationOf(ReadOnlySpan<byte> record) => IsDurationKnown(record) ? (long)_duration!.Unsigned(record) : 0;

        public ulong BeginOf(ReadOnlySpan<byte> record, ulong end) => end - (ulong)DurationOf(record);
    }
}
