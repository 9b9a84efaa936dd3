// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.CommandLine;
using Veil.Cli.Prompt;
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Output;
using Veil.Core.Privileged;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Stacks;
using Veil.Core.Text;
using Veil.Core.Waiting;
using Veil.Modules;

namespace Veil.Cli.Top;

/// <summary><c>veil top</c>: the counts of the kernel, live.</summary>
internal static class TopCommand
{
    private const string Once = "--once";
    private const int LinesMax = 500;
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    // What would be read as several values, a denial or a pattern.
    private static readonly SearchValues<char> s_noPlainText = SearchValues.Create(",!\\*?[… ");

    /// <summary>The command for the parser.</summary>
    public static Command Create(TraceFlags flags)
    {
        var module =
            new Argument<string[]>("MODULE|FILE")
            {
                Arity = ArgumentArity.ZeroOrMore,
                Description = $"what is counted: {string.Join(", ", TopView.All.Select(static view => view.Module))} [syscall]; after it, or alone, " +
                    "what --record wrote, to be seen in the time that it took",
            };
        var once = new Option<bool>(Once) { Description = "count for one interval, print the table, and end; with --output json for scripts" };
        var command = new Command("top", "what happens now, a row for each process, file or connection, refreshed each second; ? lists the keys") { module, once };
        foreach (
            var option in new Option[] { flags.Interval, flags.Sort, flags.Top, flags.Keys, flags.Output, flags.Duration, flags.Hook, flags.Follow, flags.IncludeSelf, flags.Yes }
                .Concat(flags.Filters.Values).Concat(flags.ModuleFlags.Values))
            command.Add(option);
        command.SetAction(parsed => Run(parsed, flags, parsed.GetValue(module) ?? [], parsed.GetValue(once)));
        return command;
    }

    private static int Run(ParseResult parsed, TraceFlags flags, string[] words, bool once)
    {
        if (words.FirstOrDefault(static word => word.Length > 1 && word[0] == '-') is { } flag)
            throw new UsageException($"top: it has no flag {Escaping.ForMessage(flag)}; {Instead(flag.Split('=')[0])}");
        var view = words.Length == 0 ? TopView.All[0] : TopView.All.FirstOrDefault(view => view.Module == words[0]);
        string[] files = view is null ? words : words[Math.Min(1, words.Length)..];
        if (files.Length > 0 && (view is not null || IsFile(files[0])))
            return RunRecording(parsed, flags, view, files, once);
        if (view is null)
            throw new UsageException(
                $"top: unknown module '{Escaping.ForMessage(words[0])}'{NearestName.Hint(words[0], TopView.All.Select(static view => view.Module))} (available: {string.Join(", ", TopView.All.Select(static view => view.Module))}), and there is no such file");
        if (flags.Filters.Any(filter => filter.Key.Name == "event" && parsed.GetValue(filter.Value) is { Length: > 0 }))
            view = view.OfEvents;
        var module = TraceCommand.Module(view.Module);
        bool isLive = IsLive(parsed, flags, once);
        var counting = Counting(parsed, flags, view, isLive, once);
        var options = TraceCommand.Read(parsed, flags, (module, counting, view.Switches, view.Event)) with { Quiet = true };
        if (once)
            options = options with { Duration = CountFlags.IntervalOf(parsed, flags) ?? s_interval };
        var request = new TraceRequest(options, parsed.GetValue(flags.Yes), Control: null, ControlGroup: null, NoFollow: false, User: null);
        return isLive ? RunLive(request, view, module, counting.Ranking) : TraceCommand.Run(request, neverAsks: true);
    }

    private static string Instead(string flag) => flag switch
    {
        "--module" or "-m" => $"the module is a word: veil top files ({string.Join(", ", TopView.All.Select(static view => view.Module))})",
        "--count" or "--count-by" or "--sum" or "--hist" => $"it counts already, and g groups otherwise; other tables: veil --module NAME {flag}",
        "--record" or "--flight" or "--write" or "-w" or "--fields" or "--enrich" or "--stack" =>
            $"it shows no events; those have it: veil --module NAME {flag}",
        _ => "see veil help top",
    };

    private static bool IsLive(ParseResult parsed, TraceFlags flags, bool once)
    {
        var format = OutputFormats.Parse(parsed.GetValue(flags.Output));
        bool isLive = !once && format == OutputFormat.Text && IsThere;
        return isLive || once || format != OutputFormat.Text || IsDumb ? isLive
            : throw new UsageException($"top: there is no terminal; {Once} prints one table, --output json a table each time");
    }

