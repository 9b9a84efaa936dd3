// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core;
using Veil.Core.Calls;
using Veil.Core.Counting;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Output;
using Veil.Core.Recordings;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Stacks;
using Veil.Core.Text;
using Veil.Core.Waiting;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>veil replay</c>: shows what was recorded, as the trace would have.</summary>
internal static class ReplayCommand
{
    private static readonly Option<string> s_to = RecordingFlags.Until("--to");

    private static readonly Option<bool> s_pace = new("--pace") { Description = "as fast as it was, and not as fast as it can be" };

    /// <summary>The command for the parser.</summary>
    public static Command Create(TraceFlags flags)
    {
        var files = RecordingFlags.Files();
        var command =
            new Command("replay", "show a recording as the trace would have: no root, any machine; names are those of then") { files };
        foreach (var option in Options(flags))
            command.Add(option);
        command.SetAction(parsed => Run(parsed.GetValue(files)!, parsed, flags));
        return command;
    }

    private static IEnumerable<Option> Options(TraceFlags flags) =>
    [
        flags.Module, RecordingFlags.From, s_to, s_pace, flags.Duration, flags.MaxEvents, .. flags.Filters.Values, .. RecordingFlags.OfModules(flags), flags.Output,
        flags.Stack, flags.Wide, flags.Fields, flags.Enrich, flags.Write, flags.Count, flags.CountBy, flags.Sum, flags.Histogram, flags.Sort, flags.Top,
        flags.Interval, flags.Keys, flags.FailOnLoss, flags.Quiet,
    ];

    private static int Run(string[] paths, ParseResult parsed, TraceFlags flags)
    {
        if (paths.FirstOrDefault(static path => path is "--follow" or "-f") is { } follow)
            throw new UsageException(
                $"{follow}: a recording has the children that were followed then, and of others it cannot tell whose they are; record with " +
                "--follow, and choose by --pid, --name or --ppid here");
        RecordingFlags.RequireFiles(paths, "replay");
        using var trace = ReplayTrace.Open(paths, ModuleCatalog.All);
        var chosen = Modules(parsed.GetValue(flags.Module) ?? [], trace);
        return Run(parsed, flags, trace, Read(parsed, flags, trace, chosen, CountFlags.Read(parsed, flags)));
    }

    /// <summary>Shows an open recording.</summary>
    internal static int Run(ParseResult parsed, TraceFlags flags, ReplayTrace trace, SessionOptions options)
    {
        if (options.WriteTo is null)
            StandardStreams.RequireOutput(options.Stream);
        var shown = trace.Events(
            options.OriginFields, number => options.Modules.Contains(trace.Modules[number]), options.Output.Format == OutputFormat.Strace);
        FieldSelection.Validate(shown, options.Output, field => NotRecorded(options.Modules, field));
        trace.RequireFilters(options, shown);
        trace.RequireOther(options.WriteTo is null ? "standard output" : flags.Write.Name, options.WriteTo);
        var range = Range(parsed, flags, trace);
        using var stop = new StopSignal(static () => EarlySignals.First);
        EarlySignals.Take();
        using var file = options.WriteTo is { } path ? OutputFile.Open(path) : null;
        using var session = trace.Start(options, shown, range, stop, Messages.Write, file);
        stop.ListenToSignals(null);
        stop.ThrowIfEarly();
        var summary = session.Run();
        trace.TellOfOtherTimes(range, Messages.Write);
        if (summary.Failure is { ClosedByReader: true })
            return ExitCode.Success;
        if (summary.Failure is { } failure)
            Messages.Write(failure.Message);
        if (!options.Quiet)
        {
            foreach (string line in summary.Lines())
                Messages.Write(line);
        }

        return summary.Failure is not null || trace.IsIncomplete ? ExitCode.Failure
            : options.FailOnLoss && summary.LostTotal > 0 ? ExitCode.Loss : ExitCode.Success;
    }

