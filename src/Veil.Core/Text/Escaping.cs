// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Globalization;
using System.Text;

namespace Veil.Core.Text;

/// <summary>
/// Makes bytes of processes and file systems safe to show. They may be hostile: nothing that moves the cursor, changes the
/// direction of text or ends a line goes out raw, and what was written can be told from the result.
/// </summary>
public static class Escaping
{
    /// <summary>The most bytes that one input byte becomes: <c>\u001b</c>.</summary>
    public const int MaxGrowth = 6;

    /// <summary>An upper bound of what a text takes in any output: the text, its exact bytes in hexadecimal, and their key.</summary>
    public static int BytesMax(int bytes) => (bytes * MaxGrowth) + (bytes * 2) + 64;

    private static readonly SearchValues<byte> s_plainInText = SearchValues.Create(Plain("\\ ="u8));
    private static readonly SearchValues<byte> s_keyBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_."u8);
    private static readonly SearchValues<byte> s_plainInJson = SearchValues.Create(Plain("\\\""u8));

    /// <summary>True where the bytes can stand in a JSON string as they are.</summary>
    public static bool IsPlainJson(ReadOnlySpan<byte> raw) => !raw.ContainsAnyExcept(s_plainInJson);

    /// <summary>
    /// Appends the bytes for a terminal or a log: <c>\n \r \t \\</c>, <c>\xHH</c> for other control bytes and for what is not UTF-8,
    /// <c>\u{H…}</c> for characters that control layout or show nothing (<see cref="IsUnseen"/>). So that no value looks like a column of
    /// its
    /// own, <c>\x20</c> is a blank at an end or beside another one, <c>\x3d</c> the <c>=</c> of a word that could be a column's label
    /// (<c>PID=1</c>), and <c>\u{H…}</c> every other sign that looks like <c>=</c>. A combining mark with nothing of the value before it
    /// would
    /// change our own blank or <c>=</c>, and is escaped too.
    /// </summary>
    /// <returns>The number of characters shown.</returns>
    public static int AppendText(ref LineWriter line, scoped ReadOnlySpan<byte> raw)
    {
        if (raw.ContainsAnyExcept(s_plainInText))
            return Append(ref line, raw, inColumns: true);
        line.Append(raw);
        return raw.Length;
    }

    private static int Append(ref LineWriter line, scoped ReadOnlySpan<byte> raw, bool inColumns)
    {
        int width = 0;
        bool afterBlank = true;
        bool inKey = false; // the bytes since the last blank are all such as a label has
        while (!raw.IsEmpty)
        {
            int before = line.Length;
            bool isBlank = raw[0] == ' ';
            if (inColumns && (isBlank ? afterBlank || raw.Length == 1 || raw[1] == ' ' : inKey && raw[0] == '='))
            {
                AppendHexByte(ref line, raw[0]);
                width += line.Length - before;
                afterBlank = isBlank;
                inKey = false;
                raw = raw[1..];
                continue;
            }

            inKey = (inKey || afterBlank) && s_keyBytes.Contains(raw[0]);
            bool isFirst = afterBlank;
            afterBlank = isBlank;
            var status = Rune.DecodeFromUtf8(raw, out var rune, out int length);
            if (status != OperationStatus.Done)
            {
                for (int i = 0; i < length; i++)
                    AppendHexByte(ref line, raw[i]);
            }
            else if (rune.Value < 0x80)
            {
                AppendAscii(ref line, (byte)rune.Value);
            }
            else if (IsUnseen(rune) || (isFirst && IsCombining(rune)) || (inColumns && LooksLikeEquals(rune)))
            {
                line.Append("\\u{"u8);
                line.AppendHex((uint)rune.Value);
                line.Append((byte)'}');
            }
            else
            {
                line.Append(raw[..length]);
                width -= length - 1;
            }

            width += line.Length - before;
            raw = raw[length..];
        }

        return width;
    }

    /// <summary>Appends the bytes as the inside of a JSON string. What is not UTF-8 becomes U+FFFD.</summary>
    /// <returns>False where bytes were replaced, so that the caller can give them exactly elsewhere.</returns>
    public static bool AppendJson(ref LineWriter line, scoped ReadOnlySpan<byte> raw)
    {
        if (IsPlainJson(raw))
        {
            line.Append(raw);
            return true;
        }

        bool exact = true;
        Span<char> units = stackalloc char[2];
        while (!raw.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(raw, out var rune, out int length);
            if (status != OperationStatus.Done)
            {
                line.Append("\ufffd"u8);
                exact = false;
            }
            else if (rune.Value is '"' or '\\')
            {
                line.Append((byte)'\\');
                line.Append((byte)rune.Value);
            }
            else if (rune.Value < 0x20 || rune.Value == 0x7f || (rune.Value >= 0x80 && IsUnseen(rune)))
            {
                int count = rune.EncodeToUtf16(units);
                for (int i = 0; i < count; i++)
                {
                    line.Append("\\u"u8);
                    line.AppendHex(units[i], digits: 4);
                }
            }
            else
            {
                line.Append(raw[..length]);
            }

            raw = raw[length..];
        }

        return exact;
    }