    private static bool IsFile(string word) => word == "-" || word.Contains('/') || Path.Exists(word) || Path.HasExtension(word);

    private static int RunRecording(ParseResult parsed, TraceFlags flags, TopView? view, string[] files, bool once)
    {
        foreach (Option flag in new Option[] { flags.Hook, flags.Follow, flags.IncludeSelf })
        {
            if (parsed.GetResult(flag) is { Implicit: false })
                throw new UsageException($"{flag.Name}: is for tracing, and a recording has what it has; leave it out");
        }

        bool isLive = IsLive(parsed, flags, once);
        using var trace = ReplayTrace.Open(files, ModuleCatalog.All);
        view = ViewOf(view, trace);
        var counting = Counting(parsed, flags, view, isLive, once);
        var chosen = ReplayCommand.Modules([view.Module], trace);
        var options = ReplayCommand.Read(parsed, flags, trace, chosen, isLive ? null : counting);
        if (!isLive)
            return ReplayCommand.Run(parsed, flags, trace, options);
        var shown = trace.Events(options.OriginFields, number => chosen.Contains(trace.Modules[number]), all: false);
        trace.RequireFilters(options, shown);
        using var stop = new StopSignal(static () => EarlySignals.First);
        EarlySignals.Take();
        using var screen =
            new TopScreen(
            view, counting.Ranking, (row, group) => CommandOf(row, view, group, chosen[0], files), stop, TraceCommand.UseColour(StandardStreams.Output));
        var export = new RecordedTop(screen, chosen[0], counting);
        var range = ReplayCommand.Range(parsed, flags, trace);
        using var session = trace.StartExport(options, shown, range, stop, Messages.Write, export, static _ => { });
        stop.ListenToSignals(null);
        stop.ThrowIfEarly();
        screen.Begin(static _ => { });
        var summary = session.Run();
        screen.Dispose();
        trace.TellOfOtherTimes(range, Messages.Write);
        foreach (string line in summary.Lines())
            Messages.Write(line);
        return stop.Failure is { } failed ? ErrorBoundary.Report(failed) : trace.IsIncomplete ? ExitCode.Failure : ExitCode.Success;
    }

    // What of a module's view was recorded: calls that have no end here have no time either.
    private static TopView ViewOf(TopView? view, ReplayTrace trace)
    {
        view ??= TopView.All.FirstOrDefault(view => trace.Modules.Any(module => module.Name == view.Module))
            ?? throw new UsageException("top: of what was recorded there is no table; see veil replay --count-by");
        _ = ReplayCommand.Modules([view.Module], trace);
        view = view.OfEvents;
        var fields = trace.Events(null, number => trace.Modules[number].Name == view.Module, all: false).Schemas
            .SelectMany(static schema => schema.Fields).Select(static field => field.Name).ToHashSet();
        if (view.Fields.FirstOrDefault(field => !fields.Contains(field)) is { } missing)
            throw new UsageException($"top: {view.Module} was recorded without {missing}: {ReplayCommand.NotRecorded([TraceCommand.Module(view.Module)], missing)}");
        return view with { Sum = view.Sum is { } sum && fields.Contains(sum.Field) ? sum : null, Switches = [] };
    }

    // The events of a row are a replay of their own.
    private static RowEvents CommandOf(TopRow row, TopView view, int group, TraceModule module, string[] files)
    {
        var filters = FiltersOf(row, view, group, module);
        return new RowEvents("events", $"veil replay {Escaping.ForMessage(string.Join(' ', files))} --module {view.Module} {string.Join(' ', filters.Select(static filter => filter.Words))}".TrimEnd());
    }

    // On a screen the kernel counts by all fields, so that other groups need no new programs. A table has those of the first group.
    private static CountOptions Counting(ParseResult parsed, TraceFlags flags, TopView view, bool isLive, bool once)
    {
        var fields = isLive ? view.Fields : [.. view.Groups[0].Select(place => view.Fields[place])];
        return new CountOptions(
            fields, Histogram: null, CountFlags.TopOf(parsed, flags), once ? null : CountFlags.IntervalOf(parsed, flags) ?? s_interval,
            CountFlags.KeysOf(parsed, flags) ?? CountOptions.DefaultKeys)
        {
            Sum = view.Sum?.Field,
            Sort = CountFlags.SortOf(parsed, flags) ?? view.Sort,
        };
    }

