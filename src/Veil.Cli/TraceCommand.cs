// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Globalization;
using Veil.Bpf;
using Veil.Cli.Config;
using Veil.Cli.Prompt;
using Veil.Cli.Service;
using Veil.Core;
using Veil.Core.Calls;
using Veil.Core.Control;
using Veil.Core.Counting;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Output;
using Veil.Core.Privileged;
using Veil.Core.Recordings;
using Veil.Core.Running;
using Veil.Core.Service;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Sources;
using Veil.Core.Stacks;
using Veil.Core.Text;
using Veil.Core.Waiting;
using Veil.Modules;

namespace Veil.Cli;

/// <summary>The main job: trace until told to stop.</summary>
internal static class TraceCommand
{
    private const int RingBytesMin = 64 * 1024;
    private const int RingBytesMax = 1024 * 1024 * 1024;
    internal static readonly TimeSpan s_durationMin = TimeSpan.FromMilliseconds(1);
    internal static readonly TimeSpan s_durationMax = TimeSpan.FromDays(30);

    private static readonly List<string> s_moduleNames = [.. ModuleCatalog.All.Select(static module => module.Name)];

    /// <summary>Runs a trace; the exit code.</summary>
    public static int Run(ParseResult parsed, TraceFlags flags)
    {
        var request = ReadRequest(parsed, flags);
        return parsed.GetValue(flags.Config) is { } file && ServiceSupervisor.IsAsked(file)
            ? ServiceSupervisor.Run(file, parsed.GetValue(flags.Profile)) : Run(request);
    }

