// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>Which columns there are on a screen of some width, and where. Made anew when the width changes.</summary>
internal sealed class ScreenLayout
{
    /// <summary>Blanks before what goes on in another row.</summary>
    public const int Indent = 4;

    /// <summary>Blanks between columns.</summary>
    public const int Gap = 2;

    // Nobody has a wider one; and it is a bound for the memory of a row.
    private const int ColumnsMax = 1_000;
    private const int DetailsMin = 40;
    private const int WideMin = 16;
    private const int WideWanted = 56;

    // Columns up to this rank go before others are narrowed.
    private const int OfLittleUse = 30;

    private readonly ScreenCell[][] _cells;

    private ScreenLayout(int columns, int lineBytesMax, byte[] header, ScreenCell[][] cells)
    {
        Columns = columns;
        LineBytesMax = lineBytesMax;
        Header = header;
        _cells = cells;
    }

    /// <summary>Places in a row.</summary>
    public int Columns { get; }

    /// <summary>The row with the titles, and its line break.</summary>
    public byte[] Header { get; }

    /// <summary>What is written for a kind of event.</summary>
    public ReadOnlySpan<ScreenCell> CellsOf(EventSchema schema) => _cells[schema.Index];

    /// <summary>An upper bound of the bytes of an event with a header, at any width.</summary>
    public int LineBytesMax { get; }

    /// <summary>Lays out the events of a session.</summary>
    /// <param name="catalog">The events.</param>
    /// <param name="options">What to show.</param>
    /// <param name="columns">The screen's width.</param>
    public static ScreenLayout For(EventCatalog catalog, in OutputOptions options, int columns)
    {
        columns = Math.Clamp(columns, 1, ColumnsMax);
        var copy = options;
        bool several = catalog.Schemas.Select(static schema => schema.Module).Distinct(StringComparer.Ordinal).Skip(1).Any();
        var ofKinds = catalog.Schemas.Select(schema => ScreenColumn.Of(schema, copy, several)).ToList();
        var titled = several ? Common(ofKinds) : Union(ofKinds);
        int details = several ? Math.Min(DetailsMin, columns / 2) : 0;
        var places = Place(titled, columns, details);

        int detailsAt = places.Count == 0 ? 0 : places.Values.Max(static place => place.At + place.Width) + Gap;
        var header = new StringBuilder();
        foreach (var (key, place) in places)
            header.Append(' ', Math.Max(0, place.At - header.Length)).Append(titled.Find(column => column.Key == key)!.Title);
        if (several)
            header.Append(' ', Math.Max(0, detailsAt - header.Length)).Append("DETAILS");
        string text = header.ToString().TrimEnd();
        return new ScreenLayout(
            columns, ofKinds.Max(static kind => kind.Sum(static column => column.BytesMax + ColumnsMax)) + (2 * ColumnsMax),
            Encoding.UTF8.GetBytes((copy.Colour ? Ansi.Bold + text + Ansi.Reset : text) + "\n"),
            [.. ofKinds.Select(kind => Cells(kind, places, several ? detailsAt : ScreenCell.Anywhere))]);
    }

    // Which of them have a column, and where it begins.
    private static Dictionary<string, ColumnPlace> Place(List<ScreenColumn> titled, int columns, int reserved)
    {
        var chosen = titled.FindAll(static column => column.Title.Length > 0 && (column.IsWide || column.Rank > 1));
        while (chosen.Count > 1)
        {
            int lowest = chosen.Min(static column => column.Rank);
            if (Needed(chosen, lowest) <= columns)
                break;
            // Of what is to be kept, the last goes on in another row.
            chosen.RemoveAt(lowest < ColumnHint.Kept ? chosen.FindIndex(column => column.Rank == lowest) : chosen.Count - 1);
        }

        var widths = chosen.ConvertAll(static column => column.WidthMin);
        // What is as wide as it is keeps its room.
        int left = columns - Needed(chosen, ColumnHint.Kept - 1);
        while (left > 0 && Widen(chosen, widths, ref left))
        {
        }

        int at = 0;
        var places = new Dictionary<string, ColumnPlace>(StringComparer.Ordinal);
        foreach (var (index, column) in chosen.Index())
        {
            places.Add(column.Key, new(at, widths[index]));
            at += widths[index] + Gap;
        }

        return places;

        // What is of little use makes room before anything is narrowed, and what is as wide as it is has less before anything else goes.
        int Needed(List<ScreenColumn> all, int lowest)
        {
            int wide = lowest <= OfLittleUse ? Math.Min(WideWanted, columns / 2) : lowest < ColumnHint.Kept
                ? Math.Min(DetailsMin, columns / 2) : WideMin;
            return all.Sum(column => (column.IsWide ? wide : lowest <= OfLittleUse ? column.Width : column.WidthMin) + Gap) - Gap
                + (reserved > 0 ? reserved + Gap : 0);
        }
    }

