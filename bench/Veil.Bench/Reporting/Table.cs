// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Bench.Reporting;

/// <summary>A text table: the first column to the left, the others to the right, a last remark free.</summary>
internal sealed class Table(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    internal void Add(params string[] cells) => _rows.Add(cells);

    public override string ToString()
    {
        int[] widths = [.. headings.Select((heading, column) =>
            Math.Max(
                heading.Length, _rows.Where(row => row.Length == headings.Length).Select(row => row[column].Length).DefaultIfEmpty()
                .Max()))];
        // A row with fewer cells is a name and a remark that runs over the other columns.
        widths[0] = Math.Max(widths[0], _rows.Select(row => row[0].Length).DefaultIfEmpty().Max());

        var text = new StringBuilder();
        AppendRow(text, headings, widths);
        AppendRow(text, [.. widths.Select(width => new string('-', width))], widths);
        foreach (string[] row in _rows)
            AppendRow(text, row, widths);
        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, string[] row, int[] widths)
    {
        for (int column = 0; column < row.Length; column++)
        {
            bool left = column == 0 || row.Length < widths.Length;
            text.Append(column == 0 ? "" : "  ").Append(left ? row[column].PadRight(widths[column]) : row[column].PadLeft(widths[column]));
        }
        while (text.Length > 0 && text[^1] == ' ')
            text.Length--;
        text.Append('\n');
    }
}
