// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Formats;
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

/// <summary><c>veil export</c>: writes a recording as other programs take it.</summary>
internal static class ExportCommand
{
    /// <summary><c>--to</c>.</summary>
    internal static Option<string> To { get; } =
        new("--to")
        {
            HelpName = string.Join('|', ExportFormats.All.Select(static format => format.Name)),
            Description = string.Join("; ", ExportFormats.All.Select(static format => $"{format.Name}: {format.Summary}")),
        };

    private static readonly Option<string> s_out =
        new("--out", "-o")
        {
            HelpName = "FILE",
            Description = "where to; - is standard output [the recording's name and the format's ending]",
        };

    private static readonly Option<bool> s_force = new("--force") { Description = "replace a file that is there" };

    // --to says the format.
    private static readonly Option<string> s_until = RecordingFlags.Until("--until");

    /// <summary>The command for the parser.</summary>
    public static Command Create(TraceFlags flags)
    {
        var files = RecordingFlags.Files();
        var command =
            new Command("export", "write a recording for another program: a time line, a profile, a table; no root, any machine") { files };
        foreach (var option in Options(flags))
            command.Add(option);
        command.SetAction(parsed => Run(parsed.GetValue(files)!, parsed, flags));
        return command;
    }

    private static IEnumerable<Option> Options(TraceFlags flags) =>
    [
        To, s_out, s_force, flags.Module, RecordingFlags.From, s_until, flags.Duration, flags.MaxEvents, .. flags.Filters.Values,
        .. RecordingFlags.OfModules(flags), flags.Stack, flags.Fields, flags.CountBy, flags.Sum, flags.Keys, flags.FailOnLoss, flags.Quiet,
    ];

    private static int Run(string[] paths, ParseResult parsed, TraceFlags flags)
    {
        RecordingFlags.RequireFiles(paths, "export");
        var format = FormatOf(parsed.GetValue(To));
        var counting = CountFlags.Read(parsed, flags);
        RequireHolds(format, counting, parsed, flags);
        using var trace = ReplayTrace.Open(paths, ModuleCatalog.All);
        var options = Read(parsed, flags, trace, counting);
        var shown = trace.Events(options.OriginFields, number => options.Modules.Contains(trace.Modules[number]));
        FieldSelection.Validate(shown, options.Output, field => ReplayCommand.NotRecorded(options.Modules, field));
        trace.RequireFilters(options, shown);
        var range = ReplayCommand.Range(parsed, flags, trace, RecordingFlags.From, s_until);
        string? path = PathOf(parsed.GetValue(s_out), paths, format);
        if (path is null)
            RequireStream(format);
        trace.RequireOther(path is null ? "standard output" : s_out.Name, path);
        using var stop = new StopSignal(static () => EarlySignals.First);
        EarlySignals.Take();
        using var file = path is null ? null : ExportFile.Open(path, parsed.GetValue(s_force));
        var export = new FileExport(
            format, trace.Modules, trace.Description, counting, new FdOutput(file?.Fd ?? StandardStreams.Output, stop), Messages.Write);
        using var session = trace.StartExport(options, shown, range, stop, Messages.Write, export, export.Take);
        stop.ListenToSignals(null);
        stop.ThrowIfEarly();
        var summary = session.Run();
        trace.TellOfOtherTimes(range, Messages.Write);
        return End(summary, options, trace, stop, file, path);
    }

    private static int End(
        SessionSummary summary, SessionOptions options, ReplayTrace trace, StopSignal stop, ExportFile? file, string? path)
    {
        if (summary.Failure is { ClosedByReader: true })
            return ExitCode.Success;
        if (summary.Failure is { } failure)
        {
            Messages.Write(failure.Message);
            return ExitCode.Failure;
        }

        if (stop.IsRequested)
        {
            Messages.Write($"stopped{(path is null ? "" : $"; {Escaping.ForMessage(path)} was not written")}");
            return ExitCode.Failure;
        }

        file?.Keep();
        if (!options.Quiet)
        {
            Messages.Write($"exported {summary.Delivered} events{(path is null ? "" : $" to {Escaping.ForMessage(path)}")}");
            foreach (string line in summary.Lines().Skip(1))
                Messages.Write(line);
        }

        return trace.IsIncomplete ? ExitCode.Failure : options.FailOnLoss && summary.LostTotal > 0 ? ExitCode.Loss : ExitCode.Success;
    }

