// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The flags that take a time: a number with its unit, or seconds.</summary>
internal static class TimeFlag
{
    /// <summary>The time; nothing where the flag is not given.</summary>
    /// <exception cref="UsageException">It is none, or out of range.</exception>
    public static TimeSpan? Read(string flag, string? value, TimeSpan least, TimeSpan most, string range)
    {
        if (value is null)
            return null;
        bool isAlone = value.Length > 0 && char.IsAsciiDigit(value[^1]);
        return DurationText.TryParse(isAlone ? value + "s" : value, out double nanoseconds) && nanoseconds >= least.TotalNanoseconds
            && nanoseconds <= most.TotalNanoseconds
            ? TimeSpan.FromMilliseconds(nanoseconds / 1e6)
            : throw new UsageException($"{flag}: '{Escaping.ForMessage(value)}' is not a time from {range}");
    }
}
