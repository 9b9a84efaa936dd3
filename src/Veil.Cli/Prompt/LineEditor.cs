// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Cli.Prompt;

/// <summary>One line as it is typed: keys in, the line's text and the cursor's place out. Knows nothing of terminals.</summary>
internal sealed class LineEditor(Func<string, IReadOnlyList<string>> complete, IReadOnlyList<string> history)
{
    private const byte Escape = 0x1b;
    private const int LengthMax = 16 * 1024;
    private readonly StringBuilder _text = new();
    private readonly List<byte> _pending = [];
    private readonly List<byte> _escape = [];
    private int _historyIndex = history.Count;
    private string _typed = "";

    /// <summary>What a key led to.</summary>
    internal enum Result
    {
        /// <summary>Go on; the line may have changed.</summary>
        Editing,

        /// <summary>The line is done.</summary>
        Entered,

        /// <summary>CTRL-L: the screen is to be cleared.</summary>
        Cleared,

        /// <summary>CTRL-C, or CTRL-D on an empty line.</summary>
        Quit,
    }

    /// <summary>The line.</summary>
    public string Text => _text.ToString();

    /// <summary>Characters before the cursor.</summary>
    public int Cursor { get; private set; }

    /// <summary>Completions that are to be shown, because there are several; taken by being read.</summary>
    public IReadOnlyList<string> Candidates { get; private set; } = [];

    /// <summary>Takes one byte from the terminal.</summary>
    public Result Take(byte key)
    {
        Candidates = [];
        if (_escape.Count > 0)
        {
            TakeEscape(key);
            return Result.Editing;
        }

        switch (key)
        {
            case Escape:
                _escape.Add(key);
                break;
            case 0x03:
                return Result.Quit;
            case 0x04 when _text.Length == 0:
                return Result.Quit;
            case 0x04:
                DeleteAt(Cursor);
                break;
            case 0x0c:
                return Result.Cleared;
            case (byte)'\r' or (byte)'\n':
                return Result.Entered;
            case 0x7f or 0x08:
                if (Cursor > 0)
                {
                    Move(-1);
                    DeleteAt(Cursor);
                }

                break;
            case 0x01:
                Cursor = 0;
                break;
            case 0x05:
                Cursor = _text.Length;
                break;
            case 0x02:
                Move(-1);
                break;
            case 0x06:
                Move(+1);
                break;
            case 0x0b:
                _text.Length = Cursor;
                break;
            case 0x15:
                _text.Remove(0, Cursor);
                Cursor = 0;
                break;
            case 0x17:
                DeleteWord();
                break;
            case 0x10:
                Recall(-1);
                break;
            case 0x0e:
                Recall(+1);
                break;
            case (byte)'\t':
                Complete();
                break;
            case >= 0x20:
                TakeText(key);
                break;
        }

        return Result.Editing;
    }

    private void TakeText(byte key)
    {
        _pending.Add(key);
        int needed = _pending[0] switch { < 0x80 => 1, >= 0xf0 => 4, >= 0xe0 => 3, >= 0xc0 => 2, _ => 1 };
        if (_pending.Count < needed)
            return;
        string typed = Encoding.UTF8.GetString(_pending.ToArray());
        _pending.Clear();
        if (_text.Length + typed.Length > LengthMax)
            return;
        _text.Insert(Cursor, typed);
        Cursor += typed.Length;
    }

    // ESC [ … letter, or ESC O letter: cursor keys, Home, End, Delete. The others are swallowed.
    private void TakeEscape(byte key)
    {
        _escape.Add(key);
        if (_escape.Count == 2 && key is (byte)'[' or (byte)'O')
            return;
        if (_escape.Count > 2 && key is < 0x40 or > 0x7e && _escape.Count < 16)
            return;
        switch (_escape.Count > 2 ? (char)key : '\0')
        {
            case 'A':
                Recall(-1);
                break;
            case 'B':
                Recall(+1);
                break;
            case 'C':
                Move(+1);
                break;
            case 'D':
                Move(-1);
                break;
            case 'H':
                Cursor = 0;
                break;
            case 'F':
                Cursor = _text.Length;
                break;
            case '~' when _escape[2] == (byte)'3':
                DeleteAt(Cursor);
                break;
        }

        _escape.Clear();
    }

    private void Move(int by)
    {
        Cursor = Math.Clamp(Cursor + by, 0, _text.Length);
        if (IsInsidePair(Cursor))
            Cursor += by;
    }

    private void DeleteAt(int place)
    {
        if (place < _text.Length)
            _text.Remove(place, IsInsidePair(place + 1) ? 2 : 1);
    }

    private bool IsInsidePair(int place) => place > 0 && place < _text.Length && char.IsSurrogatePair(_text[place - 1], _text[place]);

    private void DeleteWord()
    {
        int start = Cursor;
        while (start > 0 && _text[start - 1] == ' ')
            start--;
        while (start > 0 && _text[start - 1] != ' ')
            start--;
        _text.Remove(start, Cursor - start);
        Cursor = start;
    }

    private void Recall(int by)
    {
        int wanted = Math.Clamp(_historyIndex + by, 0, history.Count);
        if (wanted == _historyIndex)
            return;
        if (_historyIndex == history.Count)
            _typed = Text;
        _historyIndex = wanted;
        Replace(wanted == history.Count ? _typed : history[wanted]);
    }

    private void Replace(string text)
    {
        _text.Clear().Append(text);
        Cursor = text.Length;
    }

    private void Complete()
    {
        string before = Text[..Cursor];
        string word = before[(before.AsSpan().LastIndexOfAny(' ', ',') + 1)..];
        var candidates = complete(before);
        if (candidates.Count == 0)
            return;
        string common = candidates[0];
        foreach (string candidate in candidates)
            common = common[..CommonLength(common, candidate)];
        if (candidates.Count == 1)
            common += " ";
        if (common.Length > word.Length)
        {
            _text.Insert(Cursor, common[word.Length..]);
            Cursor += common.Length - word.Length;
        }
        else
        {
            Candidates = candidates;
        }
    }

    private static int CommonLength(string one, string other)
    {
        int length = 0;
        while (length < one.Length && length < other.Length && one[length] == other[length])
            length++;
        return length;
    }
}
