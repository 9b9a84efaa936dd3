// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Cli.Prompt;
using Veil.Core.Counting;
using Veil.Core.Waiting;

namespace Veil.Cli.Top;

/// <summary>
/// <c>veil top</c> on a terminal. Tables come on the session's thread, keys on one of its own; each draws, and only the lines that have
/// changed are written, so nothing flickers.
/// </summary>
internal sealed class TopScreen : ICountSink, IDisposable
{
    private const string Enter = "\u001b[?1049h\u001b[?25l\u001b[H\u001b[2J";
    private const string Leave = "\u001b[?25h\u001b[?1049l";
    private const byte Escape = 0x1b;
    private const byte Backspace = 0x7f;

    private readonly TopView _view;
    private readonly Func<TopRow, int, RowEvents> _events;
    private readonly StopSignal _stop;
    private readonly bool _colour;
    private readonly Terminal _terminal;
    private readonly TopState _state = new();
    private readonly Lock _gate = new();
    private readonly List<string> _shown = [];
    private (int Columns, int Rows) _size;
    private TopTable? _table;
    private List<TopRow> _rows = [];
    private RowEvents? _open;
    private bool _helps;
    private bool _typing;
    private string _typedBefore = "";
    private Action<bool>? _pause;
    private Thread? _thread;
    private volatile bool _ended;
    private bool _entered;

    /// <summary>Makes it; the terminal stays as it is until <see cref="Begin"/>.</summary>
    /// <param name="view">What is shown.</param>
    /// <param name="sort">What rows are ranked by.</param>
    /// <param name="events">Starts the events of a row, for so many lines.</param>
    /// <param name="stop">Ends it.</param>
    /// <param name="colour">With colours.</param>
    public TopScreen(TopView view, CountSort sort, Func<TopRow, int, RowEvents> events, StopSignal stop, bool colour)
    {
        _view = view;
        _events = events;
        _stop = stop;
        _colour = colour;
        _state.Sort = sort;
        _terminal = new Terminal(() => _ended || _stop.IsRequested);
    }

