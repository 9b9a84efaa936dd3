// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Counting;

/// <summary>What was counted of a module's events, with the keys as they are shown. Where the counts come from is nothing to it.</summary>
/// <param name="plan">What was counted.</param>
internal sealed class CountTable(CountPlan plan)
{
    private const int RoomForNames = 64;

    private readonly Dictionary<string, CountTotals> _rows = new(StringComparer.Ordinal);
    private CountTotals _others = new(new ulong[plan.Slots]);

    /// <summary>What was counted.</summary>
    public CountPlan Plan => plan;

    /// <summary>The module.</summary>
    public string Module => plan.Schema.Module;

    /// <summary>The keys, in their order once the table was ranked.</summary>
    public IReadOnlyList<CountRow> Rows { get; private set; } = [];

    /// <summary>Events whose key is none of these.</summary>
    public CountTotals Others => _others;

    /// <summary>Events of a kind that lacks a field.</summary>
    public ulong NoField { get; set; }

    /// <summary>Events that came while the trace was paused.</summary>
    public ulong Paused { get; set; }

    /// <summary>All events that have the fields.</summary>
    public CountTotals All { get; } = new(new ulong[plan.Slots]);

    /// <summary>All events.</summary>
    public ulong Total => All.Count + NoField;

    /// <summary>A table of what the kernel counted for each module of a name.</summary>
    /// <param name="parts">Their counts: at least one.</param>
    /// <param name="options">How many keys are kept, and by what.</param>
    /// <param name="format">The output that the keys are for.</param>
    public static CountTable Of(IReadOnlyList<(CountPlan Plan, CountedEvents Counted)> parts, CountOptions options, OutputFormat format)
    {
        var table = new CountTable(parts[0].Plan);
        foreach (var (plan, counted) in parts)
        {
            byte[] room = new byte[plan.Keys.Sum(static key => key.Field.Value.BytesMax + key.Field.Name.Length + RoomForNames)];
            foreach (var (key, totals) in counted.Keys)
                table.Add(TextOf(plan, key, format, room), totals);
            table._others.Add(counted.Others);
            table.NoField += counted.NoField;
            table.Paused += counted.Paused;
        }

        table.Rank(options.Ranking, options.Keys);
        return table;
    }

    /// <summary>Adds events of a key. Keys that look the same are one, as all system calls of an architecture are.</summary>
    public void Add(string key, CountTotals totals)
    {
        if (!_rows.TryAdd(key, totals))
            _rows[key].Add(totals);
    }

    /// <summary>
    /// Puts the keys into their order. Of more than were asked for the first are kept, and the others counted together: small numbers have
    /// places of their own in the kernel, and every probe has its map.
    /// </summary>
    public void Rank(CountSort sort, int keysMax)
    {
        var ranking = _rows.Select(static row => new CountRow(row.Key, row.Value)).OrderByDescending(row => row.Totals.By(sort))
            .ThenByDescending(static row => row.Totals.Count).ThenBy(static row => row.Key, StringComparer.Ordinal).ToList();
        foreach (var row in ranking.Skip(keysMax))
            _others.Add(row.Totals);
        Rows = ranking[..Math.Min(ranking.Count, keysMax)];
        foreach (var row in Rows)
            All.Add(row.Totals);
        All.Add(_others);
    }

    // A key of the kernel as it is shown: for JSON with the names before the values.
    private static string TextOf(CountPlan plan, byte[] bytes, OutputFormat format, byte[] room)
    {
        if (format == OutputFormat.Folded)
            return FoldedLine.Of(plan, bytes);
        var line = new LineWriter(room);
        foreach (var key in plan.Keys)
        {
            var view = new EventView { Record = plan.RecordOf(key, bytes), Schema = plan.Schema };
            Append(ref line, plan, key.Field, format, CountPlan.IsCut(key, bytes), ref view);
        }

        return Encoding.UTF8.GetString(line.Written);
    }

    // One key stands in its column; several, and one before a histogram, have their names.
    internal static void Append(
        ref LineWriter line, CountPlan plan, EventField field, OutputFormat format, bool isCut, scoped ref EventView view)
    {
        if (format == OutputFormat.Json)
        {
            line.Append(Encoding.UTF8.GetBytes($",\"{field.Name}\":"));
            JsonLine.Append(ref line, field, ref view);
            return;
        }

        if (plan is { Keys.Count: 1, HasHistogram: false })
        {
            field.Value.InTable.WriteText(ref line, ref view);
        }
        else
        {
            line.Append(Encoding.UTF8.GetBytes($"{(line.Length == 0 ? "" : " ")}{field.Name}="));
            field.Value.InTable.WritePair(ref line, ref view);
        }

        if (isCut)
            line.Append("…"u8);
    }
}

/// <summary>A key as it is shown, with what is known of its events.</summary>
internal sealed record CountRow(string Key, CountTotals Totals);
