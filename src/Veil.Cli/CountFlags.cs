// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Globalization;
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The flags that count, checked together.</summary>
internal static class CountFlags
{
    private const int TopMax = 1_000_000;
    private const int KeysMax = 1_000_000;
    private static readonly TimeSpan s_intervalMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_intervalMax = TimeSpan.FromDays(1);

    /// <summary>What is counted, or nothing.</summary>
    /// <exception cref="UsageException">A value is wrong, or a flag would be ignored.</exception>
    public static CountOptions? Read(ParseResult parsed, TraceFlags flags)
    {
        string? by = parsed.GetValue(flags.CountBy), histogram = parsed.GetValue(flags.Histogram);
        if (!parsed.GetValue(flags.Count) && by is null && histogram is null)
        {
            RefuseAny(parsed, [flags.Top, flags.Interval, flags.Keys], "nothing is counted without --count, --count-by or --hist");
            return null;
        }

        RefuseAny(
            parsed, [flags.Fields, flags.Enrich, flags.Buffer, flags.Rings, flags.MaxEvents],
            "is for events, and counting shows none; leave one of them out");
        return new CountOptions(
            by, histogram,
            Number(flags.Top.Name, parsed.GetValue(flags.Top), TopMax),
            TimeFlag.Read(
                flags.Interval.Name, parsed.GetValue(flags.Interval), s_intervalMin, s_intervalMax, "0.1s to 1d, such as 1s or 5m"),
            Number(flags.Keys.Name, parsed.GetValue(flags.Keys), KeysMax)
                ?? (histogram is null ? CountOptions.DefaultKeys : CountOptions.DefaultHistogramKeys));
    }

    private static void RefuseAny(ParseResult parsed, IEnumerable<Option> options, string why)
    {
        if (options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } given)
            throw new UsageException($"{given.Name}: {why}");
    }

    private static int? Number(string flag, string? value, int most)
    {
        if (value is null)
            return null;
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= 1 && number <= most
            ? number
            : throw new UsageException($"{flag}: '{Escaping.ForMessage(value)}' is not a number from 1 to {most}");
    }

}
