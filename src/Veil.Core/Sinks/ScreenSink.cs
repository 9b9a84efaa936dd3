// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Output;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>
/// The end of the pipeline on a terminal: rows that fit its width, under a header that is there again after each screenful. What finds no
/// place in the row goes on in the next one; no word is broken over two.
/// </summary>
internal sealed class ScreenSink : IEventSink
{
    // On fewer rows a header would be half of what is seen.
    private const int RowsForAHeader = 6;

    private const int ShiftMax = 4;

    // A value that wraps begins in a row where it has so much room.
    private const int WrapMin = 30;

    private readonly EventCatalog _catalog;
    private readonly OutputOptions _options;
    private readonly IScreen _screen;
    private readonly OutputBuffer _buffer;
    private readonly StackLines?[] _stacks;
    private ScreenLayout _layout;
    private int _screenRows;
    private int _rowsLeft;
    private int _flushesSeen;

    /// <summary>Lays out the columns.</summary>
    public ScreenSink(EventCatalog catalog, in OutputOptions options, IScreen screen, IOutput output)
    {
        _catalog = catalog;
        _options = options;
        _screen = screen;
        (int columns, _screenRows) = screen.Size;
        _layout = ScreenLayout.For(catalog, options, columns);
        _stacks = [.. catalog.Schemas.Select(StackLines.Of)];
        _buffer = new OutputBuffer(output, _layout.LineBytesMax + _stacks.Max(static stacks => stacks?.BytesMax ?? 0));
    }

    /// <inheritdoc/>
    public ulong Delivered => _buffer.EventsWritten;

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        // Once a batch, which is many times a second, and no signal and no thread is needed for it (SIGWINCH).
        if (_flushesSeen != _buffer.Flushes)
            FollowSize();
        var line = _buffer.BeginLine();
        int start = line.Length;
        int rows = WriteRows(ref line, ref view);
        rows += _stacks[view.Schema.Index]?.Append(ref line, ref view) ?? 0;
        if (_rowsLeft < rows)
        {
            line.Replace(start, start, _layout.Header);
            _rowsLeft = _screenRows < RowsForAHeader ? int.MaxValue : _screenRows - 1;
        }

        _rowsLeft -= rows;
        line.Append((byte)'\n');
        _buffer.EndEvent(line);
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost) => false;

    /// <inheritdoc/>
    public void Flush() => _buffer.Flush();

    /// <inheritdoc/>
    public void End() => _buffer.Flush();

    private void FollowSize()
    {
        _flushesSeen = _buffer.Flushes;
        (int columns, int rows) = _screen.Size;
        _screenRows = rows;
        if (columns == _layout.Columns)
            return;
        var layout = ScreenLayout.For(_catalog, _options, columns);
        if (layout.Columns == _layout.Columns)
            return;
        _layout = layout;
        _rowsLeft = 0;
    }

    private int WriteRows(ref LineWriter line, scoped ref EventView view)
    {
        int rows = 1, used = 0;
        foreach (ref readonly var cell in _layout.CellsOf(view.Schema))
        {
            var column = cell.Column;
            int mark = line.Length;
            int at = used == 0 ? 0 : used + ScreenLayout.Gap;
            // Where a wide value has moved it too far, nobody would look for its title any more.
            bool isTitled = cell.IsTitled && rows == 1 && at - cell.At <= ShiftMax;
            if (rows == 1)
                at = Math.Max(at, cell.At);
            line.PadTo(used, at);
            int label = Begin(ref line, column, isTitled);
            int value = line.Length;
            column.Write(ref line, ref view);
            if (SaysNothing(line.Written[value..], column, isTitled))
            {
                line.Truncate(mark);
                continue;
            }

            int width = Limited(ref line, value, column);
            if (at + label + (column.Wraps ? Math.Min(width, WrapMin) : width) > _layout.Columns && used > 0)
            {
                line.Truncate(mark);
                line.Append("\n"u8);
                at = Math.Min(ScreenLayout.Indent, _layout.Columns / 8);
                line.PadTo(0, at);
                rows++;
                label = Begin(ref line, column, isTitled: column.IsWide && cell.IsTitled);
                value = line.Length;
                column.Write(ref line, ref view);
                width = Limited(ref line, value, column);
            }

            if (column.Wraps && at + label + width > _layout.Columns)
            {
                rows += Wrap(ref line, value, at + label, out width);
                at = 0;
            }

            if (at + label + width > _layout.Columns)
                width = Shortening.Shorten(ref line, value, Math.Max(1, _layout.Columns - at - label));
            if (column.Colour.Length > 0)
                line.Append(Ansi.ResetUtf8);
            used = at + label + width;
        }

        return rows;
    }

    private static ReadOnlySpan<byte> WrapIndent => "\n    "u8;

    // Breaks it at the last blank that fits each row; a word that is wider than a row is left to the terminal.
    private int Wrap(ref LineWriter line, int value, int at, out int width)
    {
        int rows = 0, room = _layout.Columns - at, from = value;
        while (CellWidth.Of(line.Written[value..]) > room)
        {
            int end = -1;
            for (int blank = from; (blank = Next(line.Written, blank)) >= 0; blank++)
            {
                if (end >= 0 && CellWidth.Of(line.Written[value..blank]) > room)
                    break;
                end = blank;
            }

            if (end < 0)
                break;
            line.Replace(end, end + 1, WrapIndent);
            rows++;
            value = end + 1;
            from = end + WrapIndent.Length;
            room = _layout.Columns;
        }

        width = Math.Min(CellWidth.Of(line.Written[value..]), _layout.Columns);
        return rows;

        static int Next(ReadOnlySpan<byte> text, int from) => text[from..].IndexOf((byte)' ') is >= 0 and var found ? from + found : -1;
    }

    private static int Begin(ref LineWriter line, ScreenColumn column, bool isTitled)
    {
        int label = isTitled ? 0 : column.Label.Length;
        line.Append(column.Label.AsSpan(0, label));
        line.Append(column.Colour);
        return label;
    }

    private static int Limited(ref LineWriter line, int value, ScreenColumn column)
    {
        int width = CellWidth.Of(line.Written[value..]);
        return column.Limit > 0 && width > column.Limit ? Shortening.Shorten(ref line, value, column.Limit) : width;
    }

    // Under its title what is not known is a question mark. Elsewhere, and in what most events do not have, it is nothing.
    private static bool SaysNothing(ReadOnlySpan<byte> text, ScreenColumn column, bool isTitled)
    {
        if (text.Length != 1)
            return text.IsEmpty;
        return text[0] switch
        {
            (byte)'?' => !isTitled && !column.ShowsUnknown,
            (byte)'0' => column.HidesZero,
            _ => false,
        };
    }
}
