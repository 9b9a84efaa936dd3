// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Core.Text;

/// <summary>Nanoseconds with the unit that suits them and three digits after the point: <c>950ns 12.345us 1.002s</c>.</summary>
public static class DurationText
{
    /// <summary>Reads a duration with its unit, such as <c>10ms</c>, as nanoseconds.</summary>
    /// <param name="text">A number, with a point or without, and <c>ns us ms s m h d</c>.</param>
    /// <param name="nanoseconds">The duration; it may be less than one of them.</param>
    public static bool TryParse(string text, out double nanoseconds)
    {
        int unitAt = text.AsSpan().IndexOfAnyInRange('a', 'z');
        double unit = unitAt < 0 ? 0 : text[unitAt..] switch
        {
            "ns" => 1,
            "us" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3_600e9,
            "d" => 86_400e9,
            _ => 0,
        };
        bool isNumber =
            double.TryParse(
            text.AsSpan(0, Math.Max(unitAt, 0)), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number);
        nanoseconds = number * unit;
        return isNumber && unit > 0;
    }

    /// <summary>Appends the duration; seconds are the largest unit.</summary>
    public static void Append(ref LineWriter line, ulong nanoseconds)
    {
        switch (nanoseconds)
        {
            case < 1_000:
                line.Append(nanoseconds);
                line.Append("ns"u8);
                break;
            case < 1_000_000:
                AppendThousandths(ref line, nanoseconds);
                line.Append("us"u8);
                break;
            case < 1_000_000_000:
                AppendThousandths(ref line, nanoseconds / 1_000);
                line.Append("ms"u8);
                break;
            default:
                AppendThousandths(ref line, nanoseconds / 1_000_000);
                line.Append((byte)'s');
                break;
        }
    }

    private static void AppendThousandths(ref LineWriter line, ulong thousandths)
    {
        line.Append(thousandths / 1_000);
        line.Append((byte)'.');
        line.AppendPadded((uint)(thousandths % 1_000), 3);
    }
}