    /// <summary>What is shown of a recording.</summary>
    internal static SessionOptions Read(
        ParseResult parsed, TraceFlags flags, ReplayTrace trace, List<TraceModule> chosen, CountOptions? counting)
    {
        var fields = TraceCommand.Words(flags.Fields.Name, parsed.GetValue(flags.Fields) ?? []);
        string[] enrich = parsed.GetValue(flags.Enrich) ?? [];
        var enrichments = TraceCommand.Enrich(enrich);
        var filters = TraceCommand.Filters(parsed, flags, chosen, RecordedDimension.Of);
        var format = OutputFormats.Parse(parsed.GetValue(flags.Output), isTrace: true);
        if (format == OutputFormat.None)
            throw new UsageException("--output none: nothing would come of it; leave it out");
        if (format == OutputFormat.Strace)
        {
            _ = StraceFlags.Imply(ModuleArguments.None, chosen, fields, enrichments, counting);
            if (chosen.Exists(module => !trace.HasEvents(module, module.EventsOfStrace!)))
                throw new UsageException("--output strace: was not recorded; record with --output strace");
        }
        else if (format == OutputFormat.Folded)
        {
            StackFlags.RequireFolded(chosen, counting);
        }
        else if (format == OutputFormat.Tree)
        {
            TreeFlags.Require(chosen, filters, fields, enrichments, counting);
        }
        else
        {
            enrichments = TraceCommand.Shown(enrichments, fields);
        }

        RequireRecorded(trace, enrichments, string.Join(',', enrich));
        var arguments = TraceCommand.Arguments(parsed, flags, chosen);
        RequireRecorded(trace, arguments, chosen);
        Thresholds.Validate(arguments);
        ReadCalls(trace, arguments, format);
        string? written = parsed.GetValue(flags.Write), writeTo = TraceCommand.WriteTo(written);
        return new SessionOptions
        {
            Modules = chosen,
            Available = ModuleCatalog.All,
            Arguments = arguments,
            StacksAsked = StackFlags.ReadRecorded(parsed, flags, counting, trace.Description),
            Filters = filters,
            Output = new OutputOptions(format, fields, enrichments, writeTo is null && TraceCommand.UseColour(StandardStreams.Output))
            {
                Screen = writeTo is null && !TraceCommand.IsWide(parsed.GetValue(flags.Wide), format, fields)
                    ? TerminalScreen.Of(StandardStreams.Output) : null,
            },
            CountingSent = counting,
            EventsMax = TraceCommand.MaxEvents(parsed.GetValue(flags.MaxEvents)),
            WriteTo = writeTo,
            FailOnLoss = parsed.GetValue(flags.FailOnLoss),
            Quiet = parsed.GetValue(flags.Quiet),
        };
    }

    internal static List<TraceModule> Modules(string[] values, ReplayTrace trace)
    {
        if (values.Length == 0)
            return [.. trace.Modules];
        var names = TraceCommand.Words("--module", values);
        foreach (string name in names)
        {
            _ = TraceCommand.Module(name);
            if (!trace.Modules.Any(module => module.Name == name))
                throw new UsageException(
                    $"--module: {name} was not recorded; what was: {string.Join(", ", trace.Modules.Select(static module => module.Name).Distinct())}");
        }

        return [.. trace.Modules.Where(module => names.Contains(module.Name))];
    }

    private static void RequireRecorded(ReplayTrace trace, Enrichments asked, string values)
    {
        var missing = Enum.GetValues<Enrichments>()
            .Where(some => int.IsPow2((int)some) && asked.HasFlag(some) && !trace.Description.Enrichments.HasFlag(some))
            .Select(EnrichedColumns.FlagValueOf).ToList();
        if (missing.Count > 0)
            throw new UsageException(
                $"--enrich {Escaping.ForMessage(values)}: {string.Join(", ", missing)} {(missing.Count == 1 ? "was" : "were")} not recorded; " +
                $"record with --enrich {string.Join(',', missing)}");
    }

