// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The value of a flag that is a part of one CPU: <c>2%</c>, <c>0.5%</c>.</summary>
internal static class PercentFlag
{
    private const double Least = 0.1, Most = 100;

    /// <summary>The part, from 0 to 1; nothing where the flag is not given.</summary>
    /// <exception cref="UsageException">It is none, or out of range.</exception>
    public static double? Read(string flag, string? value)
    {
        if (value is null)
            return null;
        string number = value.EndsWith('%') ? value[..^1] : value;
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent)
            && percent is >= Least and <= Most
            ? percent / 100
            : throw new UsageException($"{flag}: '{Escaping.ForMessage(value)}' is not a part of one CPU from {Least.ToString(CultureInfo.InvariantCulture)}% to {Most}%, such as 2%");
    }
}
