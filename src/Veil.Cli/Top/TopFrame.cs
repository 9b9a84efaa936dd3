// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Core.Counting;
using Veil.Core.Text;

namespace Veil.Cli.Top;

/// <summary>A screen of <c>veil top</c> as lines, each of the terminal's width at most.</summary>
internal static class TopFrame
{
    /// <summary>Rows beside those of the table: what it is, titles, keys.</summary>
    public const int RowsBeside = 3;

    private const int RateWidth = 11;
    private const int NumberWidth = 9;
    private const int FieldMax = 24;
    private const int LastFieldMin = 16;
    private const string Reverse = "\u001b[7m";
    private const string Bold = "\u001b[1m";
    private const string Red = "\u001b[31m";
    private const string Plain = "\u001b[0m";

    /// <summary>Draws the table.</summary>
    /// <param name="view">What is shown.</param>
    /// <param name="table">The counts; none yet: nothing.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="state">What the user chose.</param>
    /// <param name="columns">The terminal's width.</param>
    /// <param name="height">The terminal's height.</param>
    /// <param name="colour">With colours.</param>
    public static List<string> Draw(
        TopView view, TopTable? table, IReadOnlyList<TopRow> rows, TopState state, int columns, int height, bool colour)
    {
        var lines = new List<string> { Styled(Cut(Summary(view, table, rows.Count, state), columns), Bold, colour) };
        int body = Math.Max(height - RowsBeside, 1);
        string[] fields = [.. view.Groups[state.Group].Select(place => view.Fields[place])];
        int[] widths = FieldWidths(fields, rows.Skip(state.Top).Take(body));
        var numbers = Numbers(view, table, widths[..^1].Sum() + fields.Length - 1 + LastFieldMin, columns);
        FitWidths(widths, columns - 1 - numbers.Sum(static number => number.Width + 1));
        string title = " " + string.Concat(numbers.Select(number => Fit(number.Title + (number.Sort == state.Sort ? "*" : ""), number.Width, isRight: true) + " "))
            + string.Concat(fields.Select((field, at) => Fit(field.ToUpperInvariant(), widths[at]) + (at + 1 < fields.Length ? " " : "")));
        lines.Add(Styled(Fit(title, columns), Reverse, colour));
        for (int at = state.Top; at < rows.Count && at < state.Top + body; at++)
        {
            var row = rows[at];
            string text = (at == state.Selected ? ">" : " ")
                + string.Concat(numbers.Select(number => Fit(number.Text(row.Totals), number.Width, isRight: true) + " "))
                + string.Concat(row.Cells.Select((cell, place) => Fit(cell, widths[place]) + (place + 1 < row.Cells.Length ? " " : "")));
            lines.Add(Styled(Fit(text, columns), at == state.Selected ? Reverse : row.Totals.Errors > 0 ? Red : "", colour));
        }

        if (rows.Count == 0)
            lines.Add(Fit(table is null ? " counting" : state.Filter.Length > 0 ? " no row has that text; Esc shows all" : " nothing in this interval", columns));
        while (lines.Count < height - 1)
            lines.Add("");
        if (lines.Count < height)
            lines.Add(Fit(state.Prompt ?? "q quit  Enter events  / filter  s sort  g group  p pause  ? help", columns));
        return lines;
    }

    /// <summary>Draws lines of text under a title.</summary>
    public static List<string> DrawText(string title, IEnumerable<string> text, string keys, int columns, int height, bool colour)
    {
        var lines = new List<string> { Styled(Fit(title, columns), Reverse, colour) };
        lines.AddRange(text.Take(height - 2).Select(line => Fit(line, columns).TrimEnd()));
        while (lines.Count < height - 1)
            lines.Add("");
        lines.Add(Fit(keys, columns));
        return lines;
    }

    /// <summary>Text in so many places: shortened in its middle, or filled up.</summary>
    internal static string Fit(string text, int cells, bool isRight = false)
    {
        if (cells <= 0)
            return "";
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        int width = CellWidth.Of(utf8);
        if (width > cells)
        {
            var line = new LineWriter(new byte[utf8.Length + 8]);
            line.Append(utf8);
            width = Shortening.Shorten(ref line, 0, cells);
            text = Encoding.UTF8.GetString(line.Written);
        }

        string blanks = new(' ', Math.Max(cells - width, 0));
        return isRight ? blanks + text : text + blanks;
    }

