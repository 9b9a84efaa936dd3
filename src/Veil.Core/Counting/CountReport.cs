// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Counting;

/// <summary>Prints counts: a ranking or histograms for people, or an object a key. A table is written whole.</summary>
internal sealed class CountReport(CountOptions options, OutputOptions shown, IOutput output)
{
    private const int BarWidth = 40;
    private const int LabelWidth = 18;
    private const int CountWidth = 14;
    private const int BarWidthMin = 8;

    // One such row says as much as the mark in its place.
    private const int EmptyRowsWorthFolding = 2;

    // What a bar has beside it: indents, label, count and frame.
    private const int BesideBar = LabelWidth + CountWidth + 6;
    private const int BesideKey = CountWidth + 12;

    // Of the table that is printed: the window may change until the next.
    private int _columns = int.MaxValue;

    /// <summary>Prints what was counted in a time, a table for each name of a module.</summary>
    /// <param name="modules">The modules, in their order.</param>
    /// <param name="duration">How long was counted.</param>
    /// <param name="endedAtNs">When that ended, by the wall clock.</param>
    public void Print(IEnumerable<(CountPlan Plan, CountedEvents Counted)> modules, TimeSpan duration, long endedAtNs)
    {
        var text = new StringBuilder();
        var format = shown.Format;
        _columns = shown.Screen?.Size.Columns ?? int.MaxValue;
        if (format == OutputFormat.Text && options.Interval is not null)
            text.Append(Invariant($"{Local(endedAtNs)}  {duration.TotalSeconds:F3} s\n"));
        foreach (var group in modules.GroupBy(static module => module.Plan.Schema.Module, StringComparer.Ordinal))
            Append(text, Table.Of(group.Key, [.. group], shown.Format, options.Keys), duration.TotalSeconds, endedAtNs);
        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
    }

    private void Append(StringBuilder text, Table table, double seconds, long endedAtNs)
    {
        if (shown.Format == OutputFormat.Json)
        {
            AppendJson(text, table, seconds, endedAtNs);
            return;
        }

        var rows = table.Rows.Take(options.Top ?? CountOptions.DefaultTop).ToList();
        text.Append(Invariant($"{table.Module}{(table.Key is null ? "" : " by " + table.Key)}{(table.Value is null ? "" : ", " + table.Value)}: {table.Total} {(table.Total == 1 ? "event" : "events")}"));
        text.Append(table.Key is null ? "\n" : Invariant($", {table.Rows.Count} {(table.Rows.Count == 1 ? "key" : "keys")}\n"));
        if (table.Value is null)
        {
            foreach (var row in rows)
                AppendRow(text, table, row.Count, Fitted(row.Text, BesideKey));
        }
        else
        {
            foreach (var row in rows)
                AppendHistogram(text, table, row);
        }

        ulong more = table.Rows.Skip(rows.Count).Aggregate(0ul, static (sum, row) => sum + row.Count);
        if (more > 0)
            AppendRow(text, table, more, Invariant($"({table.Rows.Count - rows.Count} more {(table.Rows.Count - rows.Count == 1 ? "key" : "keys")}; --top shows them)"));
        if (table.NoField > 0)
            AppendRow(text, table, table.NoField, $"(without {table.Value ?? table.Key})");
        if (table.MapFull > 0)
            AppendRow(text, table, table.MapFull, Invariant($"(other: {options.Keys} keys are all that there is room for; --keys makes more)"));
        if (table.Paused > 0)
            text.Append(Invariant($"{table.Paused,CountWidth}          (dropped while paused)\n"));
        text.Append('\n');
    }

    private void AppendRow(StringBuilder text, Table table, ulong count, string key)
    {
        var lines = WordWrap.Lines(key, Math.Max(_columns - BesideKey, 1));
        text.Append(Invariant($"{count,CountWidth} {table.Percent(count),7:F2}%  {lines[0]}").TrimEnd()).Append('\n');
        foreach (string line in lines.Skip(1))
            text.Append(' ', BesideKey).Append(line).Append('\n');
    }

    // A key that the row has no room for loses its middle.
    private string Fitted(string key, int beside)
    {
        int room = Math.Max(_columns - beside, BarWidthMin);
        if (room >= key.Length * 2)
            return key; // no character has more than two places
        byte[] utf8 = Encoding.UTF8.GetBytes(key);
        var line = new LineWriter(new byte[utf8.Length + 8]);
        line.Append(utf8);
        Shortening.Shorten(ref line, 0, room);
        return Encoding.UTF8.GetString(line.Written);
    }

    private void AppendHistogram(StringBuilder text, Table table, Row row)
    {
        if (table.Key is not null)
        {
            string share = Invariant($": {row.Count}, {table.Percent(row.Count):F2}%\n");
            text.Append($"  {table.Key}=").Append(Fitted(row.Text, table.Key.Length + share.Length + 2)).Append(share);
        }

        int first = Array.FindIndex(row.Slots, 0, Histogram.Unknown, static count => count > 0);
        int last = Array.FindLastIndex(row.Slots, Histogram.Unknown - 1, static count => count > 0);
        ulong most = row.Slots.Max();
        int barWidth = Math.Clamp(_columns - BesideBar, BarWidthMin, BarWidth);
        for (int slot = first; slot <= last && first >= 0; slot++)
        {
            int end = Array.FindIndex(row.Slots, slot, static count => count > 0);
            if (end - slot >= EmptyRowsWorthFolding)
            {
                text.Append(Invariant($"  {"...",LabelWidth}\n"));
                slot = end;
            }

            Line(Histogram.Label(slot, table.Quantity!), row.Slots[slot]);
        }

        if (row.Slots[Histogram.Unknown] > 0)
            Line("no such number", row.Slots[Histogram.Unknown]);

        void Line(string label, ulong count) =>
            text.Append(Invariant($"  {label,LabelWidth} {count,CountWidth} |{new string('@', (int)Math.Ceiling(count * (double)barWidth / most)).PadRight(barWidth)}|\n"));
    }

