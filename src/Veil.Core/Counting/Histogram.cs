// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Numerics;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Counting;

/// <summary>The slots of a histogram by powers of two: slot 0 holds zeros, slot n what is at least 2^(n-1) and less than 2^n, the last of
/// them all that is more.</summary>
internal static class Histogram
{
    /// <summary>The slot of events that have no such number.</summary>
    public const int Unknown = 63;

    private const int Most = 62;
    private const int BitsMax = 64;

    /// <summary>The slot of a number.</summary>
    public static int SlotOf(ulong number) => number == 0 ? 0 : Math.Min(BitOperations.Log2(number) + 1, Most);

    /// <summary>The least number of a slot.</summary>
    public static UInt128 From(int slot) => slot == 0 ? 0 : UInt128.One << (slot - 1);

    /// <summary>The first number beyond a slot.</summary>
    public static UInt128 To(int slot) => slot == 0 ? 1 : UInt128.One << (slot == Most ? BitsMax : slot);

    /// <summary>A slot with its unit, such as <c>[16us, 33us)</c>.</summary>
    public static string Label(int slot, Quantity quantity) =>
        $"[{Text((double)From(slot), quantity)}, {Text((double)To(slot), quantity)})";

    // Of two or three digits where it is a time.
    private static string Text(double number, Quantity quantity)
    {
        (number, string unit) = quantity.Scale(number);
        return (number < 10 && number != Math.Floor(number) ? number.ToString("F1", CultureInfo.InvariantCulture)
            : Math.Round(number).ToString("F0", CultureInfo.InvariantCulture)) + unit;
    }
}
