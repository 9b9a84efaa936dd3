// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using Veil.Core.Text;

namespace Veil.Core.Calls;

/// <summary>The inside of a string as strace writes it: C's escapes, and octal for other bytes.</summary>
internal static class CallEscaping
{
    /// <summary>The most bytes that one input byte becomes.</summary>
    public const int MaxGrowth = 4;

    private static readonly SearchValues<byte> s_plain =
        SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x5f).Select(static value => (byte)value)
        .Where(static value => value is not ((byte)'"' or (byte)'\\'))]);

    private static readonly SearchValues<byte> s_plainInBrackets =
        SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x5f).Select(static value => (byte)value)
        .Where(static value => value is not ((byte)'"' or (byte)'\\' or (byte)'<' or (byte)'>'))]);

    /// <summary>Appends the bytes.</summary>
    /// <param name="line">Where to.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="inBrackets">Angle brackets are escaped too: they stand around it.</param>
    public static void Append(ref LineWriter line, ReadOnlySpan<byte> bytes, bool inBrackets = false)
    {
        if (!bytes.ContainsAnyExcept(inBrackets ? s_plainInBrackets : s_plain))
        {
            line.Append(bytes);
            return;
        }

        for (int at = 0; at < bytes.Length; at++)
        {
            byte value = bytes[at];
            switch (value)
            {
                case (byte)'<' or (byte)'>' when inBrackets:
                    AppendOctal(ref line, value, isBeforeDigit: false);
                    break;
                case (byte)'"' or (byte)'\\':
                    line.Append((byte)'\\');
                    line.Append(value);
                    break;
                case >= 0x20 and < 0x7f:
                    line.Append(value);
                    break;
                case >= (byte)'\t' and <= (byte)'\r':
                    line.Append((byte)'\\');
                    line.Append("tnvfr"u8[value - '\t']);
                    break;
                default:
                    AppendOctal(ref line, value, at + 1 < bytes.Length && bytes[at + 1] is >= (byte)'0' and <= (byte)'7');
                    break;
            }
        }
    }

    // As few digits as do: before another one of octal all three.
    private static void AppendOctal(ref LineWriter line, byte value, bool isBeforeDigit)
    {
        line.Append((byte)'\\');
        if (isBeforeDigit || value >= 0x40)
            line.Append((byte)('0' + (value >> 6)));
        if (isBeforeDigit || value >= 8)
            line.Append((byte)('0' + ((value >> 3) & 7)));
        line.Append((byte)('0' + (value & 7)));
    }
}