    /// <summary>Runs a trace; the exit code.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="neverAsks">There is no prompt: CTRL-C stops.</param>
    internal static int Run(TraceRequest request, bool neverAsks = false)
    {
        RefuseNothingToFollow(request);
        if (request.Options.WriteTo is null)
            StandardStreams.RequireOutput(request.Options.Stream);
        RefuseLevelsOfOthers(request.Options);
        var user = request.User is { } name ? CommandUser.Parse(name) : null;
        using var command = StartedCommand.Words.Count > 0 ? StartedCommand.Take() : null;
        // CTRL-C belongs to the command, and so does the terminal.
        using var worker = ServiceWorker.Current;
        bool asks = command is null && worker is null && !neverAsks && Terminal.IsThere;
        var options = request.Options with
        {
            CountFilters = request.Control is not null || asks || request.Options.MeasureCost,
            TakesCommands = request.Control is not null || asks || worker is not null,
            Command = command?.Pid ?? 0,
            Follow = request.Options.Follow || (command is not null && !request.NoFollow),
        };
        // First of all: the little that has been done until here fits into a few megabytes.
        MemoryCgroup.Require(options, RootClient.NeededFor(options.Output.Enrichments, options.ReadsRuntimes, request.Control is not null, options.Record?.SizeBytes is not null, options.StacksTaken != StackKinds.None, options.AsksJit) != RootAbilities.None);
        if (!request.Yes)
            Confirm(options);
        foreach (
            string warning in options.Filters.SelectMany(Warnings)
            .Concat(options.Modules.SelectMany(module => module.Warnings(options.FlagsOf(module)))))
            Messages.Write($"warning: {warning}");
        if (command is not null && StartedCommand.Warning is { } unseen)
            Messages.Write(unseen);

        using var stop = new StopSignal(static () => EarlySignals.First);
        EarlySignals.Take();
        // Before the session, which gives up the privileges that a path may need.
        using var control = worker is null ? OpenControl(request.Control, request.ControlGroup)
            : worker.TakeControl(request.ControlGroup);
        using var metrics = worker is null ? request.Export.OpenMetrics() : worker.TakeMetrics(request.Export);
        using var manager = command is null ? ServiceNotifier.Open() : null;
        if (options is { Record: { } recorded, WriteTo: { } writeTo })
            Recorder.RequireOther(recorded.Path, writeTo);
        using var recorder = options.Record is { } record ? Recorder.Open(record) : null;
        using var otlp = request.Export.OpenOtlp();
        // Before the drop too; it closes the socket before it ends, because it may have to remove it.
        using var root = RootClient.StartFor(
            options.Output.Enrichments, options.ReadsRuntimes, worker is null ? control : null, Messages.Write, recorder?.Rotating,
            options.StacksTaken != StackKinds.None, options.AsksJit);
        using var file = options.WriteTo is { } path ? OutputFile.Open(path) : null;
        using var session = KernelTrace.Start(options, stop, Messages.Write, root, file, command, recorder, export: otlp);
        var commands = new ControlCommands(session, ModuleCatalog.All);
        using var prompt = asks ? new TracePrompt(commands, session, stop) : null;
        // Of a worker those that came early have been taken, and all later ones are the supervisor's.
        if (command is not null)
            StartedCommand.TakeSignals();
        else if (worker is null)
            stop.ListenToSignals(prompt is null ? null : prompt.Open);
        using var dump = options.Record is { Flight: not null } ? recorder!.DumpOnSignal() : null;
        // The last that came early; from here on they stop the trace, which is said to have begun.
        stop.ThrowIfEarly();
        control?.Start(commands, stop);
        metrics?.Start(session, VersionText.Number, stop, otlp);
        otlp?.Start(session, options.Counting?.Interval ?? ExportFlags.MetricsEvery, stop);
        if (options is { RingBytes: < SessionOptions.DefaultRingBytes, Counting: null, Quiet: false }
            && options.RingBytes == MemoryCgroup.DefaultRingBytes)
            Messages.Write(
                $"the memory cgroup allows {MemoryCgroup.LimitBytes >> 20} MiB: the ring has {options.RingBytes >> 10} KiB (--buffer " +
                $"sets another size), and modules remember less at once");
        if (!options.Quiet && metrics is not null)
            Messages.Write($"metrics: {metrics.Url}");
        if (!options.Quiet && command is null)
            Messages.Write(
                "tracing "
                + string.Join(", ", session.Modules.Select(static module => $"{module.Module.Name} by {module.Hook}").Distinct())
                + (worker is null ? HowToStop(stop, prompt is not null) : ""));

        if (manager is not null)
        {
            session.Beat = manager.Beat;
            if (worker is null)
            {
                var modules = session.Modules.Select(static module => module.Module.Name).Distinct();
                manager.Tell($"READY=1\nSTATUS=tracing {string.Join(", ", modules)}");
            }
        }

        worker?.Begin(session, stop);
        command?.Release(user);
        var summary = session.Run(() =>
        {
            if (worker is null)
                manager?.Tell("STOPPING=1\nSTATUS=writing what is left");
            prompt?.Close();
        });
        control?.Dispose();
        metrics?.Dispose();
        otlp?.Dispose();
        prompt?.Dispose();
        if (summary.Failure is { ClosedByReader: true })
            return command is null ? ExitCode.Success : EndOf(command, lost: false, hasFailed: true, stop);

        if (summary.Failure is { } failure)
            Messages.Write(failure.Message);
        if (!options.Quiet)
        {
            foreach (string line in summary.Lines())
                Messages.Write(line);
        }

        if (!options.Quiet && options.Unwind == StackUnwind.FramePointers && StackEnds.Warning is { } early)
            Messages.Write(early);
        foreach (string line in session.Cost()?.Lines() ?? [])
            Messages.Write(line);

        // For the benchmarks: the promise of no allocation per event, measured where it is kept.
        if (Environment.GetEnvironmentVariable("VEIL_STATS") == "1")
            Messages.Write($"allocated {session.AllocatedBytes} bytes while {summary.Delivered} events were delivered");
        if (stop.Failure is { } failed)
            return ErrorBoundary.Report(failed);
        if (command is null)
            return summary.Failure is not null || recorder?.HasFailed == true ? ExitCode.Failure : options.FailOnLoss && summary.LostTotal > 0 ? ExitCode.Loss
                : ExitCode.Success;
        return EndOf(command, options.FailOnLoss && summary.LostTotal > 0, summary.Failure is not null, stop);
    }

    // The journal takes "<N>" at the beginning of a line for its level (sd-daemon(3)), and names of processes would stand there.
    private static void RefuseLevelsOfOthers(SessionOptions options)
    {
        if (options.WriteTo is null && options.Output.Format is not (OutputFormat.Json or OutputFormat.None)
            && JournalStream.Leads(options.Stream))
            throw new UsageException(
                "--output: the journal would take the name of a process such as '<0>x' for the level of its line; choose json, none " +
                "(beside --otlp, --metrics or --record), or write to a file");
    }