    // A flag that chooses events says nothing new of a recording that has them.
    internal static void RequireRecorded(ReplayTrace trace, ModuleArguments arguments, List<TraceModule> chosen)
    {
        string[] shown = [Thresholds.Slower.Name, Thresholds.Failed.Name, CallFlags.StringSize.Name, CallFlags.Fds.Name];
        foreach (string flag in arguments.Switches.Concat(arguments.Values.Keys).Except(shown))
        {
            var having = chosen.Where(module => module.Flags.Any(has => has.Name == flag)).ToList();
            if (!having.Exists(module => module.EventsByFlag.Any(kind => kind.Flags.Contains(flag))))
                throw new UsageException($"--{flag}: chooses what is traced, and a recording has what it has; leave it out");
            // The flag's own kind, where it has one: it may choose others too, which have less.
            if (!having.Exists(module => module.EventsByFlag.Any(kind => trace.HasEvents(module, kind) && (kind.Flags[0] == flag
                || (kind.Flags.Contains(flag) && !module.EventsByFlag.Any(own => own.Flags[0] == flag))))))
                throw new UsageException($"--{flag}: was not recorded; record with --{flag}");
        }
    }

    internal static void ReadCalls(ReplayTrace trace, ModuleArguments arguments, OutputFormat format)
    {
        var recorded = trace.Description.Calls;
        var usual = format == OutputFormat.Strace ? DescriptorDetail.None : recorded.Descriptors;
        var asked = CallFlags.Read(arguments with { Switches = arguments.Switches.Append(CallFlags.Args.Name).ToHashSet() }, usual);
        if (!arguments.IsGiven(CallFlags.StringSize.Name))
            asked = asked with { StringSize = recorded.StringSize };
        if (asked.StringSize > recorded.StringSize)
            throw new UsageException(
                $"--{CallFlags.StringSize.Name}: only {recorded.StringSize} bytes were recorded; record with --{CallFlags.StringSize.Name}");
        if (asked.Descriptors > recorded.Descriptors)
            throw new UsageException($"--{CallFlags.Fds.Name}: that was not recorded; record with --{CallFlags.Fds.Name}");
        CallOptions.Current = asked;
    }

    internal static ReplayRange Range(ParseResult parsed, TraceFlags flags, ReplayTrace trace) =>
        Range(parsed, flags, trace, RecordingFlags.From, s_to) with { Paced = parsed.GetValue(s_pace) };

    /// <summary>The time that is asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="flags">Its <c>--duration</c>.</param>
    /// <param name="trace">The recording.</param>
    /// <param name="since">The flag of the first time.</param>
    /// <param name="until">The flag of the last.</param>
    /// <exception cref="UsageException">One is no time, or they are in the wrong order.</exception>
    internal static ReplayRange Range(ParseResult parsed, TraceFlags flags, ReplayTrace trace, Option<string> since, Option<string> until)
    {
        var (bootNs, realNs) = trace.Description.Begun;
        long first = ReplayRange.Parse(since.Name, parsed.GetValue(since), bootNs, realNs) ?? long.MinValue;
        long last = ReplayRange.Parse(until.Name, parsed.GetValue(until), bootNs, realNs) ?? long.MaxValue;
        if (first > last)
            throw new UsageException($"{since.Name}: is later than {until.Name}");
        ulong from = (ulong)Math.Max(0, first), to = last == long.MaxValue ? ulong.MaxValue : (ulong)Math.Max(0, last);
        if (TimeFlag.Read(
            flags.Duration.Name, parsed.GetValue(flags.Duration), TraceCommand.s_durationMin, TraceCommand.s_durationMax,
            "1ms to 30d, such as 10s, 5m or 2h") is { } duration)
            to = Math.Min(to, Math.Max(from, (ulong)bootNs) + (ulong)duration.TotalNanoseconds);
        return new ReplayRange(from, to);
    }

    internal static string? NotRecorded(IEnumerable<TraceModule> modules, string field) =>
        StackFields.Of(field) is var stack and not StackKinds.None ? $"was not recorded; record with --stack {stack.ToString().ToLowerInvariant()}"
            : OriginField.All.FirstOrDefault(one => one.Name == field) is { Name: not null } origin
            ? $"was not recorded; record with --enrich {EnrichedColumns.FlagValueOf(origin.By)}"
            : ModuleFields.HintFor(modules, field) is { } hint ? $"was not recorded: {hint}" : null;
}
