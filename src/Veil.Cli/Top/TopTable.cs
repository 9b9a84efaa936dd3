// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Cli.Top;

/// <summary>What the kernel counted in one interval, by all fields; rows are made of it by some of them. Knows nothing of where it comes
/// from.</summary>
internal sealed class TopTable
{
    private const char Between = '\u0001'; // never in text that was escaped
    private readonly List<(string[] Cells, CountTotals Totals)> _entries = [];

    private TopTable(CountPlan plan, TimeSpan duration)
    {
        Plan = plan;
        Seconds = Math.Max(duration.TotalSeconds, 1e-3);
    }

    /// <summary>What was counted.</summary>
    public CountPlan Plan { get; }

    /// <summary>For how long.</summary>
    public double Seconds { get; }

    /// <summary>All events.</summary>
    public CountTotals All { get; } = new(new ulong[1]);

    /// <summary>Events whose key found no room.</summary>
    public CountTotals Others { get; } = new(new ulong[1]);

    /// <summary>Makes it of what was counted of a module; of several parts, if it was attached several times.</summary>
    public static TopTable Of(IReadOnlyList<(CountPlan Plan, CountedEvents Counted)> parts, TimeSpan duration)
    {
        var table = new TopTable(parts[0].Plan, duration);
        foreach (var (plan, counted) in parts)
        {
            byte[] room = new byte[plan.Keys.Max(static key => key.Field.Value.BytesMax) + 64];
            foreach (var (key, totals) in counted.Keys)
            {
                table._entries.Add(([.. plan.Keys.Select(field => TextOf(plan, field, key, room))], totals));
                table.All.Add(totals);
            }

            table.Others.Add(counted.Others);
            table.All.Add(counted.Others);
        }

        return table;
    }

    /// <summary>Makes it of what was counted by the fields as they are shown.</summary>
    public static TopTable Of(CountPlan plan, IEnumerable<(string[] Cells, CountTotals Totals)> keys, TimeSpan duration)
    {
        var table = new TopTable(plan, duration);
        table._entries.AddRange(keys);
        foreach (var (_, totals) in table._entries)
            table.All.Add(totals);
        return table;
    }

    /// <summary>Cells as one text, which is another one for other cells.</summary>
    public static string Joined(IEnumerable<string> cells) => string.Join(Between, cells);

    /// <summary>The rows by some of the fields, ranked.</summary>
    /// <param name="view">What is shown.</param>
    /// <param name="group">Which of its groups.</param>
    /// <param name="sort">What they are ranked by.</param>
    /// <param name="filter">Only rows that have this text in a cell, whatever the case.</param>
    public List<TopRow> Rows(TopView view, int group, CountSort sort, string filter)
    {
        var rows = new Dictionary<string, (TopRow Row, ulong Most)>(StringComparer.Ordinal);
        int[] key = view.KeyOf(group);
        foreach (var (all, totals) in _entries)
        {
            string text = Joined(key.Select(place => all[place]));
            string[] cells = Array.ConvertAll(view.Groups[group], place => all[place]);
            if (!rows.TryGetValue(text, out var known))
                known = (new TopRow(text, cells, new CountTotals(new ulong[1])), 0);
            known.Row.Totals.Add(totals);
            rows[text] = totals.Count > known.Most ? (known.Row with { Cells = cells }, totals.Count) : known;
        }

        return [.. rows.Values.Select(static known => known.Row)
            .Where(row => filter.Length == 0 || Array.Exists(row.Cells, cell => cell.Contains(filter, StringComparison.OrdinalIgnoreCase)))
            .OrderByDescending(row => row.Totals.By(sort)).ThenByDescending(static row => row.Totals.Count)
            .ThenBy(static row => row.Key, StringComparer.Ordinal)];
    }

    private static string TextOf(CountPlan plan, CountKey field, byte[] key, byte[] room)
    {
        var view = new EventView { Record = plan.RecordOf(field, key), Schema = plan.Schema };
        var line = new LineWriter(room);
        field.Field.Value.InTable.WriteText(ref line, ref view);
        if (CountPlan.IsCut(field, key))
            line.Append("…"u8);
        return Encoding.UTF8.GetString(line.Written);
    }
}