    // Once the command runs, the exit code is its own: a script that traces one part of it goes on as it would.
    private static int EndOf(TracedCommand command, bool lost, bool hasFailed, StopSignal stop)
    {
        if (hasFailed)
            command.WaitForEnd(stop);
        if (command.Failure() is { } why)
            Messages.Write($"{StartedCommand.Name}: {why}");
        if (!command.HasEnded)
            Messages.Write($"{StartedCommand.Name} goes on, untraced, as process {command.Pid}");
        return lost ? ExitCode.Loss : command.HasEnded ? command.ExitCode : hasFailed ? ExitCode.Failure : ExitCode.Success;
    }

    private static void RefuseNothingToFollow(TraceRequest request)
    {
        if (StartedCommand.Words.Count > 0)
        {
            if (request.NoFollow && request.Options.Follow)
                throw new UsageException("--no-follow: not beside --follow; leave one of them out");
            return;
        }

        if (request.NoFollow || request.User is not null)
            throw new UsageException($"{(request.NoFollow ? "--no-follow" : "--user")}: is for a command: veil [flags] -- CMD ARG…");
        if (request.Options.Follow
            && !request.Options.Filters.Any(
            static filter =>
            TraceModule.IsOfTask(filter.Dimension) && filter.Bits.Values.Any(static bits => bits.HasFlag(FilterBits.Allow))))
            throw new UsageException(
                "--follow: everything is traced already; choose whose children to follow by -p, --tid, -u or -n, or run a command: " +
                "veil [flags] -- CMD ARG…");
    }

    private static TraceRequest ReadRequest(ParseResult parsed, TraceFlags flags)
    {
        string? profile = parsed.GetValue(flags.Profile);
        if (parsed.GetValue(flags.Config) is not { } file)
            return profile is null ? TraceRequest.Read(parsed, flags)
                : throw new UsageException("--profile: there is no profile without --config FILE");
        // Which of the two should hold? Nobody could tell from the command line.
        foreach (var option in flags.All)
        {
            if (option != flags.Config && option != flags.Profile && parsed.GetResult(option) is { Implicit: false })
                throw new UsageException($"{option.Name}: not beside --config; write it into {Escaping.ForMessage(file)}");
        }

        return ConfigFile.Read(file).Request(profile);
    }

    /// <summary>Makes the control socket, or does nothing.</summary>
    internal static ControlServer? OpenControl(string? path, string? group) => path switch
    {
        null when group is not null => throw new UsageException("--control-group: there is no socket without --control PATH"),
        null => null,
        _ => ControlServer.Open(path, group),
    };

    // In the background of a script the shell has SIGINT ignored, and a job, a service or a child of timeout(1) is not who CTRL-C is for.
    internal static string HowToStop(StopSignal stop, bool asks) => stop switch
    {
        { ListensToInterrupt: true } when asks => "; CTRL-C pauses and asks",
        { ListensToInterrupt: true } when Terminal.IsForegroundOfOurs => "; CTRL-C stops",
        _ => $"; kill -TERM {Environment.ProcessId} stops",
    };

    // Asks on the terminal. Nobody there is a no: a script says --yes.
    internal static void Confirm(SessionOptions options)
    {
        foreach (
            string question in options.Modules.Select(module => module.Question([.. options.FiltersOf(module)], options.FlagsOf(module)))
            .OfType<string>())
        {
            if (Console.IsInputRedirected || Console.IsErrorRedirected)
                throw new UsageException($"{question}: nobody can be asked without a terminal; narrow it down, or add --yes");
            StandardStreams.WriteError($"veil: {Escaping.Visible(question)}; go on? [y/N] ");
            if (Terminal.ReadLine().Trim() is not ("y" or "Y" or "yes"))
                throw new VeilException("not started: the answer was not yes");
        }
    }

