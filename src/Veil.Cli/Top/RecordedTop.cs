// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Sinks;
using Veil.Core.Text;
using Veil.Core.Waiting;

namespace Veil.Cli.Top;

/// <summary>
/// A recording on the screen of <c>veil top</c>, in the time that it took: each interval is counted, shown, and stands until it is over, or for as
/// long as the screen is paused.
/// </summary>
/// <param name="screen">Where it is shown.</param>
/// <param name="module">The module.</param>
/// <param name="counting">What is counted.</param>
internal sealed class RecordedTop(TopScreen screen, TraceModule module, CountOptions counting) : IExport, IEventSink
{
    private readonly Dictionary<string, (string[] Cells, CountTotals Totals)> _keys = new(StringComparer.Ordinal);
    private CountPlan? _plan;
    private EventHeader? _header;
    private StopSignal? _stop;
    private byte[] _room = [];
    private ulong _fromNs;
    private ulong _lastNs;

    /// <inheritdoc/>
    public ulong Delivered { get; private set; }

    private ulong IntervalNs => (ulong)counting.Interval!.Value.TotalNanoseconds;

    /// <inheritdoc/>
    public IEventSink Begin(EventCatalog catalog, OutputOptions shown, StopSignal stop)
    {
        _stop = stop;
        _header = catalog.Header;
        _plan = CountPlan.Of(module, [.. catalog.Schemas.Where(schema => schema.Module == module.Name)], counting);
        _room = new byte[_plan.Keys.Max(static key => key.Field.Value.BytesMax) + 64];
        return this;
    }

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        ulong timestamp = BinaryPrimitives.ReadUInt64LittleEndian(view.Record[_header!.TimestampOffset..]);
        if (_fromNs == 0)
            _fromNs = timestamp;
        while (timestamp >= _fromNs + IntervalNs && !_stop!.IsRequested)
        {
            Show(IntervalNs);
            _fromNs += IntervalNs;
            screen.Hold(counting.Interval!.Value);
        }

        _lastNs = timestamp;
        Delivered++;
        if (!_plan!.Has(view.Schema) || view.Schema.IsUnfinished(view.Record) || !EventCounter.HasArguments(_plan, ref view))
            return;
        string[] cells = new string[_plan.Keys.Count];
        for (int place = 0; place < cells.Length; place++)
        {
            var line = new LineWriter(_room);
            _plan.Keys[place].Field.Value.InTable.WriteText(ref line, ref view);
            cells[place] = Encoding.UTF8.GetString(line.Written);
        }

        string key = TopTable.Joined(cells);
        if (!_keys.TryGetValue(key, out var known))
            _keys[key] = known = (cells, new CountTotals(new ulong[_plan.Slots]));
        known.Totals.Add(_plan.NumberOf(view.Record), _plan.HasFailed(view.Schema, view.Record));
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost) => false;

    /// <inheritdoc/>
    public void TakeLosses(Action<LossKey, LossCount> take)
    {
    }

    /// <inheritdoc/>
    public void Flush()
    {
    }

    /// <summary>The last table stays until somebody leaves it.</summary>
    public void End()
    {
        if (_stop!.IsRequested)
            return;
        Show(Math.Max(_lastNs - _fromNs, 1));
        screen.HoldAtEnd();
    }

    private void Show(ulong durationNs)
    {
        screen.Show(TopTable.Of(_plan!, _keys.Values, TimeSpan.FromMicroseconds(durationNs / 1_000.0)));
        _keys.Clear();
    }
}