    /// <summary>The text form of a managed string, for messages.</summary>
    public static string ForMessage(string text)
    {
        byte[] raw = Encoding.UTF8.GetBytes(text);
        var line = new LineWriter(new byte[(raw.Length * MaxGrowth) + 8]);
        Append(ref line, raw, inColumns: false);
        return Encoding.UTF8.GetString(line.Written);
    }

    /// <summary>The same for a column: nothing in it looks like a column's end or label (<see cref="AppendText"/>).</summary>
    public static string ForColumn(string text)
    {
        byte[] raw = Encoding.UTF8.GetBytes(text);
        var line = new LineWriter(new byte[BytesMax(raw.Length)]);
        AppendText(ref line, raw);
        return Encoding.UTF8.GetString(line.Written);
    }

    /// <summary>
    /// The same for text whose parts have been escaped already: a backslash stays as it is. The last look at what goes to a terminal, so
    /// that nothing that was forgotten, or that another process sent, acts on it.
    /// </summary>
    public static string Visible(string text)
    {
        StringBuilder? visible = null;
        int at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            int length = rune.Utf16SequenceLength;
            if (rune.Value is < 0x20 or 0x7f || (rune.Value >= 0x80 && IsUnseen(rune)))
            {
                visible ??= new StringBuilder(text, 0, at, text.Length + 16);
                visible.Append(ForMessage(text.Substring(at, length)));
            }
            else
            {
                visible?.Append(text, at, length);
            }

            at += length;
        }

        return visible?.ToString() ?? text;
    }

    /// <summary>
    /// Does it control layout, or show nothing or a blank? By category, and beside those: the default-ignorable code points of Unicode
    /// (DerivedCoreProperties.txt: fillers, variation selectors, the grapheme joiner), and signs whose glyph is empty.
    /// </summary>
    private static bool IsUnseen(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.SpaceSeparator
        || rune.Value is 0x034f or 0x115f or 0x1160 or 0x17b4 or 0x17b5 or (>= 0x180b and <= 0x180f) or 0x3164 or (>= 0xfe00 and <= 0xfe0f)
            or 0xffa0
            or (>= 0xe0000 and <= 0xe0fff)
        // BRAILLE PATTERN BLANK, MUSICAL SYMBOL NULL NOTEHEAD, EGYPTIAN HIEROGLYPH FULL BLANK and HALF BLANK, KHITAN SMALL SCRIPT FILLER.
        || rune.Value is 0x2800 or 0x1d159 or 0x13441 or 0x13442 or 0x16fe4;

    private static bool IsCombining(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.SpacingCombiningMark;

    // What decomposes to = (UnicodeData.txt), and what Unicode finds confusable with it (confusables.txt).
    private static bool LooksLikeEquals(Rune rune) =>
        rune.Value is 0xff1d or 0xfe66 or 0x207c or 0x208c or 0x1400 or 0x2e40 or 0x30a0 or 0xa4ff or 0xa78a;

    private static void AppendAscii(ref LineWriter line, byte value)
    {
        switch (value)
        {
            case (byte)'\n':
                line.Append("\\n"u8);
                break;
            case (byte)'\r':
                line.Append("\\r"u8);
                break;
            case (byte)'\t':
                line.Append("\\t"u8);
                break;
            case (byte)'\\':
                line.Append("\\\\"u8);
                break;
            case < 0x20 or 0x7f:
                AppendHexByte(ref line, value);
                break;
            default:
                line.Append(value);
                break;
        }
    }

    private static void AppendHexByte(ref LineWriter line, byte value)
    {
        line.Append("\\x"u8);
        line.AppendHex(value, digits: 2);
    }

    private static byte[] Plain(ReadOnlySpan<byte> except)
    {
        var plain = new List<byte>();
        for (byte b = 0x20; b < 0x7f; b++)
        {
            if (!except.Contains(b))
                plain.Add(b);
        }

        return [.. plain];
    }
}
