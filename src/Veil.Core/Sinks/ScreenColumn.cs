// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>A column as a terminal shows it: shorter than the full one, under a title instead of behind a label.</summary>
internal sealed record ScreenColumn
{
    /// <summary>Equal in the kinds of event that have the same column.</summary>
    public required string Key { get; init; }

    /// <summary>What the header calls it.</summary>
    public required string Title { get; init; }

    /// <summary>What stands before the value where it is under no title.</summary>
    public required byte[] Label { get; init; }

    /// <summary>The value.</summary>
    public required EventValue Value { get; init; }

    /// <summary>Nothing is shown where the value is this one.</summary>
    public EventValue? SameAs { get; init; }

    /// <summary>Of an address, its port.</summary>
    public EventValue? Port { get; init; }

    /// <summary>Places that it has where there is room.</summary>
    public required int Width { get; init; }

    /// <summary>Places that it has at least. What is wider moves the rest of its row.</summary>
    public required int WidthMin { get; init; }

    /// <summary>Where there is no room for all, the lowest ranks have no column.</summary>
    public required int Rank { get; init; }

    /// <summary>Without a column of its own, it is shown behind its label in the events where it says something.</summary>
    public bool IsRare { get; init; }

    /// <summary>A value that is as wide as it is, and stands last.</summary>
    public bool IsWide { get; init; }

    /// <summary>It goes on in the next rows, and is not shortened.</summary>
    public bool Wraps { get; init; }

    /// <summary>Zero says nothing.</summary>
    public bool HidesZero { get; init; }

    /// <summary>A name that is longer when it is escaped is shortened to so many places; 0: it is not.</summary>
    public int Limit { get; init; }

    /// <summary>The colour, or none.</summary>
    public byte[] Colour { get; init; } = [];

    /// <summary>That it is not known is said without a title too.</summary>
    public bool ShowsUnknown { get; init; }

    /// <summary>An upper bound of the bytes that it takes, without padding.</summary>
    public int BytesMax =>
        Label.Length + Colour.Length + Ansi.Reset.Length + (2 * Value.BytesMax) + (SameAs?.BytesMax ?? 0) + (Port?.BytesMax ?? 0);

    /// <summary>The columns of one kind of event, in their order.</summary>
    /// <param name="schema">The kind.</param>
    /// <param name="options">What to show.</param>
    /// <param name="severalModules">Events of other modules come too.</param>
    public static List<ScreenColumn> Of(EventSchema schema, in OutputOptions options, bool severalModules)
    {
        var columns = new List<ScreenColumn>();
        var full = LineColumns.Of(schema, options, severalModules);
        foreach (var column in full)
        {
            var hint = column.Hint;
            if (hint.IsHidden || full.Exists(other => other.Hint.Port == column.Name))
                continue;
            string title = hint.Title ?? column.Label.TrimEnd('=').ToUpperInvariant();
            int width = hint.Width ?? column.Width;
            columns.Add(new ScreenColumn
            {
                Key = column.Name,
                Title = title,
                Label = Encoding.UTF8.GetBytes(hint.Label ?? column.Label),
                Value = column.Value.OnScreen,
                SameAs = Find(hint.SameAs),
                Port = Find(hint.Port),
                Width = Math.Max(width, title.Length),
                WidthMin = Math.Max(hint.WidthMin ?? width, title.Length),
                // The id says little where the name is.
                Rank = column.Name == "uid" && options.Enrichments.HasFlag(Enrichments.User) ? 5 : hint.Rank ?? ColumnHint.Kept,
                IsRare = hint.IsRare ?? false,
                IsWide = hint.IsWide,
                Wraps = hint.Wraps,
                HidesZero = hint.HidesZero ?? false,
                ShowsUnknown = hint.ShowsUnknown,
                Limit = hint.Limit,
                Colour = options.Colour ? Encoding.UTF8.GetBytes(hint.Colour) : [],
            });
        }

        return columns;

        EventValue? Find(string? name) => name is null ? null : full.Find(column => column.Name == name).Value;
    }

    /// <summary>Appends the value.</summary>
    public void Write(ref LineWriter line, scoped ref EventView view)
    {
        int start = line.Length;
        SameAs?.WriteText(ref line, ref view);
        int value = line.Length;
        Value.WriteText(ref line, ref view);
        if (SameAs is not null)
        {
            if (line.Written[value..].SequenceEqual(line.Written[start..value]))
                line.Truncate(start);
            else
                line.Replace(start, value, []);
        }

        if (Port is null)
            return;
        // 10.0.0.1:443, [::1]:443
        if (line.Written[start..].Contains((byte)':'))
        {
            line.Replace(start, start, "["u8);
            line.Append((byte)']');
        }

        line.Append((byte)':');
        Port.WriteText(ref line, ref view);
    }
}
