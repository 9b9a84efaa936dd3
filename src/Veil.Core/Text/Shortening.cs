// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Text;

/// <summary>Takes out the middle of text that has been escaped, so that it fits into some places of a row.</summary>
public static class Shortening
{
    private static ReadOnlySpan<byte> Mark => "…"u8;

    // The end of a path says more than its beginning.
    private const int PartOfHead = 3;

    /// <summary>Shortens what was written last.</summary>
    /// <param name="line">Where it was written.</param>
    /// <param name="start">Where it begins.</param>
    /// <param name="cells">Places that there are, at least one.</param>
    /// <returns>The places that it takes then.</returns>
    public static int Shorten(ref LineWriter line, int start, int cells)
    {
        var text = line.Written[start..];
        int all = CellWidth.Of(text);
        if (all <= cells)
            return all;
        int head = (cells - 1) / PartOfHead, tail = cells - 1 - head;
        int at = 0, seen = 0, headEnd = 0, headCells = 0;
        while (all - seen > tail)
        {
            int length = LengthOfSign(text[at..], out int width);
            at += length;
            seen += width;
            if (seen <= head)
                (headEnd, headCells) = (at, seen);
        }

        line.Replace(start + headEnd, start + at, Mark);
        return headCells + 1 + all - seen;
    }

    // An escape, or a character with all that combines with it, is whole or gone.
    private static int LengthOfSign(ReadOnlySpan<byte> text, out int width)
    {
        int length;
        if (text[0] == '\\' && text.Length > 1)
        {
            length = text[1] switch
            {
                (byte)'x' => 4,
                (byte)'u' => text.IndexOf((byte)'}') + 1,
                _ => 2,
            };
            width = length = Math.Clamp(length, 2, text.Length);
        }
        else
        {
            _ = Rune.DecodeFromUtf8(text, out var rune, out length);
            width = CellWidth.Of(rune);
        }

        while (length < text.Length && text[length] >= 0x80)
        {
            _ = Rune.DecodeFromUtf8(text[length..], out var rune, out int next);
            if (CellWidth.Of(rune) > 0)
                break;
            length += next;
        }

        return length;
    }
}
