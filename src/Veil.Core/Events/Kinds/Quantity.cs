// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Core.Events.Kinds;

/// <summary>A quantity, of which a histogram can be made.</summary>
/// <param name="Step">How much of a unit is one of the next.</param>
/// <param name="Units">The names of the units, the smallest first.</param>
internal sealed record Quantity(double Step, string[] Units)
{
    /// <summary>A number of things.</summary>
    public static readonly Quantity Count = new(1024, ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]);

    /// <summary>The same, of which less than none can be.</summary>
    public static readonly Quantity Signed = Count with { IsSigned = true };

    /// <summary>Bytes.</summary>
    public static readonly Quantity Bytes = new(1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]);

    /// <summary>Nanoseconds between two events.</summary>
    public static readonly Quantity Nanoseconds = new(1000, ["ns", "us", "ms", "s"]) { NeedsTime = true };

    /// <summary>Microseconds that the kernel measured itself.</summary>
    public static readonly Quantity Microseconds = new(1000, ["us", "ms", "s"]);

    /// <summary>Are there negative numbers?</summary>
    public bool IsSigned { get; init; }

    /// <summary>Is it the time of the event less an earlier one?</summary>
    public bool NeedsTime { get; init; }

    /// <summary>A number in the largest unit that it has at least one of.</summary>
    public (double Number, string Unit) Scale(double number)
    {
        int unit = 0;
        while (number >= Step && unit < Units.Length - 1)
        {
            number /= Step;
            unit++;
        }

        return (number, Units[unit]);
    }

    /// <summary>A number with four digits and its unit; of things their whole number.</summary>
    public string Text(double number)
    {
        if (Units[0].Length == 0)
            return number.ToString(number == Math.Floor(number) ? "F0" : "F1", CultureInfo.InvariantCulture);
        (double scaled, string unit) = Scale(number);
        string digits = scaled == Math.Floor(scaled) && unit == Units[0] ? "F0" : scaled switch { < 9.9995 => "F3", < 99.995 => "F2", < 999.95 => "F1", _ => "F0" };
        return scaled.ToString(digits, CultureInfo.InvariantCulture) + unit;
    }
}