    /// <summary>Takes the screen.</summary>
    /// <param name="pause">Has nothing counted, or again.</param>
    public void Begin(Action<bool> pause)
    {
        _pause = pause;
        Messages.Hold();
        ErrorBoundary.Restore = End;
        lock (_gate)
        {
            _terminal.EnterRaw();
            _terminal.Write(Enter);
            _entered = true;
        }

        Draw();
        _thread = new Thread(_stop.Guard(ReadKeys), maxStackSize: 256 * 1024) { IsBackground = true, Name = "veil-top" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public void Print(IReadOnlyList<(CountPlan Plan, CountedEvents Counted)> modules, TimeSpan duration, long endedAtNs)
    {
        if (!_ended)
            Show(TopTable.Of(modules, duration));
    }

    /// <summary>Shows a table.</summary>
    public void Show(TopTable table)
    {
        lock (_gate)
        {
            _table = table;
            _state.Message = Messages.TakeHeld().Split('\n', StringSplitOptions.RemoveEmptyEntries) is [.., var last] ? last : null;
        }

        Draw();
    }

    /// <summary>Returns after so long, in which there was no pause, or when the screen is left.</summary>
    public void Hold(TimeSpan time)
    {
        const int looksMs = 20;
        for (double left = time.TotalMilliseconds; left > 0 && !_ended && !_stop.IsRequested;)
        {
            int ms = (int)Math.Clamp(left, 1, looksMs);
            Thread.Sleep(ms);
            if (!_state.Paused)
                left -= ms;
        }
    }

    /// <summary>Says so, as nothing more comes, and returns when the screen is left.</summary>
    public void HoldAtEnd()
    {
        lock (_gate)
            _state.Message = "END";
        Draw();
        Hold(TimeSpan.MaxValue);
    }

    /// <summary>Gives the terminal back as it was.</summary>
    public void Dispose()
    {
        _ended = true;
        _thread?.Join();
        _open?.Dispose();
        End();
        _terminal.Dispose();
    }

    private void End()
    {
        lock (_gate)
        {
            if (!_entered)
                return;
            _entered = false;
            _ended = true;
            _terminal.Write(Leave);
            _terminal.LeaveRaw();
        }

        Messages.Release();
    }

    private void ReadKeys()
    {
        while (!_ended && !_stop.IsRequested)
        {
            int key = _terminal.ReadKey(NeedsDrawing);
            if (key < 0 && !_ended && !_stop.IsRequested && !NeedsDrawing())
                break; // nobody is there any more
            if (key >= 0)
                Take(key == Escape ? ReadSequence() : (char)key);
            Draw();
        }

        if (!_ended)
            _stop.Request();
    }

    private bool NeedsDrawing() => _terminal.Size != _size || _open?.HasNews == true;

    // Cursor keys and their like, as one letter each; a bare escape is itself.
    private char ReadSequence()
    {
        bool waited = false;
        int first = Next();
        if (first is not ('[' or 'O'))
            return (char)Escape;
        int key = Next();
        int digit = key;
        while (key is >= '0' and <= '9' or ';')
            key = Next();
        return key switch
        {
            'A' => 'k',
            'B' => 'j',
            'H' => 'H',
            'F' => 'G',
            '~' => digit switch { '5' => 'K', '6' => 'J', '1' or '7' => 'H', '4' or '8' => 'G', _ => '\0' },
            _ => '\0',
        };

        int Next()
        {
            waited = false;
            return _terminal.ReadKey(() => waited || !(waited = true));
        }
    }

    private void Take(char key)
    {
        if (key == '\u0003')
        {
            _stop.Request();
            return;
        }

        lock (_gate)
        {
            if (_typing)
                TakeTyped(key);
            else if (_open is not null || _helps)
                TakeInside(key);
            else
                TakeCommand(key);
        }
    }

    private void TakeTyped(char key)
    {
        switch (key)
        {
            case '\r' or '\n':
                _typing = false;
                break;
            case (char)Escape:
                _typing = false;
                _state.Filter = _typedBefore;
                break;
            case (char)Backspace or '\b':
                _state.Filter = _state.Filter.Length > 0 ? _state.Filter[..^1] : "";
                break;
            case >= ' ' and < '\u007f' when _state.Filter.Length < 64:
                _state.Filter += key;
                break;
        }
    }

    private void TakeInside(char key)
    {
        if (key is not ((char)Escape or 'q' or '\r' or '\n' or '?' or 'h'))
            return;
        _helps = false;
        _open?.Dispose();
        _open = null;
    }

    private void TakeCommand(char key)
    {
        int body = Body;
        switch (key)
        {
            case 'q':
                _stop.Request();
                break;
            case 'p' or ' ':
                _state.Paused = !_state.Paused;
                _pause!(_state.Paused);
                break;
            case '/':
                (_typing, _typedBefore) = (true, _state.Filter);
                break;
            case (char)Escape:
                _state.Filter = "";
                _state.Followed = null;
                break;
            case 's':
                _state.Sort = NextSort();
                break;
            case 'g' or '\t':
                _state.Group = (_state.Group + 1) % _view.Groups.Length;
                _state.Followed = null;
                (_state.Selected, _state.Top) = (0, 0);
                break;
            case '?' or 'h':
                _helps = true;
                break;
            case '\r' or '\n' when _state.Selected < _rows.Count:
                _open = _events(_rows[_state.Selected], _state.Group);
                break;
            case 'j' or 'k' or 'J' or 'K' or 'H' or 'G':
                Move(key switch { 'j' => 1, 'k' => -1, 'J' => body, 'K' => -body, 'H' => -_rows.Count, _ => _rows.Count });
                break;
        }
    }

    private int Body => Math.Max(_size.Rows - TopFrame.RowsBeside, 1);

    private void Move(int by)
    {
        _state.Selected = Math.Clamp(_state.Selected + by, 0, Math.Max(_rows.Count - 1, 0));
        _state.Followed = _state.Selected < _rows.Count ? _rows[_state.Selected].Key : null;
    }

    private CountSort NextSort()
    {
        var plan = _table?.Plan;
        CountSort[] sorts =
            [CountSort.Count, .. plan?.HasErrors == true ? [CountSort.Errors] : Array.Empty<CountSort>(),
            .. plan?.HasSums == true ? [CountSort.Sum, CountSort.Max] : Array.Empty<CountSort>()];
        return sorts[(Array.IndexOf(sorts, _state.Sort) + 1) % sorts.Length];
    }

    private void Draw()
    {
        lock (_gate)
        {
            if (!_entered)
                return;
            var size = _terminal.Size;
            if (size != _size)
                _shown.Clear();
            _size = size;
            Write(Lines());
        }
    }

    private List<string> Lines()
    {
        var (columns, rows) = _size;
        if (_open is { } open)
            return TopFrame.DrawText(open.Title, open.Lines(rows - 2), "Esc back  CTRL-C quit", columns, rows, _colour);
        if (_helps)
            return TopFrame.DrawText("veil top: keys", s_help, "any of Esc, q, ? back", columns, rows, _colour);
        _rows = _table?.Rows(_view, _state.Group, _state.Sort, _state.Filter) ?? [];
        _state.Settle(_rows, Body);
        _state.Prompt = _typing ? $"filter: {_state.Filter}_  (Enter keeps it, Esc does not)" : null;
        return TopFrame.Draw(_view, _table, _rows, _state, columns, rows, _colour);
    }

    private void Write(List<string> lines)
    {
        var text = new StringBuilder();
        for (int row = 0; row < lines.Count; row++)
        {
            if (row < _shown.Count && _shown[row] == lines[row])
                continue;
            // The line's end is cleared first: a line that fills the row leaves the cursor on its last place.
            text.Append($"\u001b[{row + 1};1H\u001b[2K").Append(lines[row]);
        }

        if (_shown.Count == 0)
            text.Insert(0, "\u001b[2J");
        _shown.Clear();
        _shown.AddRange(lines);
        if (text.Length > 0)
            _terminal.Write(text.ToString());
    }

    private static readonly string[] s_help =
    [
        "",
        "  q, CTRL-C         quit",
        "  up down, j k      choose a row; it stays chosen where it is ranked elsewhere (Esc lets it go)",
        "  PgUp PgDn         a screen up, down; Home End: the first and the last row",
        "  Enter             the events of the row, as they come; Esc goes back",
        "  s                 rank by the next column: rate, errors, total, largest (* marks it)",
        "  g, Tab            group by other fields",
        "  /                 only rows with a text; Esc shows all again",
        "  p, blank          pause: nothing is counted until the next one",
        "",
        "  Rates are of the last interval (--interval). Totals are of what the events took or moved, per second.",
        "  AVERAGE and MAX are of the events of the interval.",
    ];
}
