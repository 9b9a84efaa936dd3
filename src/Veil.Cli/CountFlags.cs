// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Globalization;
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Stacks;
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
        var by = TraceCommand.Words(flags.CountBy.Name, parsed.GetValue(flags.CountBy) ?? [])
            .SelectMany(static field => field == StackFields.Both ? StackFields.Names(StackKinds.User | StackKinds.Kernel) : [field]).Distinct().ToList();
        string? histogram = parsed.GetValue(flags.Histogram), sum = parsed.GetValue(flags.Sum);
        if (!parsed.GetValue(flags.Count) && by.Count == 0 && histogram is null && sum is null)
        {
            RefuseAny(
                parsed, [flags.Top, flags.Interval, flags.Keys, flags.Sort], "nothing is counted without --count, --count-by, --hist or --sum");
            return null;
        }

        // What is unwound is sent, and counted behind the kernel.
        bool isSent = StackFlags.ReadUnwind(parsed, flags) != StackUnwind.FramePointers;
        RefuseAny(
            parsed, [flags.Fields, flags.Enrich, .. isSent ? [] : new Option[] { flags.Buffer, flags.Rings }, flags.MaxEvents],
            "is for events, and counting shows none; leave one of them out");
        if (by.Count > CountOptions.FieldsMax)
            throw new UsageException($"{flags.CountBy.Name}: takes up to {CountOptions.FieldsMax} fields, and these are {by.Count}");
        if (histogram is not null && sum is not null && histogram != sum)
            throw new UsageException($"{flags.Sum.Name}: beside {flags.Histogram.Name} it takes the same field; leave one of them out");
        return new CountOptions(
            by, histogram, TopOf(parsed, flags), IntervalOf(parsed, flags),
            KeysOf(parsed, flags) ?? (histogram is null ? CountOptions.DefaultKeys : CountOptions.DefaultHistogramKeys))
        {
            Sum = sum,
            Sort = SortOf(parsed, flags),
        };
    }

    /// <summary><c>--top</c>.</summary>
    public static int? TopOf(ParseResult parsed, TraceFlags flags) => Number(flags.Top.Name, parsed.GetValue(flags.Top), TopMax);

    /// <summary><c>--keys</c>.</summary>
    public static int? KeysOf(ParseResult parsed, TraceFlags flags) => Number(flags.Keys.Name, parsed.GetValue(flags.Keys), KeysMax);

    /// <summary><c>--interval</c>.</summary>
    public static TimeSpan? IntervalOf(ParseResult parsed, TraceFlags flags) => TimeFlag.Read(
        flags.Interval.Name, parsed.GetValue(flags.Interval), s_intervalMin, s_intervalMax, "0.1s to 1d, such as 1s or 5m");

    /// <summary><c>--sort</c>.</summary>
    public static CountSort? SortOf(ParseResult parsed, TraceFlags flags) =>
        parsed.GetValue(flags.Sort) is { } sort ? Ranking(flags.Sort.Name, sort) : null;

    private static CountSort Ranking(string flag, string value)
    {
        string[] names = CountOptions.SortNames;
        return Array.IndexOf(names, value) is >= 0 and var sort ? (CountSort)sort
            : throw new UsageException($"{flag}: '{Escaping.ForMessage(value)}' is none of {string.Join(", ", names)}{NearestName.Hint(value, names)}");
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