    // A place for each column in turn.
    private static bool Widen(List<ScreenColumn> chosen, List<int> widths, ref int left)
    {
        bool any = false;
        foreach (var (index, column) in chosen.Index())
        {
            if (left > 0 && widths[index] < column.Width)
            {
                widths[index]++;
                left--;
                any = true;
            }
        }

        return any;
    }

    private static ScreenCell[] Cells(List<ScreenColumn> columns, Dictionary<string, ColumnPlace> places, int detailsAt)
    {
        var cells = new List<ScreenCell>();
        foreach (var (key, place) in places)
        {
            if (columns.Find(column => column.Key == key) is { } column)
                cells.Add(new(column, place.At, IsTitled: true));
        }

        foreach (
            var column in detailsAt == ScreenCell.Anywhere ? columns.OrderByDescending(static column => column.IsWide)
            : columns.AsEnumerable())
        {
            if (!places.ContainsKey(column.Key)
                && (column.IsRare || column.Rank >= (detailsAt == ScreenCell.Anywhere ? ColumnHint.Kept : 20))
                && !IsLowCommon(column, detailsAt))
                cells.Add(new(column, detailsAt, IsTitled: false));
        }

        return [.. cells];
    }

    // Of several modules too, whose user it is has a column or is left out.
    private static bool IsLowCommon(ScreenColumn column, int detailsAt) => detailsAt != ScreenCell.Anywhere && column.Key == "uid";

    // The columns that all kinds begin with, and those of enrichments.
    private static List<ScreenColumn> Common(List<List<ScreenColumn>> ofKinds)
    {
        var first = ofKinds[0];
        int same = first.FindIndex(column => ofKinds.Exists(kind => kind[first.IndexOf(column)].Key != column.Key));
        return [.. first[..same], .. first.Where(static column => column.Key is "username" or "proc_name")];
    }

    // The columns of all kinds, each as wide as the widest: first of the kind that has most, and before what is as wide as it is.
    private static List<ScreenColumn> Union(List<List<ScreenColumn>> ofKinds)
    {
        var all = new List<ScreenColumn>();
        foreach (var kind in ofKinds.OrderByDescending(static kind => kind.Count))
        {
            foreach (var column in kind)
            {
                int known = all.FindIndex(other => other.Key == column.Key);
                if (known < 0)
                    all.Add(column);
                else
                    all[known] =
                        all[known] with
                        {
                            Width = Math.Max(all[known].Width, column.Width),
                            WidthMin = Math.Max(all[known].WidthMin, column.WidthMin)
                        };
            }
        }

        return [.. all.Where(static column => !column.IsWide), .. all.Where(static column => column.IsWide)];
    }

    private readonly record struct ColumnPlace(int At, int Width);
}

/// <summary>A value in a row.</summary>
/// <param name="Column">The value.</param>
/// <param name="At">Where it begins at the earliest.</param>
/// <param name="IsTitled">Its title is above it, and no label before it.</param>
internal readonly record struct ScreenCell(ScreenColumn Column, int At, bool IsTitled)
{
    /// <summary>After what is before it.</summary>
    public const int Anywhere = -1;
}
