// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Cli;

/// <summary>The value of a flag that is a number of bytes: <c>64M</c>, <c>64MiB</c>, <c>65536</c>.</summary>
internal static class SizeFlag
{
    private const int DigitsMax = 12, DigitsOfUnitsMax = 6;

    /// <summary>Reads it; nothing where it is none.</summary>
    public static long? Read(string value)
    {
        string digits = value.EndsWith("iB", StringComparison.Ordinal) ? value[..^2] : value.EndsWith('B') ? value[..^1] : value;
        long unit = digits.Length == 0 ? 0
            : char.ToUpperInvariant(digits[^1]) switch { 'K' => 1L << 10, 'M' => 1L << 20, 'G' => 1L << 30, 'T' => 1L << 40, _ => 1 };
        if (unit > 1)
            digits = digits[..^1];
        return digits.Length == 0 || digits.Length > (unit > 1 ? DigitsOfUnitsMax : DigitsMax) || digits.AsSpan().ContainsAnyExceptInRange('0', '9')
            ? null : long.Parse(digits) * unit;
    }
}