    private static ExportFormat FormatOf(string? name)
    {
        string[] names = [.. ExportFormats.All.Select(static format => format.Name)];
        if (name is null)
            throw new UsageException($"export: --to says for which program: {string.Join(", ", names)}");
        return ExportFormats.All.FirstOrDefault(format => format.Name == name) ?? throw new UsageException(
            $"--to: unknown format '{Escaping.ForMessage(name)}'{NearestName.Hint(name, names)} (available: {string.Join(", ", names)})");
    }

    private static void RequireHolds(ExportFormat format, CountOptions? counting, ParseResult parsed, TraceFlags flags)
    {
        if (format.HoldsCounts && counting is null)
            throw new UsageException(
                $"--to {format.Name}: holds keys and weights: name them, as --count-by comm,syscall --sum duration_ns");
        if (!format.HoldsCounts && counting is not null)
            throw new UsageException(
                $"{(counting.By.Count > 0 ? flags.CountBy.Name : flags.Sum.Name)}: --to {format.Name} holds events and no counts; " +
                $"those that do: {string.Join(", ", ExportFormats.All.Where(static one => one.HoldsCounts).Select(static one => one.Name))}");
        if (!format.TakesFields && !format.HoldsCounts && parsed.GetResult(flags.Fields) is { Implicit: false })
            throw new UsageException($"{flags.Fields.Name}: --to {format.Name} shows what it has room for; leave it out");
    }

    private static SessionOptions Read(ParseResult parsed, TraceFlags flags, ReplayTrace trace, CountOptions? counting)
    {
        var chosen = ReplayCommand.Modules(parsed.GetValue(flags.Module) ?? [], trace);
        var fields = TraceCommand.Words(flags.Fields.Name, parsed.GetValue(flags.Fields) ?? []);
        var arguments = TraceCommand.Arguments(parsed, flags, chosen);
        ReplayCommand.RequireRecorded(trace, arguments, chosen);
        Thresholds.Validate(arguments);
        ReplayCommand.ReadCalls(trace, arguments, OutputFormat.Json);
        // All that was recorded, as all else: --fields and --stack choose.
        var stacks = StackFlags.ReadRecorded(parsed, flags, counting, trace.Description);
        if (stacks == StackKinds.None && fields.Count == 0)
            stacks = StackFlags.RecordedIn(trace.Description);
        return new SessionOptions
        {
            Modules = chosen,
            Available = ModuleCatalog.All,
            Arguments = arguments,
            StacksAsked = stacks,
            Filters = TraceCommand.Filters(parsed, flags, chosen, RecordedDimension.Of),
            Output = new OutputOptions(OutputFormat.Json, fields, trace.Description.Enrichments, Colour: false),
            CountingSent = null,
            EventsMax = TraceCommand.MaxEvents(parsed.GetValue(flags.MaxEvents)),
            FailOnLoss = parsed.GetValue(flags.FailOnLoss),
            Quiet = parsed.GetValue(flags.Quiet),
        };
    }

    // Null is standard output.
    private static string? PathOf(string? given, string[] paths, ExportFormat format)
    {
        if (given is { } path)
            return path == "-" ? null : path.Length > 0 ? path : throw new UsageException($"{s_out.Name}: {EmptyValue.Explain(path)}");
        return paths[0] == "-" ? null : paths[0] + format.Ending;
    }

    private static void RequireStream(ExportFormat format)
    {
        StandardStreams.RequireOutput();
        if (!format.IsText && TerminalScreen.Of(StandardStreams.Output) is not null)
            throw new UsageException($"--to {format.Name}: is no text for a terminal; give it a file (--out FILE) or a pipe");
    }
}