    private static int RunLive(TraceRequest request, TopView view, TraceModule module, CountSort sort)
    {
        if (!request.Yes)
            TraceCommand.Confirm(request.Options);
        using var stop = new StopSignal(static () => EarlySignals.First);
        EarlySignals.Take();
        using var root = RootClient.StartFor(
            Enrichments.None, request.Options.ReadsRuntimes, control: null, Messages.Write, namesStacks: request.Options.StacksTaken != StackKinds.None,
            asksJit: request.Options.AsksJit);
        using var screen =
            new TopScreen(
            view, sort, (row, group) => EventsOf(row, view, group, module, request.Options), stop, TraceCommand.UseColour(StandardStreams.Output));
        // The events of a row are a trace of their own, which needs what attaching needs.
        using var session = KernelTrace.Start(request.Options with { CountSink = screen, KeepsPrivileges = true }, stop, Messages.Write, root);
        stop.ListenToSignals();
        stop.ThrowIfEarly();
        screen.Begin(paused => session.Paused = paused);
        var summary = session.Run(screen.Dispose);
        screen.Dispose();
        foreach (string line in summary.Lines())
            Messages.Write(line);
        return stop.Failure is { } failed ? ErrorBoundary.Report(failed) : ExitCode.Success;
    }

    private static List<(FilterExpression Filter, string Words)> FiltersOf(TopRow row, TopView view, int group, TraceModule module)
    {
        var filters = new List<(FilterExpression Filter, string Words)>();
        foreach (var (place, field) in view.Groups[group].Index())
        {
            string value = row.Cells[place];
            if (FilterOf(module, view.Fields[field]) is not { } dimension || value.AsSpan().ContainsAny(s_noPlainText))
                continue;
            // A process's id says more than a part of its name, and of two ports one is enough.
            if (filters.Exists(
                known => known.Filter.Dimension.Name == dimension.Name || (dimension.Name == "name" && known.Filter.Dimension.Name == "pid")))
                continue;
            try
            {
                filters.Add((FilterExpression.Parse(dimension, [value]), $"--{dimension.Name} {value}"));
            }
            catch (UsageException)
            {
                // What is shown is not always what a filter takes, such as ? for what is not known.
            }
        }

        return filters;
    }

    private static RowEvents EventsOf(TopRow row, TopView view, int group, TraceModule module, SessionOptions options)
    {
        var chosen = FiltersOf(row, view, group, module);
        List<FilterExpression> filters = [.. chosen.Select(static one => one.Filter)];
        string title = $"events of {string.Join(' ', chosen.Select(static one => one.Words))}";
        if (filters.Count == 0)
            return new RowEvents("events", "no filter chooses this row alone; g groups by other fields");
        var kept = options.Filters.Where(filter => !filters.Exists(own => own.Dimension.Name == filter.Dimension.Name));
        return new RowEvents(
            title,
            options with
            {
                Filters = [.. kept, .. filters],
                Counting = null,
                KeepsPrivileges = true,
                Duration = null,
                RingBytes = SessionOptions.DefaultRingBytes / 16,
                Rings = 1,
                Arguments = options.Arguments with { Switches = options.Arguments.Switches.Except(view.Switches).Concat(view.EventSwitches).ToHashSet() },
                Output = new OutputOptions(OutputFormat.Text, [], Enrichments.None, Colour: false) { Screen = TerminalScreen.Of(StandardStreams.Output) },
            },
            LinesMax);
    }

    private static FilterDimension? FilterOf(TraceModule module, string field)
    {
        string[] names = field switch
        {
            "pid" or "next_pid" => ["pid"],
            "comm" or "next_comm" or "sender_comm" or "target_comm" => ["name"],
            "filename" => ["file"],
            "dport" or "sport" => ["port"],
            "evt_type" => ["event", "fault"],
            _ => [field],
        };
        return module.Filters.FirstOrDefault(filter => names.Contains(filter.Name));
    }

    // A terminal that cannot move its cursor gets tables, one after another.
    private static bool IsDumb => Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb" && IsAtTerminal;

    private static bool IsThere => IsAtTerminal && !IsDumb;

    private static bool IsAtTerminal => Terminal.IsThere && !Console.IsOutputRedirected;
}
