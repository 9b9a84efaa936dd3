// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Counting;

/// <summary>Prints tables of counts: a ranking or histograms for people, or an object a key. A table is written whole.</summary>
internal sealed partial class CountReport(CountOptions options, OutputOptions shown, IOutput output) : ICountSink
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

    // The columns of sums, with what is between them.
    private const int NumberWidth = 9;
    private const int ShareWidth = 8;
    private const int CallsWidth = 11;
    private const int BesideKeyOfSums = NumberWidth + ShareWidth + CallsWidth + 2 * (NumberWidth + 1) + 2;
    private const int ErrorsWidth = 8;
    private const int IndentOfKey = 6;

    private static readonly int[] s_percentiles = [50, 90, 99];

    // Of the table that is printed: the window may change until the next.
    private int _columns = int.MaxValue;

    /// <summary>Prints what was counted in a time, a table for each name of a module.</summary>
    /// <param name="modules">The modules, in their order.</param>
    /// <param name="duration">How long was counted.</param>
    /// <param name="endedAtNs">When that ended, by the wall clock.</param>
    public void Print(IReadOnlyList<(CountPlan Plan, CountedEvents Counted)> modules, TimeSpan duration, long endedAtNs) =>
        Print(
            modules.GroupBy(static module => module.Plan.Schema.Module, StringComparer.Ordinal)
                .Select(group => CountTable.Of([.. group], options, shown.Format)),
            duration, endedAtNs);

    /// <summary>Prints tables, wherever they come from.</summary>
    /// <param name="tables">The tables, ranked.</param>
    /// <param name="duration">How long was counted.</param>
    /// <param name="endedAtNs">When that ended, by the wall clock.</param>
    public void Print(IEnumerable<CountTable> tables, TimeSpan duration, long endedAtNs)
    {
        var text = new StringBuilder();
        _columns = shown.Screen?.Size.Columns ?? int.MaxValue;
        if (shown.Format == OutputFormat.Text && options.Interval is not null)
            text.Append(Invariant($"{Local(endedAtNs)}  {duration.TotalSeconds:F3} s\n"));
        foreach (var table in tables)
        {
            if (shown.Format == OutputFormat.Folded)
                AppendFolded(text, table);
            else if (shown.Format == OutputFormat.Json)
                AppendJson(text, table, duration.TotalSeconds, endedAtNs);
            else
                AppendText(text, table);
        }

        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
    }

    private void AppendText(StringBuilder text, CountTable table)
    {
        var plan = table.Plan;
        var rows = table.Rows.Take(options.Top ?? CountOptions.DefaultTop).ToList();
        string number = plan switch
        {
            { HasHistogram: true } => ", " + plan.Value!.Value.Name,
            { HasSums: true } => ", sum of " + plan.Value!.Value.Name,
            _ => "",
        };
        text.Append(Invariant($"{table.Module}{(plan.Keys.Count == 0 ? "" : " by " + plan.KeyNames)}{number}: {table.Total} {(table.Total == 1 ? "event" : "events")}"));
        text.Append(plan.Keys.Count == 0 ? "\n" : Invariant($", {table.Rows.Count} {(table.Rows.Count == 1 ? "key" : "keys")}\n"));
        if (plan is { HasSums: true, HasHistogram: false } && rows.Count > 0)
        {
            text.Append(Invariant($"{"total",NumberWidth}   share{"count",CallsWidth} {"average",NumberWidth} {"max",NumberWidth}"));
            text.Append(plan.HasErrors ? Invariant($"{"errors",ErrorsWidth}") : "").Append(plan.Keys.Count == 1 ? "  " + plan.KeyNames : "").Append('\n');
        }

        foreach (var row in rows)
        {
            if (plan.HasHistogram)
                AppendHistogram(text, table, row);
            else
                AppendKey(text, table, row);
        }

        var more = new CountTotals(new ulong[plan.Slots]);
        foreach (var row in table.Rows.Skip(rows.Count))
            more.Add(row.Totals);
        if (more.Count > 0)
            AppendRow(text, table, more, more.Count, Invariant($"({table.Rows.Count - rows.Count} more {(table.Rows.Count - rows.Count == 1 ? "key" : "keys")}; --top shows them)"));
        if (table.Others.Count > 0)
            AppendRow(text, table, table.Others, table.Others.Count, Invariant($"(other: {options.Keys} keys are all that there is room for; --keys makes more)"));
        if (table.NoField > 0)
            AppendRow(text, table, null, table.NoField, $"(without {string.Join(',', plan.Lacking)})");
        if (plan is { HasSums: true, HasHistogram: false } && table.All.Unknown > 0)
            AppendRow(text, table, null, table.All.Unknown, $"(of these, {plan.Value!.Value.Name} is not known)");
        if (table.Paused > 0)
            text.Append(Invariant($"{table.Paused,CountWidth}          (dropped while paused)\n"));
        text.Append('\n');
    }

    // What found no room has no stack, and no place in a graph.
    private void AppendFolded(StringBuilder text, CountTable table)
    {
        foreach (var row in options.Top is { } top ? table.Rows.Take(top) : table.Rows)
            text.Append(Invariant($"{row.Key} {(table.Plan.HasSums ? row.Totals.Sum : row.Totals.Count)}\n"));
    }

    private static int BesideKeyOf(CountPlan plan) => plan is { HasSums: true, HasHistogram: false }
        ? BesideKeyOfSums + (plan.HasErrors ? ErrorsWidth : 0) : BesideKey;

    // Beside sums there is little room: a longer key has a line of its own.
    private void AppendKey(StringBuilder text, CountTable table, CountRow row)
    {
        int beside = BesideKeyOf(table.Plan);
        bool fits = !table.Plan.HasSums || CellWidth.Of(Encoding.UTF8.GetBytes(row.Key)) <= _columns - beside;
        AppendRow(text, table, row.Totals, row.Totals.Count, fits ? Fitted(row.Key, beside) : "");
        if (!fits)
            text.Append(' ', IndentOfKey).Append(Fitted(row.Key, IndentOfKey)).Append('\n');
    }

    // Where there are no sums `totals` is none.
    private void AppendRow(StringBuilder text, CountTable table, CountTotals? totals, ulong count, string key)
    {
        int beside = BesideKeyOf(table.Plan);
        var lines = WordWrap.Lines(key, Math.Max(_columns - beside, BarWidthMin));
        text.Append(
            (beside == BesideKey ? Invariant($"{count,CountWidth} {Percent(count, table.Total),7:F2}%  {lines[0]}")
                : Sums(table, totals, count) + lines[0]).TrimEnd()).Append('\n');
        foreach (string line in lines.Skip(1))
            text.Append(' ', beside).Append(line).Append('\n');
    }

    private string Sums(CountTable table, CountTotals? totals, ulong count)
    {
        var quantity = table.Plan.Value!.Value.Value.Facts.Quantity!;
        if (totals is null)
            return Invariant($"{"",NumberWidth + ShareWidth}{count,CallsWidth}").PadRight(BesideKeyOf(table.Plan));
        string share = options.Ranking switch
        {
            CountSort.Count => Invariant($"{Percent(count, table.Total),7:F2}%"),
            CountSort.Errors => Invariant($"{Percent(totals.Errors, table.All.Errors),7:F2}%"),
            _ => Invariant($"{Percent(totals.Sum, table.All.Sum),7:F2}%"),
        };
        string average = totals.Average is { } known ? quantity.Text(known) : "-", most = totals.Known > 0 ? quantity.Text(totals.Max) : "-";
        return Invariant($"{quantity.Text((double)totals.Sum),NumberWidth}{share}{count,CallsWidth} {average,NumberWidth} {most,NumberWidth}")
            + (table.Plan.HasErrors ? Invariant($"{totals.Errors,ErrorsWidth}") : "") + "  ";
    }

    private static double Percent(UInt128 part, UInt128 all) => all == 0 ? 0 : 100.0 * (double)part / (double)all;

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

    private void AppendHistogram(StringBuilder text, CountTable table, CountRow row)
    {
        var (plan, totals, slots) = (table.Plan, row.Totals, row.Totals.Slots);
        var quantity = plan.Value!.Value.Value.Facts.Quantity!;
        if (plan.Keys.Count > 0)
        {
            string share = Invariant($": {totals.Count}, {Percent(totals.Count, table.Total):F2}%\n");
            text.Append("  ").Append(Fitted(row.Key, share.Length + 1)).Append(share);
        }

        if (totals.Percentile(s_percentiles[0]) is not null)
        {
            var words = s_percentiles.Select(percent => Invariant($"p{percent} {quantity.Text(totals.Percentile(percent)!.Value)}"))
                .Append("max " + quantity.Text(totals.Max));
            if (plan.HasSums)
                words = words.Append("average " + quantity.Text(totals.Average!.Value)).Append("total " + quantity.Text((double)totals.Sum));
            if (plan.HasErrors)
                words = words.Append(Invariant($"errors {totals.Errors}"));
            text.Append(' ', 4).Append(string.Join("  ", words)).Append('\n');
        }

        int first = Array.FindIndex(slots, 0, Histogram.Unknown, static count => count > 0);
        int last = Array.FindLastIndex(slots, Histogram.Unknown - 1, static count => count > 0);
        ulong most = slots.Max();
        int barWidth = Math.Clamp(_columns - BesideBar, BarWidthMin, BarWidth);
        for (int slot = first; slot <= last && first >= 0; slot++)
        {
            int end = Array.FindIndex(slots, slot, static count => count > 0);
            if (end - slot >= EmptyRowsWorthFolding)
            {
                text.Append(Invariant($"  {"...",LabelWidth}\n"));
                slot = end;
            }

            Line(Histogram.Label(slot, quantity), slots[slot]);
        }

        if (slots[Histogram.Unknown] > 0)
            Line("no such number", slots[Histogram.Unknown]);

        void Line(string label, ulong count) =>
            text.Append(Invariant($"  {label,LabelWidth} {count,CountWidth} |{new string('@', (int)Math.Ceiling(count * (double)barWidth / most)).PadRight(barWidth)}|\n"));
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
}
