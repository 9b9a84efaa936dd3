// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Cli;

/// <summary>The value of a flag that is a number of bytes: <c>64M</c>, <c>64MiB</c>, <c>65536</c>.</summary>
internal static class SizeFlag
{
    private const int DigitsMax = 12;

    /// <summary>Reads it.</summary>
    public static bool TryRead(string value, out long bytes)
    {
        string digits = value.EndsWith("iB", StringComparison.Ordinal) ? value[..^2] : value.EndsWith('B') ? value[..^1] : value;
        long unit =
            digits.Length == 0 ? 0 : char.ToUpperInvariant(digits[^1]) switch { 'K' => 1L << 10, 'M' => 1L << 20, 'G' => 1L << 30, _ => 1 };
        if (unit > 1)
            digits = digits[..^1];
        bytes = 0;
        if (digits.Length is 0 or > DigitsMax || digits.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;
        bytes = long.Parse(digits) * unit;
        return true;
    }
}
