// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Globalization;
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Options;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The flags that record, checked together.</summary>
internal static class RecordFlags
{
    private const long SizeMin = 64 * 1024;
    private const long FlightMin = 1024 * 1024;
    private const long FlightMax = 1024 * 1024 * 1024;

    /// <summary>The output where none is asked for: of a flight recorder none.</summary>
    public static string? UsualOutput(ParseResult parsed, TraceFlags flags) =>
        parsed.GetValue(flags.Flight) is not null && parsed.GetValue(flags.Record) is not null
        && !new Option[] { flags.Write, flags.Fields, flags.Wide }.Any(option => parsed.GetResult(option) is { Implicit: false }) ? "none" : null;

    private static long? Size(string? value) => value is null ? null
        : SizeFlag.Read(value) is { } bytes and >= SizeMin ? bytes
        : throw new UsageException($"--record-size: '{Escaping.ForMessage(value)}' is not a size of 64K or more, such as 100M or 1G");

    private static FlightOptions? Flight(ParseResult parsed, TraceFlags flags)
    {
        string[] triggers = parsed.GetValue(flags.Trigger) ?? [];
        string? after = parsed.GetValue(flags.After);
        if (parsed.GetValue(flags.Flight) is not { } value)
            return triggers.Length == 0 && after is null ? null
                : throw new UsageException($"{(triggers.Length > 0 ? "--trigger" : "--after")}: nothing is kept without --flight SIZE");
        if (after is not null && triggers.Length == 0)
            throw new UsageException("--after: there is nothing to wait after without --trigger");
        if (SizeFlag.Read(value) is not ({ } bytes and >= FlightMin and <= FlightMax))
            throw new UsageException($"--flight: '{Escaping.ForMessage(value)}' is not a size from 1M to 1G, such as 64M");
        var words = TraceCommand.Words("--trigger", triggers);
        foreach (string word in words)
            _ = Core.Recordings.Trigger.Parse(word);
        return new FlightOptions(
            bytes, words,
            TimeFlag.Read("--after", after, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), "1ms to 1h, such as 5s") ?? TimeSpan.Zero);
    }

    private static int? Keep(string? value) => value is null ? null
        : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int files) && files is >= 1 and <= 1_000_000 ? files
        : throw new UsageException($"--record-keep: '{Escaping.ForMessage(value)}' is not a number of files from 1 to 1000000");

    /// <summary>How the trace is recorded, or nothing.</summary>
    /// <exception cref="UsageException">A value is wrong, or a flag would be ignored.</exception>
    public static RecordOptions? Read(ParseResult parsed, TraceFlags flags, OutputFormat format, string? written, CountOptions? counting)
    {
        if (format == OutputFormat.None && counting is not null)
            throw new UsageException("--output none: leaves out what is counted; leave one of them out");
        if (format == OutputFormat.None && written is not null)
            throw new UsageException("--write: --output none writes nothing; leave one of them out");
        if (parsed.GetValue(flags.Record) is not { } path)
        {
            if (format == OutputFormat.None && parsed.GetValue(flags.Otlp) is null)
            {
                throw new UsageException(
                    "--output none: nothing would come of the trace; record it with --record FILE, or send its events with --otlp URL");
            }

            foreach (Option option in new Option[]
                { flags.RecordSize, flags.RecordKeep, flags.Flight, flags.Trigger, flags.After, flags.Force })
            {
                if (parsed.GetResult(option) is { Implicit: false })
                    throw new UsageException($"{option.Name}: nothing is recorded without --record FILE");
            }

            return null;
        }

        if (path.Length == 0)
            throw new UsageException($"--record: {EmptyValue.Explain(path)}; give the name of a file");
        if (path == "-")
            throw new UsageException("--record: a recording is a file and not a stream; give its name (./- for one that is called -)");
        var size = Size(parsed.GetValue(flags.RecordSize));
        var keep = Keep(parsed.GetValue(flags.RecordKeep));
        if (keep is not null && size is null)
            throw new UsageException("--record-keep: one file has all without --record-size SIZE");
        var flight = Flight(parsed, flags);
        if (flight is not null && (size is not null || parsed.GetValue(flags.Force)))
            throw new UsageException("--flight: makes a new file each time; leave --record-size, --record-keep and --force out");
        return new RecordOptions(path, parsed.GetValue(flags.Force), size, keep) { Veil = VersionText.Own(), Flight = flight };
    }
}