    private static bool IsOfLast(FilterExpression filter, List<TraceModule> modules) =>
        filter.Dimension.Name == "event" && filter.Bits.Count > 0 && filter.Bits.All(key => key.Value == FilterBits.Allow
            && modules.Exists(module => string.Equals(module.LastEvent, key.Key.Text, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Checks the whole command line before anything starts.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="flags">Its flags.</param>
    /// <param name="top">What a command counts that has no flags for it; or none.</param>
    internal static SessionOptions Read(ParseResult parsed, TraceFlags flags, (TraceModule Module, CountOptions Counting, string[] Switches, string? Event)? top = null)
    {
        var modules = top is { } chosen ? [chosen.Module] : Modules(parsed.GetValue(flags.Module) ?? []);
        var filters = Filters(parsed, flags, modules);
        if (top is { Event: { } kind })
            filters.AddRange(ReadFilter("event", [kind], modules, take: null));
        var arguments = Arguments(parsed, flags, modules) with { Filters = Named(filters) };
        if (top is { } of)
            arguments = arguments with { Switches = arguments.Switches.Concat(of.Switches).ToHashSet() };
        Thresholds.Validate(arguments);
        var counting = top?.Counting ?? CountFlags.Read(parsed, flags);
        if (counting is not null && ExportFlags.IsAny(parsed, flags))
            counting = counting with { IsExported = true };
        ExportFlags.RequireFew(parsed, flags, counting?.Keys ?? 0);
        var unwind = StackFlags.ReadUnwind(parsed, flags);
        int stackCopy = StackFlags.ReadCopy(parsed, flags, unwind);
        // Events that are recorded are sent, so are stacks that are unwound here, and what is sent is counted here.
        bool isUnwound = counting is not null && unwind != StackUnwind.FramePointers && StackFlags.CountsByUser(modules, counting);
        bool isSent = isUnwound || (counting is not null && parsed.GetValue(flags.Record) is not null);
        if (isUnwound && ExportFlags.IsAny(parsed, flags))
            throw new UsageException(
                "--unwind: what is unwound is counted behind the kernel, and what is exported would be empty; leave --metrics and --otlp out, or --unwind");
        if (isSent && ExportFlags.IsAny(parsed, flags))
            throw new UsageException("--record: beside counting, what is exported would be empty; leave --metrics and --otlp out, or --record");
        if (counting is not null && !isSent && filters.Exists(filter => IsOfLast(filter, modules)))
            throw new UsageException(
                "--event: what is asked for comes as the trace ends, when counts have ended; with --record FILE it is counted, or leave the " +
                "count out");
        bool byArgument = counting?.Arguments.Any(static name => name is not null) == true;
        if (byArgument)
            arguments = arguments with { Switches = arguments.Switches.Append(CallFlags.Args.Name).ToHashSet() };
        var fields = Words("--fields", parsed.GetValue(flags.Fields) ?? []);
        var enrichments = Enrich(parsed.GetValue(flags.Enrich) ?? []);
        if (enrichments.HasFlag(Enrichments.Why)
            && !modules.Exists(module => HasPaths(module) || module.ChosenEvent(arguments)?.Flags[0] == "args"))
        {
            throw modules.Exists(static module => module.Flags.Contains(CallFlags.Args))
                ? new UsageException("--enrich why: system calls have their paths with --args; add it")
                : NoModuleHas("--enrich why", modules, HasPaths, "paths");
        }

        var format = OutputFormats.Parse(parsed.GetValue(flags.Output) ?? RecordFlags.UsualOutput(parsed, flags), isTrace: true);
        if (format == OutputFormat.Strace)
            arguments = StraceFlags.Imply(arguments, modules, fields, enrichments, counting);
        else if (format == OutputFormat.Folded)
            StackFlags.RequireFolded(modules, counting);
        else if (format == OutputFormat.Tree)
            TreeFlags.Require(modules, filters, fields, enrichments, counting);
        else
            enrichments = Shown(enrichments, fields);
        CallOptions.Current = CallFlags.Read(arguments, format == OutputFormat.Strace ? DescriptorDetail.None : DescriptorDetail.All) with
        {
            CountedBy = isSent ? null : counting?.Arguments,
            WithFolder = enrichments.HasFlag(Enrichments.Why),
        };
        modules =
            [.. modules.SelectMany(
            module => module.Instances(
            arguments with { Filters = Named(filters.Where(filter => filter.Module is null || filter.Module == module.Name)) }, filters))];
        if (counting is not null
            && modules.FirstOrDefault(static module => module.FiltersInUserspace is not null) is { FiltersInUserspace: { } late })
            throw new UsageException(
                $"{late}: so many values are decided in userspace, after counting; give fewer, or --count-by filename");
        ScopeHierarchy.Choose(filters, enrichments.HasFlag(Enrichments.Container));
        string? written = parsed.GetValue(flags.Write), writeTo = WriteTo(written);
        var record = RecordFlags.Read(parsed, flags, format, written, counting);
        int stream = written is null ? StartedCommand.Stream : StandardStreams.Output;
        var options = new SessionOptions
        {
            Modules = modules,
            Available = ModuleCatalog.All,
            StacksAsked = StackFlags.Read(parsed, flags, counting),
            ShowsLines = parsed.GetValue(flags.Lines),
            AsksJit = StackFlags.ReadJit(parsed, flags),
            Unwind = unwind,
            StackCopyBytes = stackCopy,
            Filters = filters,
            Arguments = arguments,
            Hook = Hook(parsed.GetValue(flags.Hook), modules),
            Output = new OutputOptions(format, fields, enrichments, writeTo is null && UseColour(stream))
            {
                Screen = writeTo is null && !IsWide(parsed.GetValue(flags.Wide), format, fields) ? TerminalScreen.Of(stream) : null,
            },
            EventsMax = MaxEvents(parsed.GetValue(flags.MaxEvents)),
            Duration =
                TimeFlag.Read(
                flags.Duration.Name, parsed.GetValue(flags.Duration), s_durationMin, s_durationMax, "1ms to 30d, such as 10s, 5m or 2h"),
            WriteTo = writeTo,
            Record = record,
            Stream = stream,
            Follow = parsed.GetValue(flags.Follow),
            ExecutableWatch = (counting is null || isSent) && enrichments.HasFlag(Enrichments.Exe) ? ExecutableWatch.ReadObject : null,
            Counting = isSent ? null : counting,
            CountingSent = isSent ? counting : null,
            RingBytes = counting is not null && !isSent ? RingBytesMin : RingBytes(parsed.GetValue(flags.Buffer)),
            Rings = counting is not null && !isSent ? 1 : Rings(parsed.GetValue(flags.Rings)),
            IncludeSelf = parsed.GetValue(flags.IncludeSelf),
            MeasureCost = parsed.GetValue(flags.Stats),
            Budget = PercentFlag.Read(flags.Budget.Name, parsed.GetValue(flags.Budget)),
            FailOnLoss = parsed.GetValue(flags.FailOnLoss),
            Quiet = parsed.GetValue(flags.Quiet),
            Verbose = parsed.GetValue(flags.Verbose),
        };
        StackFlags.RequireUser(options.StacksTaken, unwind, flags);
        return StackFlags.Check(parsed, flags, options);
    }

    /// <summary>The filters.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="flags">The flags.</param>
    /// <param name="modules">The modules that they are for.</param>
    /// <param name="take">The dimension to take for one of a module.</param>
    internal static List<FilterExpression> Filters(
        ParseResult parsed, TraceFlags flags, List<TraceModule> modules, Func<FilterDimension, FilterDimension>? take = null)
    {
        var filters = new List<FilterExpression>();
        foreach (var (dimension, option) in flags.Filters)
        {
            if (parsed.GetValue(option) is not { Length: > 0 } values)
                continue;
            if (!modules.Any(module => module.Filters.Any(has => has.Name == dimension.Name)))
                throw NoModuleHas(option.Name, modules, module => module.Filters.Any(has => has.Name == dimension.Name));
            filters.AddRange(ReadFilter(dimension.Name, values, modules, take));
        }

        return filters;
    }

    private static Dictionary<string, FilterExpression> Named(IEnumerable<FilterExpression> filters) =>
        filters.DistinctBy(static filter => filter.Dimension.Name).ToDictionary(static filter => filter.Dimension.Name);

    // Words of several modules (--event) go each to the module that has it.
    private static IEnumerable<FilterExpression> ReadFilter(
        string name, string[] values, List<TraceModule> modules, Func<FilterDimension, FilterDimension>? take)
    {
        var having =
            modules.Select(module => (Module: module.Name, Dimension: module.Filters.FirstOrDefault(filter => filter.Name == name)))
            .Where(static module => module.Dimension is not null).ToList();
        if (having.Count == 1 || having[0].Dimension is not EnumDimension)
        {
            yield return FilterExpression.Parse(take is null ? having[0].Dimension! : take(having[0].Dimension!), values);
            yield break;
        }

        var words = values.SelectMany(ListText.Split).ToList();
        var known = having.SelectMany(static module => module.Dimension!.KeyNames()).ToHashSet(StringComparer.Ordinal);
        if (words.Select(static word => word.TrimStart('!')).FirstOrDefault(word => !known.Contains(word)) is { } unknown)
        {
            var available = having.Select(static module => $"{module.Module}: {string.Join(", ", module.Dimension!.KeyNames())}");
            throw new UsageException(
                $"--{name}: unknown {name} '{Escaping.ForMessage(unknown)}'{NearestName.Hint(unknown, known)} (available: " +
                $"{string.Join("; ", available)})");
        }

        foreach (var (module, dimension) in having)
        {
            var own = dimension!.KeyNames().ToHashSet(StringComparer.Ordinal);
            List<string> given = [.. words.Where(word => own.Contains(word.TrimStart('!')))];
            if (given.Count > 0)
                yield return FilterExpression.Parse(dimension, given) with { Module = module };
            if (words.Exists(static word => !word.StartsWith('!')) && !given.Exists(static word => !word.StartsWith('!')))
                throw new UsageException($"--{name}: none is of module {module} (it has {string.Join(", ", dimension.KeyNames())})");
        }
    }

    internal static ModuleArguments Arguments(ParseResult parsed, TraceFlags flags, List<TraceModule> modules)
    {
        var switches = new HashSet<string>(StringComparer.Ordinal);
        var values = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (flag, option) in flags.ModuleFlags)
        {
            if (option is Option<string[]> list && parsed.GetValue(list) is { Length: > 0 } given)
                values[flag.Name] = Words(option.Name, given);
            else if (option is Option<bool> toggle && parsed.GetValue(toggle))
                switches.Add(flag.Name);
            else
                continue;
            if (!modules.Any(Has))
                throw NoModuleHas(option.Name, modules, Has);

            bool Has(TraceModule module) => module.Flags.Any(has => has.Name == flag.Name);
        }

        return new ModuleArguments(switches, values);
    }

    private static List<TraceModule> Modules(string[] values)
    {
        return values.Length > 0
            ? [.. Words("--module", values).Select(Module).Distinct()]
            : throw new UsageException(
                $"--module: say what to trace, such as --module syscall (available: {string.Join(", ", s_moduleNames)}); see veil --help");
    }

    /// <summary>The module of that name.</summary>
    internal static TraceModule Module(string name) => ModuleCatalog.All.FirstOrDefault(module => module.Name == name)
        ?? throw new UsageException(
            $"--module: unknown module '{Escaping.ForMessage(name)}'{(Habits.Module(name) is { } instead ? $"; {instead}" : NearestName.Hint(name, s_moduleNames))} (available: {string.Join(", ", s_moduleNames)})");

    internal static Enrichments Enrich(string[] values)
    {
        string[] names = ["time", "user", "proc", "parent", "cgroup", "container", "exe", "why", "all"];
        var chosen = Enrichments.None;
        foreach (string word in Words("--enrich", values))
        {
            chosen |= word switch
            {
                "time" => Enrichments.Time,
                "user" => Enrichments.User,
                "proc" => Enrichments.Proc,
                "parent" => Enrichments.Parent,
                "cgroup" => Enrichments.Cgroup,
                "container" => Enrichments.Container,
                "exe" => Enrichments.Exe,
                "why" => Enrichments.Why,
                "all" => Enrichments.All,
                _ => throw new UsageException(
                    $"--enrich: unknown enrichment '{Escaping.ForMessage(word)}'{NearestName.Hint(word, names)} (available: " +
                    $"{string.Join(", ", names)})"),
            };
        }

        return chosen;
    }

    // What --fields leaves out need not be looked up; where it leaves out all, one of the two flags is a mistake.
    internal static Enrichments Shown(Enrichments chosen, List<string> fields)
    {
        if (chosen == Enrichments.None || fields.Count == 0)
            return chosen;
        var shown = chosen & fields.Aggregate(Enrichments.None, static (all, field) => all | FieldSelection.EnrichmentOf(field));
        return shown != Enrichments.None ? shown
            : throw new UsageException(
                "--enrich: --fields leaves out what it adds (time, username, proc_name, ppid, parent_comm, cgroup, container, pod, " +
                "pod_namespace, image, exe, why): name it there too");
    }

    private static string? Hook(string? value, List<TraceModule> modules)
    {
        if (value is null)
            return null;
        foreach (var module in modules)
        {
            var names = module.Rungs.Select(static rung => rung.Name).ToList();
            if (!names.Contains(value))
                throw new UsageException(
                    $"--hook: module {module.Name} has no hook " +
                    $"'{Escaping.ForMessage(value)}'{NearestName.Hint(value, names)} (available: {string.Join(", ", names)})");
        }

        return value;
    }

    internal static bool IsWide(bool wide, OutputFormat format, List<string> fields)
    {
        if (wide && format != OutputFormat.Text)
            throw new UsageException(
                $"--wide: is for columns, and --output {format.ToString().ToLowerInvariant()} has none; leave one of them out");
        if (wide && fields.Count > 0)
            throw new UsageException("--wide: is for columns, and --fields makes none; leave one of them out");
        return wide;
    }

    internal static string? WriteTo(string? value) => value switch
    {
        "" => throw new UsageException($"--write: {EmptyValue.Explain(value)}; give the name of a file"),
        "-" => null, // standard output, as with other tools
        _ => value,
    };

    internal static ulong? MaxEvents(string? value)
    {
        if (value is null)
            return null;
        return ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ulong count) && count >= 1
            ? count
            : throw new UsageException($"--max-events: '{Escaping.ForMessage(value)}' is not a number from 1 to {ulong.MaxValue}");
    }

    private static int? Rings(string? value)
    {
        int cpus = KernelFeatures.PossibleCpuCount;
        if (value is null)
            return null;
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count >= 1 && count <= cpus
            ? count
            : throw new UsageException(
                $"--rings: '{Escaping.ForMessage(value)}' is not a number from 1 to {cpus}, the CPUs of this machine");
    }

    private static int RingBytes(string? value)
    {
        if (value is null)
            return MemoryCgroup.DefaultRingBytes;
        return SizeFlag.Read(value) is { } bytes and >= RingBytesMin and <= RingBytesMax && long.IsPow2(bytes) ? (int)bytes
            : throw new UsageException($"--buffer: '{Escaping.ForMessage(value)}' is not a power of two from 64K to 1G, such as 32M");
    }

    /// <summary>The words of a flag that takes a list.</summary>
    internal static List<string> Words(string flag, string[] values)
    {
        var words = new List<string>();
        foreach (string value in values)
        {
            foreach (string word in ListText.Split(value))
            {
                if (word.Length == 0)
                    throw new UsageException($"{flag}: {EmptyValue.Explain(value)}");
                words.Add(word);
            }
        }

        return words;
    }

    // The name that process has is as it was asked for, perhaps from another folder.
    private static bool HasPaths(TraceModule module) => ModuleFields.Of(module).Any(static known => known.Field.Name is "target" or "argv");

    private static UsageException NoModuleHas(string flag, List<TraceModule> chosen, Func<TraceModule, bool> has, string what = "it")
    {
        var having = ModuleCatalog.All.Where(has).Select(static module => module.Name);
        return new UsageException(
            $"{flag}: no chosen module has {what} ({string.Join(", ", chosen.Select(static module => module.Name))}); " +
            $"{string.Join(", ", having)} would");
    }

    private static IEnumerable<string> Warnings(FilterExpression filter) =>
        filter.Dimension.Warnings(filter.Bits.Keys)
            .Select(warning => filter.Dimension is ScopeDimension { IsByName: true } ? warning + "; it may start later" : warning);

    /// <summary>Is text on a standard stream coloured?</summary>
    internal static bool UseColour(int stream) =>
        !(stream == StandardStreams.Output ? Console.IsOutputRedirected : Console.IsErrorRedirected)
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
}
