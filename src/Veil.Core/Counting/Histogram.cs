using System.Globalization;

namespace Veil.Core.Counting;

/// <summary>The slots of a histogram by powers of two: slot 0 holds zeros, slot n what is at least 2^(n-1) and less than 2^n, the last of them all that is more.</summary>
internal static class Histogram
{
    /// <summary>The slot of events that have no such number.</summary>
    public const int Unknown = 63;

    private const int Most = 62;
    private const int BitsMax = 64;

    /// <summary>The least number of a slot.</summary>
    public static UInt128 From(int slot) => slot == 0 ? 0 : UInt128.One << (slot - 1);

    /// <summary>The first number beyond a slot.</summary>
    public static UInt128 To(int slot) => slot == 0 ? 1 : UInt128.One << (slot == Most ? BitsMax : slot);

    /// <summary>A slot with the field's unit, such as <c>[16us, 33us)</c>.</summary>
    public static string Label(int slot, string field) => $"[{Text(From(slot), field)}, {Text(To(slot), field)})";

    /// <summary>A number with its unit, of two or three digits where it is a time.</summary>
    public static string Text(UInt128 number, string field)
    {
        if (field.EndsWith("_ns", StringComparison.Ordinal))
            return Scaled((double)number, 1000, ["ns", "us", "ms", "s"]);
        if (field.EndsWith("_us", StringComparison.Ordinal))
            return Scaled((double)number, 1000, ["us", "ms", "s"]);
        if (field.Contains("bytes", StringComparison.Ordinal))
            return Scaled((double)number, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]);
        return Scaled((double)number, 1024, ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]);
    }

    private static string Scaled(double number, double step, string[] units)
    {
        int unit = 0;
        while (number >= step && unit < units.Length - 1)
        {
            number /= step;
            unit++;
        }

        return (number < 10 && number != Math.Floor(number) ? number.ToString("F1", CultureInfo.InvariantCulture) : Math.Round(number).ToString("F0", CultureInfo.InvariantCulture)) + units[unit];
    }
}