    // What stands last matters least.
    private static string Cut(string text, int cells)
    {
        while (CellWidth.Of(Encoding.UTF8.GetBytes(text)) > cells)
            text = text[..^1];
        return text;
    }

    /// <summary>A rate as people read it.</summary>
    internal static string Rate(double perSecond) =>
        perSecond.ToString(perSecond is > 0 and < 10 ? "F1" : "F0", CultureInfo.InvariantCulture);

    private static string Summary(TopView view, TopTable? table, int rows, TopState state)
    {
        string events = view.Events.ToLowerInvariant();
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"veil top {view.Module}"));
        if (table is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Rate(table.All.Count / table.Seconds)} {events}/s");
            if (table.Plan.HasErrors)
                text.Append(CultureInfo.InvariantCulture, $"  {Rate(table.All.Errors / table.Seconds)} errors/s");
            text.Append(CultureInfo.InvariantCulture, $"  {rows} {(rows == 1 ? "row" : "rows")}  {table.Seconds:F1} s");
        }

        if (state.Filter.Length > 0)
            text.Append($"  filter {Escaping.Visible(state.Filter)}");
        if (state.Paused)
            text.Append("  PAUSED");
        if (table?.Others.Count > 0)
            text.Append(CultureInfo.InvariantCulture, $"  {table.Others.Count} under no key (--keys)");
        if (state.Message is { } message)
            text.Append("  ").Append(Escaping.Visible(message));
        return text.ToString();
    }

    // What has no room goes from the right, but for the rate.
    private static List<Number> Numbers(TopView view, TopTable? table, int needed, int columns)
    {
        double seconds = table?.Seconds ?? 1;
        var numbers = new List<Number> { new(view.Events + "/s", RateWidth, CountSort.Count, totals => Rate(totals.Count / seconds)) };
        if (table?.Plan is { HasErrors: true })
            numbers.Add(new("ERRORS/s", NumberWidth, CountSort.Errors, totals => Rate(totals.Errors / seconds)));
        if (table?.Plan is { HasSums: true, Value.Value.Facts.Quantity: { } quantity } plan)
        {
            string title = view.Sum?.Title ?? (plan.Value.Value.Name == "duration_ns" ? "TIME" : plan.Value.Value.Name.ToUpperInvariant());
            numbers.Add(new(title + "/s", NumberWidth, CountSort.Sum, totals => quantity.Text((double)totals.Sum / seconds)));
            numbers.Add(new("MAX", NumberWidth, CountSort.Max, totals => totals.Known > 0 ? quantity.Text(totals.Max) : "-"));
            numbers.Add(new("AVERAGE", NumberWidth, null, totals => totals.Average is { } average ? quantity.Text(average) : "-"));
        }

        while (numbers.Count > 1 && columns - 1 - numbers.Sum(static number => number.Width + 1) < needed)
            numbers.RemoveAt(numbers.Count - 1);
        return numbers;
    }

    private static int[] FieldWidths(string[] fields, IEnumerable<TopRow> rows)
    {
        int[] widths = Array.ConvertAll(fields, static field => field.Length);
        foreach (var row in rows)
        {
            for (int at = 0; at < fields.Length; at++)
                widths[at] = Math.Max(widths[at], Math.Min(CellWidth.Of(Encoding.UTF8.GetBytes(row.Cells[at])), FieldMax));
        }

        return widths;
    }

    // Of several fields each leaves the last one something, which has what is left.
    private static void FitWidths(int[] widths, int room)
    {
        int before = widths[..^1].Sum() + widths.Length - 1;
        while (before > room - LastFieldMin && widths[..^1].Max() > 4)
        {
            widths[Array.IndexOf(widths, widths[..^1].Max())]--;
            before--;
        }

        widths[^1] = Math.Max(room - before, 1);
    }

    private static string Styled(string text, string style, bool colour) => colour && style.Length > 0 ? style + text + Plain : text;

    private sealed record Number(string Title, int Width, CountSort? Sort, Func<CountTotals, string> Text);
}