    private void AppendJson(StringBuilder text, Table table, double seconds, long endedAtNs)
    {
        string time = options.Interval is null ? "" : $",\"time\":\"{Utc(endedAtNs)}\"";
        foreach (var row in options.Top is { } top ? table.Rows.Take(top) : table.Rows)
        {
            text.Append($"{{\"module\":\"{table.Module}\"{row.Text}");
            text.Append(Invariant($",\"count\":{row.Count},\"percent\":{Math.Round(table.Percent(row.Count), 4)}"));
            if (table.Value is not null)
            {
                text.Append($",\"hist\":\"{table.Value}\",\"buckets\":[");
                bool any = false;
                for (int slot = 0; slot < Histogram.Unknown; slot++)
                {
                    if (row.Slots[slot] == 0)
                        continue;
                    text.Append(Invariant($"{(any ? "," : "")}{{\"from\":{Histogram.From(slot)},\"to\":{Histogram.To(slot)},\"count\":{row.Slots[slot]}}}"));
                    any = true;
                }

                text.Append(Invariant($"],\"unknown\":{row.Slots[Histogram.Unknown]}"));
            }

            text.Append(time).Append("}\n");
        }

        text.Append(Invariant($"{{\"module\":\"{table.Module}\",\"total\":{table.Total},\"keys\":{table.Rows.Count},\"map_full\":{table.MapFull},\"no_field\":{table.NoField},\"dropped_paused\":{table.Paused},\"seconds\":{Math.Round(seconds, 3)}"));
        text.Append(time).Append("}\n");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Local(long wallTimeNs)
    {
        var line = new LineWriter(stackalloc byte[64]);
        Rfc3339.AppendLocal(ref line, wallTimeNs);
        return Encoding.UTF8.GetString(line.Written);
    }

    private static string Utc(long wallTimeNs)
    {
        var line = new LineWriter(stackalloc byte[64]);
        Rfc3339.AppendUtc(ref line, wallTimeNs);
        return Encoding.UTF8.GetString(line.Written);
    }

    /// <summary>A key as it is shown: for JSON with its name before it.</summary>
    private sealed record Row(string Text, ulong[] Slots)
    {
        public ulong Count { get; } = Slots.Aggregate(0ul, static (sum, count) => sum + count);
    }

    private sealed record Table(string Module, string? Key, string? Value, Quantity? Quantity, List<Row> Rows, ulong Total, ulong MapFull, ulong NoField, ulong Paused)
    {
        public double Percent(ulong count) => Total == 0 ? 0 : 100.0 * count / Total;

        /// <summary>
        /// Keys that look the same are one, as all system calls of an architecture are. Of more keys than were asked for the largest are
        /// kept, and the others counted together: small numbers have places of their own in the kernel, and every probe has its map.
        /// </summary>
        public static Table Of(string module, List<(CountPlan Plan, CountedEvents Counted)> parts, OutputFormat format, int keysMax)
        {
            var rows = new Dictionary<string, ulong[]>(StringComparer.Ordinal);
            foreach (var (plan, counted) in parts)
            {
                foreach (var (key, slots) in counted.Keys)
                {
                    string text = KeyText(plan, key, format);
                    if (!rows.TryAdd(text, slots))
                        rows[text] = [.. rows[text].Zip(slots, static (one, other) => one + other)];
                }
            }

            var first = parts[0].Plan;
            var ranking = rows.Select(static row => new Row(row.Key, row.Value)).OrderByDescending(static row => row.Count).ThenBy(static row => row.Text, StringComparer.Ordinal).ToList();
            ulong beyond = ranking.Skip(keysMax).Aggregate(0ul, static (sum, row) => sum + row.Count);
            return new Table(
                module, first.Key?.Name, first.Value?.Name, first.Value?.Value.Facts.Quantity, ranking[..Math.Min(ranking.Count, keysMax)],
                Sum(static counted => counted.Total), Sum(static counted => counted.MapFull) + beyond, Sum(static counted => counted.NoField), Sum(static counted => counted.Paused));

            ulong Sum(Func<CountedEvents, ulong> of) => parts.Aggregate(0ul, (sum, part) => sum + of(part.Counted));
        }

        private static string KeyText(CountPlan plan, byte[] key, OutputFormat format)
        {
            if (plan.Key is not { } field)
                return "";
            var view = new EventView { Record = plan.RecordOf(key), Schema = plan.Schema };
            var line = new LineWriter(new byte[field.Value.BytesMax + 64]);
            if (format == OutputFormat.Json)
            {
                line.Append(Encoding.UTF8.GetBytes($",\"{field.Name}\":"));
                JsonLine.Append(ref line, field, ref view);
            }
            else
            {
                // Before a histogram the key stands inside a line, and ends there.
                if (plan.Value is null)
                    field.Value.InTable.WriteText(ref line, ref view);
                else
                    field.Value.InTable.WritePair(ref line, ref view);
                if (plan.IsCut(key))
                    line.Append("…"u8);
            }

            return Encoding.UTF8.GetString(line.Written);
        }
    }
}
