// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Counting;

/// <summary>Counts events that were sent, as programs count those that are not: of a recording, or of a trace that is recorded too.</summary>
internal sealed class EventCounter : IEventSink
{
    private const int RoomForNames = 64;

    private readonly CountOptions _options;
    private readonly IReadOnlyList<(CountReport Report, OutputFormat Format)> _reports;
    private readonly EventHeader _header;
    private readonly Counts?[] _modules;
    private readonly byte[] _room;
    private ulong _fromNs;
    private ulong _lastNs;
    private long _lastWallNs;

    /// <summary>Makes it.</summary>
    /// <param name="options">What is counted.</param>
    /// <param name="modules">The modules, by their numbers.</param>
    /// <param name="events">Their events.</param>
    /// <param name="outputs">Where tables go.</param>
    /// <exception cref="UsageException">A module has no such field, or one that cannot be counted by.</exception>
    public EventCounter(
        CountOptions options, IReadOnlyList<TraceModule> modules, EventCatalog events, IReadOnlyList<(OutputOptions Options, IOutput Output)> outputs)
    {
        _options = options;
        _header = events.Header;
        _reports = [.. outputs.Select(output => (new CountReport(options, output.Options, output.Output), output.Options.Format))];
        _modules = [.. modules.Select((module, number) => events.SchemasOf(number).Any()
            ? new Counts(CountPlan.Of(module, [.. events.SchemasOf(number)], options), _reports.Count) : null)];
        _room = new byte[_modules.Max(static module => module?.Plan.Keys.Sum(static key => key.Field.Value.BytesMax + key.Field.Name.Length + RoomForNames) ?? 0)];
    }

    /// <inheritdoc/>
    public ulong Delivered { get; private set; }

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        if (view.Schema.IsUnfinished(view.Record))
            return;
        ulong timestamp = BinaryPrimitives.ReadUInt64LittleEndian(view.Record[_header.TimestampOffset..]);
        if (_fromNs == 0)
            _fromNs = timestamp;
        if (_options.Interval is { } interval && timestamp >= _fromNs + (ulong)interval.TotalNanoseconds)
        {
            Print(_fromNs + (ulong)interval.TotalNanoseconds);
            ulong missed = (timestamp - _fromNs) / (ulong)interval.TotalNanoseconds;
            _fromNs += missed * (ulong)interval.TotalNanoseconds;
        }

        (_lastNs, _lastWallNs) = (timestamp, view.WallTimeNs);
        Delivered++;
        var counts = _modules[view.Schema.Kind / EventCatalog.KindsPerModule]!;
        if (!counts.Plan.Has(view.Schema) || !HasArguments(counts.Plan, ref view))
        {
            counts.NoField++;
            return;
        }

        ulong? number = counts.Plan.NumberOf(view.Record);
        bool hasFailed = counts.Plan.HasFailed(view.Schema, view.Record);
        for (int output = 0; output < _reports.Count; output++)
        {
            var line = new LineWriter(_room);
            if (_reports[output].Format == OutputFormat.Folded)
                line.Append(Encoding.UTF8.GetBytes(FoldedLine.Of(counts.Plan, ref view)));
            foreach (var key in _reports[output].Format == OutputFormat.Folded ? [] : counts.Plan.Keys)
                CountTable.Append(ref line, counts.Plan, key.Field, _reports[output].Format, isCut: false, ref view);
            counts.Of(output, line.Written, _options.Keys).Add(number, hasFailed);
        }
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost) => false;

    /// <inheritdoc/>
    public void Flush()
    {
    }

    /// <inheritdoc/>
    public void End() => Print(_lastNs);

    // Of calls that lack an argument there is nothing to count by.
    internal static bool HasArguments(CountPlan plan, scoped ref EventView view)
    {
        foreach (var key in plan.Keys)
        {
            if (key.Kind != KeyKind.Argument)
                continue;
            var call = new CallView(view.Record, key.Field.Value.Offset);
            if (!CountedArgument.TryFind(CallTable.Of(call.Arch, call.Number), ArgumentKind.NameIn(key.Field.Name), call.Is32Bit, out _))
                return false;
        }

        return true;
    }

    private void Print(ulong untilNs)
    {
        var duration = TimeSpan.FromMicroseconds((untilNs - Math.Min(_fromNs, untilNs)) / 1_000.0);
        foreach (var (number, (report, _)) in _reports.Index())
        {
            report.Print(
                _modules.OfType<Counts>().GroupBy(static counts => counts.Plan.Schema.Module, StringComparer.Ordinal)
                    .Select(group => TableOf([.. group], number)),
                duration, _lastWallNs + (long)untilNs - (long)_lastNs);
        }

        foreach (var counts in _modules)
            counts?.Clear();
    }

    private CountTable TableOf(List<Counts> parts, int output)
    {
        var table = new CountTable(parts[0].Plan);
        foreach (var part in parts)
        {
            foreach (var (key, totals) in part.Keys[output])
                table.Add(Encoding.UTF8.GetString(key), totals);
            table.Others.Add(part.Others[output]);
            table.NoField += part.NoField;
        }

        table.Rank(_options.Ranking, _options.Keys);
        return table;
    }

    // What was counted of a module, for each output by the keys as it shows them.
    private sealed class Counts
    {
        public Counts(CountPlan plan, int outputs)
        {
            Plan = plan;
            Keys = [.. Enumerable.Range(0, outputs).Select(static _ => new Dictionary<byte[], CountTotals>(BytesComparer.Instance))];
            Others = new CountTotals[outputs];
            Clear();
        }

        public CountPlan Plan { get; }

        public Dictionary<byte[], CountTotals>[] Keys { get; }

        public CountTotals[] Others { get; }

        public ulong NoField { get; set; }

        public CountTotals Of(int output, ReadOnlySpan<byte> key, int keysMax)
        {
            var keys = Keys[output].GetAlternateLookup<ReadOnlySpan<byte>>();
            if (keys.TryGetValue(key, out var totals))
                return totals;
            return Keys[output].Count < keysMax ? keys.Dictionary[key.ToArray()] = new CountTotals(new ulong[Plan.Slots]) : Others[output];
        }

        public void Clear()
        {
            NoField = 0;
            for (int output = 0; output < Keys.Length; output++)
            {
                Keys[output].Clear();
                Others[output] = new CountTotals(new ulong[Plan.Slots]);
            }
        }
    }
}
