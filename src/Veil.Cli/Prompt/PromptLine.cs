// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Text;

namespace Veil.Cli.Prompt;

/// <summary>The prompt on one line of the terminal, however long the text is: a part of it around the cursor.</summary>
internal static class PromptLine
{
    private const string Sign = "veil $ ";
    private const string ShortSign = "$ ";
    private const int ShortBelow = 16;
    private const int RoomMin = 4;

    /// <summary>What to write so that the line shows the text, with the cursor in its place.</summary>
    /// <param name="text">The line.</param>
    /// <param name="cursor">Characters before the cursor.</param>
    /// <param name="width">The terminal's.</param>
    public static string Draw(string text, int cursor, int width)
    {
        // The last column stays free: a terminal that is full to it may wrap.
        string sign = width < ShortBelow ? ShortSign : Sign;
        int room = Math.Max(width - sign.Length - 1, RoomMin);
        int from = cursor;
        int used = 0;
        while (from > 0 && Before(text, from, out int start) is var wide && used + wide <= room - 1)
            (from, used) = (start, used + wide);
        string before = Escaping.Visible(text[from..cursor]);
        int to = cursor;
        while (to < text.Length && At(text, to, out int next) is var wide && used + wide <= room)
            (to, used) = (next, used + wide);
        string after = Escaping.Visible(text[cursor..to]);
        // Saved and restored, the cursor is right whatever the terminal makes of the characters behind it.
        return $"\r\u001b[K{sign}{before}\u001b7{after}\u001b8";
    }

    private static int Before(string text, int end, out int start)
    {
        start = end - (end > 1 && char.IsSurrogatePair(text[end - 2], text[end - 1]) ? 2 : 1);
        return WidthOf(text[start..end]);
    }

    private static int At(string text, int start, out int next)
    {
        next = start + (start + 1 < text.Length && char.IsSurrogatePair(text[start], text[start + 1]) ? 2 : 1);
        return WidthOf(text[start..next]);
    }

    private static int WidthOf(string character)
    {
        string shown = Escaping.Visible(character);
        if (shown != character)
            return shown.Length;
        return Rune.TryGetRuneAt(character, 0, out var rune) ? CellWidth.Of(rune) : 1;
    }
}
