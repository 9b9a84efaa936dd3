// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Losses;
using Veil.Core.Text;

namespace Veil.Core.Formats;

/// <summary>Adds up a weight by keys: how many events, or a number of each. Its keys are the frames of a profile, the first one
/// outermost.</summary>
internal abstract class WeightedKeys : IExportSink
{
    // Between the frames of a key. It is in no text: control characters are escaped there.
    private const byte Separator = 0x1f;

    private readonly CountOptions _options;
    private readonly CountPlan?[] _plans;
    private readonly bool _namesModules;
    private readonly byte[] _room;
    private readonly byte[] _textRoom;
    private readonly Dictionary<byte[], UInt128> _weights = new(BytesComparer.Instance);
    private UInt128 _others;
    private ulong _taken;

    protected WeightedKeys(ExportInput input)
    {
        _options = input.Counting!;
        _plans = [.. input.Modules.Select((module, number) =>
            input.Events.SchemasOf(number).Any() ? CountPlan.Of(module, [.. input.Events.SchemasOf(number)], _options) : null)];
        _namesModules = input.HasSeveralModules;
        _room = new byte[_plans.Max(static plan => plan?.Keys.Sum(static key => key.Field.Value.BytesMax + 2) ?? 0) + 64];
        _textRoom = new byte[_room.Length];
    }

    /// <inheritdoc/>
    public ulong Delivered { get; private set; }

    /// <summary>Is the weight nanoseconds? Else it counts, or is a number without a unit.</summary>
    protected bool IsTime => _options.Sum is not null && Value?.Facts.Quantity == Quantity.Nanoseconds;

    /// <summary>Is it bytes?</summary>
    protected bool IsSize => _options.Sum is not null && Value?.Facts.Quantity == Quantity.Bytes;

    /// <summary>What the weight is, in words.</summary>
    protected string WeightName => _options.Sum ?? "events";

    /// <summary>The fields that are the frames.</summary>
    protected string KeyNames => _plans.OfType<CountPlan>().First().KeyNames;

    private EventValue? Value => _plans.OfType<CountPlan>().First().Value?.Value;

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        _taken++;
        var plan = _plans[view.Schema.Kind / EventCatalog.KindsPerModule]!;
        if (!plan.Has(view.Schema) || view.Schema.IsUnfinished(view.Record) || !EventCounter.HasArguments(plan, ref view))
            return;
        var line = new LineWriter(_room);
        if (_namesModules)
            line.Append(Encoding.UTF8.GetBytes(view.Schema.Module));
        foreach (var key in FoldedLine.InOrder(plan.Keys))
        {
            foreach (string frame in FoldedLine.FramesOf(key, _textRoom, ref view))
            {
                if (line.Length > 0)
                    line.Append(Separator);
                line.Append(Encoding.UTF8.GetBytes(frame));
            }
        }

        if (line.Length == 0)
            line.Append("?"u8);

        // Of calls that did not end, the time is not known.
        ulong weight = _options.Sum is null ? 1 : plan.NumberOf(view.Record) ?? 0;
        if (weight == 0)
            return;
        var lookup = _weights.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(line.Written, out var sum))
            lookup[line.Written] = sum + weight;
        else if (_weights.Count < _options.Keys)
            lookup[line.Written] = weight;
        else
            _others += weight;
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost) => false;

    /// <inheritdoc/>
    public void Flush()
    {
    }

    /// <inheritdoc/>
    public void End()
    {
        var rows = _weights.Select(
            static row => (Frames: Encoding.UTF8.GetString(row.Key).Split((char)Separator), Weight: row.Value)).ToList();
        rows.Sort(static (one, other) => Compare(one.Frames, other.Frames));
        if (_others > 0)
            rows.Add((["(others)"], _others));
        Write(rows);
        Delivered = _taken;
    }

    /// <summary>Writes the file.</summary>
    /// <param name="rows">Frames, outermost first, with their weight; in the order of the frames.</param>
    protected abstract void Write(IReadOnlyList<(string[] Frames, UInt128 Weight)> rows);

    private static int Compare(string[] one, string[] other)
    {
        for (int i = 0; i < Math.Min(one.Length, other.Length); i++)
        {
            if (string.CompareOrdinal(one[i], other[i]) is var order and not 0)
                return order;
        }

        return one.Length.CompareTo(other.Length);
    }
}
