// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Core.Counting;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Modules;

namespace Veil.Cli;

/// <summary>Every flag of the trace command with its default: help and docs come from here.</summary>
internal sealed class TraceFlags
{
    /// <summary>The filters of all modules, each once.</summary>
    public IReadOnlyDictionary<FilterDimension, Option<string[]>> Filters { get; } = ModuleCatalog.All
        .SelectMany(static module => module.Filters)
        .DistinctBy(static dimension => dimension.Name)
        .ToDictionary(static dimension => dimension, FilterOption);

    /// <summary>The other flags of modules, each once: a switch, or a list of values.</summary>
    public IReadOnlyDictionary<ModuleFlag, Option> ModuleFlags { get; } = ModuleCatalog.All
        .SelectMany(static module => module.Flags)
        .DistinctBy(static flag => flag.Name)
        .ToDictionary(static flag => flag, ModuleOption);

    public Option<string[]> Module { get; } =
        List("--module", "NAME,…", $"what to trace: {string.Join(", ", ModuleCatalog.All.Select(static module => module.Name))}", "-m");

    public Option<string> Output { get; } =
        new("--output", "-o")
        {
            HelpName = "text|json|folded|strace|tree|none",
            Description =
        "the form of an event: columns, one JSON object a line, of system calls as strace -f -o FILE writes them; of process a tree at " +
        "the end; of counts by a stack the lines that flame graphs are made of; none beside --record [text]"
        };

    public Option<string[]> Fields { get; } = List("--fields", "FIELD,…", "show these fields only, in this order; text becomes key=value");

    public Option<string[]> Enrich { get; } =
        List("--enrich", "time,user,proc,parent,cgroup,container,exe,why,all",
        "add wall-clock time, the user's name, the process's current name, its parent, its cgroup, its container, the file that it runs; why a " +
        "path refused a call (files, process), which all leaves out");

    public Option<string[]> Stack { get; } =
        List("--stack", "user,kernel", "show with each event the stack that led to it; --count-by ustack, kstack or stack counts by it");

    public Option<bool> Lines { get; } =
        new("--lines") { Description = "show with each frame of user space the line of its source, where debug data tells it" };

    public Option<string[]> Jit { get; } =
        List("--jit", "ask", "ask .NET processes in whose compiled code a stack ends to write its names to /tmp/perf-PID.map, which changes them");
    public Option<string> Unwind { get; } =
        new("--unwind")
        {
            HelpName = "fp|dwarf|auto",
            Description = "how callers in user space are found: by frame pointers, by the unwind tables of files from a copy of the stack (code " +
                "without frame pointers), by these and then frame pointers [fp]"
        };

    public Option<string> StackCopy { get; } =
        new("--stack-copy") { HelpName = "SIZE", Description = "with --unwind dwarf or auto, how much of a stack is copied: 4K to 64K [16K]" };

    public Option<bool> Wide { get; } = new("--wide") { Description = "on a terminal too, the full columns that a file or a pipe gets" };

    public Option<string> Write { get; } =
        new("--write", "-w")
        {
            HelpName = "FILE",
            Description = "write events, or counts, to a file, which is emptied first; messages stay on the screen"
        };

    public Option<string> Record { get; } =
        new("--record")
        {
            HelpName = "FILE",
            Description = "keep the events in a file for veil replay, beside the output; --output none leaves that out"
        };

    public Option<string> RecordSize { get; } =
        new("--record-size")
        {
            HelpName = "SIZE",
            Description = "go on in another file (FILE.1, FILE.2, …) before one has more than this: 1G; each can be shown alone"
        };

    public Option<string> RecordKeep { get; } =
        new("--record-keep") { HelpName = "N", Description = "keep so many of these files, and remove older ones [all]" };

    public Option<string> Flight { get; } =
        new("--flight")
        {
            HelpName = "SIZE",
            Description = "keep only the last SIZE of a recording, in memory, and write it to FILE-TIME on --trigger, SIGUSR2 or veil control PATH dump"
        };

    public Option<string[]> Trigger { get; } =
        List("--trigger", "COND,…", "with --flight, write when this happens: exit!=0, signal=SEGV, slower=1s, errno=ENOSPC");

    public Option<string> After { get; } =
        new("--after") { HelpName = "TIME", Description = "with --trigger, so long after it, so that what follows is there too [0s]" };

    public Option<bool> Force { get; } = new("--force") { Description = "with --record, replace a file that is there" };

    public Option<bool> Follow { get; } =
        new("--follow", "-f")
        {
            Description =
        "trace the children of what the filters choose too, and theirs, from the moment they are made; with a command (veil [flags] " +
        "-- CMD ARG…) that is so"
        };

    public Option<bool> NoFollow { get; } = new("--no-follow") { Description = "of a command, trace its own process alone" };

    public Option<string> User { get; } =
        new("--user") { HelpName = "NAME", Description = "run the command as this user, with the user's groups" };

    public Option<string> Duration { get; } =
        new("--duration")
        {
            HelpName = "TIME",
            Description = "end by itself after this time: 10s (ns, us, ms, s, m, h, d; a number alone is seconds)"
        };

    public Option<string> MaxEvents { get; } = new("--max-events") { HelpName = "N", Description = "end by itself after so many events" };

    public Option<bool> Count { get; } =
        new("--count")
        {
            Description = "count in the kernel and show a ranking at the end, of calls that end with their times and errors; by "
        + string.Join(", ", ModuleCatalog.All.Select(static module => $"{module.CountKey} ({module.Name})"))
        };

    public Option<string[]> CountBy { get; } =
        List(
            "--count-by", "FIELD,…",
            "the same by other fields, up to four, such as comm or pid,dport, or an argument of calls, such as args.filename");

    public Option<string> Sum { get; } =
        new("--sum")
        {
            HelpName = "FIELD",
            Description = "add a number up, and show of each key its total, count, average, largest one and errors; ranks by the total"
        };

    public Option<string> Sort { get; } =
        new("--sort")
        {
            HelpName = string.Join('|', CountOptions.SortNames),
            Description = "rank keys by this [the sum with --sum, else the count]"
        };

    public Option<string> Histogram { get; } =
        new("--hist")
        {
            HelpName =
        "FIELD",
            Description = "a histogram of a number, by powers of two, made in the kernel, with percentiles; with --count-by one for each key"
        };

    public Option<string> Top { get; } = new("--top") { HelpName = "N", Description = "show so many keys [10; all as JSON]" };

    public Option<string> Interval { get; } =
        new("--interval")
        {
            HelpName = "TIME",
            Description = "print the counts each time and begin anew: 1s (units as of --duration) [once, at the end]"
        };

    public Option<string> Keys { get; } =
        new("--keys")
        {
            HelpName = "N",
            Description = "room for so many keys; what comes after is counted together [10240; 1024 with --hist]"
        };

    public Option<string> Buffer { get; } =
        new("--buffer") { HelpName = "SIZE", Description = "memory for events on their way, a power of two such as 64M [16M]" };

    public Option<string> Hook { get; } =
        new("--hook")
        {
            HelpName = "NAME",
            Description = "attach by this hook only, one that the module has: "
        + string.Join(", ", ModuleCatalog.All.SelectMany(static module => module.Rungs).Select(static rung => rung.Name).Distinct())
        + " [the best that works]"
        };

    public Option<string> Rings { get; } =
        new("--rings")
        {
            HelpName =
        "N",
            Description = "share that memory out to so many rings, at most one a CPU [1; on 8 CPUs or more as many as there are MiB]"
        };

    public Option<string> Control { get; } =
        new("--control") { HelpName = "PATH", Description = "open a socket there that steers the trace: veil control PATH COMMAND" };

    public Option<string> ControlGroup { get; } =
        new("--control-group") { HelpName = "GROUP", Description = "let this group use the control socket, beside root and its owner" };

    public Option<string> Metrics { get; } =
        new("--metrics")
        {
            HelpName = "ADDRESS:PORT",
            Description = "serve counts, losses, cost and health to Prometheus there, at /metrics; a port alone is one of 127.0.0.1"
        };

    public Option<string> MetricsTokenFile { get; } =
        new("--metrics-token-file") { HelpName = "FILE", Description = "answer those alone who send the bearer token in this file" };

    public Option<string> Otlp { get; } =
        new("--otlp")
        {
            HelpName = "URL",
            Description = "send events as logs, and counts as metrics, to a receiver of OTLP: http://127.0.0.1:4318, https://HOST:4318"
        };

    public Option<bool> OtlpArgs { get; } =
        new("--otlp-args") { Description = "send the arguments of calls and programs too, which may hold secrets" };

    public Option<string> ExportBuffer { get; } =
        new("--export-buffer")
        {
            HelpName = "SIZE",
            Description = "memory for what waits for the receiver, 1M to 64M [16M]"
        };

    public Option<string> Config { get; } =
        new("--config")
        {
            HelpName = "FILE",
            Description = "take everything from a configuration file (- is standard input), and nothing from flags"
        };

    public Option<string> Profile { get; } =
        new("--profile") { HelpName = "NAME", Description = "of the file, this profile [the one that it calls default]" };

    public Option<bool> IncludeSelf { get; } = new("--include-self") { Description = "trace veil itself too" };

    public Option<bool> FailOnLoss { get; } = new("--fail-on-loss") { Description = "exit code 3 if an event was lost" };

    public Option<bool> Stats { get; } =
        new("--stats") { Description = "say at the end, and in the status, what the trace itself cost: BPF programs, CPU, memory" };

    public Option<string> Budget { get; } =
        new("--budget")
        {
            HelpName = "PERCENT",
            Description = "what the trace may cost, BPF programs and veil itself, such as 2% of one CPU; beyond it one event in 2, 4, 8 … is sent, then none, and all are counted"
        };

    public Option<bool> Yes { get; } =
        new("--yes", "-y")
        {
            Description =
        "start without asking: uprobe asks before every process is stopped at each call (without --pid, --tid or --uid), and with " +
        "--latency where an exception could end the program"
        };

    public Option<bool> Quiet { get; } =
        new("--quiet", "-q") { Description = "no summary and no start line; losses and errors are still said" };

    public Option<bool> Verbose { get; } =
        new("--verbose", "-v") { Description = "say which hooks were tried, and which privileges are kept" };

    public Option<bool> ListModules { get; } = new("--list-modules") { Description = "list the modules, and trace nothing" };

    public Option<string> ListFields { get; } =
        new("--list-fields") { HelpName = "MODULE", Description = "list the fields of a module's events, and trace nothing" };

    public Option<bool> ListContainers { get; } =
        new("--list-containers") { Description = "list the containers that run now, with names, images and pods, and trace nothing" };

    /// <summary>All options by what they are for, in the order of the help.</summary>
    public IReadOnlyList<(string Title, IReadOnlyList<Option> Options)> Groups =>
    [
        ("What to trace", [Module, .. OfModules(FlagRole.Choice), Stack, Unwind, StackCopy, Lines, Jit, Hook, Follow, NoFollow, User, IncludeSelf]),
        ("Filters (a value allows, '!' before it denies, deny wins; in bash '!' needs single quotes)",
            [.. OfFilters(FlagRole.Filter), .. OfModules(FlagRole.Filter)]),
        ($"Thresholds (in the kernel; with {EndingModules} an event as each call ends)",
            [.. OfModules(FlagRole.Threshold), .. OfFilters(FlagRole.Threshold)]),
        ("Output", [Output, Wide, Fields, Enrich, Write, Record, RecordSize, RecordKeep, Flight, Trigger, After, Force, FailOnLoss, Quiet, Verbose]),
        ("Counting (instead of events)", [Count, CountBy, Sum, Histogram, Sort, Top, Interval, Keys]),
        ("Running", [Duration, MaxEvents, Buffer, Rings, Control, ControlGroup, Budget, Stats, Yes]),
        ("Export", [Otlp, OtlpArgs, ExportBuffer, Metrics, MetricsTokenFile]),
        ("Configuration", [Config, Profile]),
        ("Lists", [ListModules, ListFields, ListContainers]),
    ];

    /// <summary>All options, in the order of the help.</summary>
    public IEnumerable<Option> All => Groups.SelectMany(static group => group.Options);

    /// <summary>The option of a filter or a module's flag.</summary>
    public Option OptionOf(string name) => Filters.Values.Concat(ModuleFlags.Values).First(option => option.Name == "--" + name);

    // A threshold chooses what a flag of their own chooses too: the end of a call instead of its beginning.
    private static string EndingModules => string.Join(" and ", ModuleCatalog.All
        .Where(static module =>
            module.EventsByFlag.Any(
                kind => !kind.IsAdded && module.Flags.Any(flag => flag.Name == kind.Flags[0] && flag.Role == FlagRole.Choice)))
            .Select(static module => module.Name));

    private IEnumerable<Option> OfModules(FlagRole role) =>
        ModuleFlags.Where(flag => flag.Key.Role == role).Select(static flag => flag.Value);

    private IEnumerable<Option> OfFilters(FlagRole role) =>
        Filters.Where(filter => filter.Key.Role == role).Select(static filter => filter.Value);

    private static Option<string[]> FilterOption(FilterDimension dimension)
    {
        string[] aliases = dimension.Alias is { } letter ? ["-" + letter] : [];
        // Two modules may mean different things by one name.
        var meanings = ModuleCatalog.All.Select(module => (module.Name, module.Filters.FirstOrDefault(filter => filter.Name == dimension.Name)?.Description))
            .Where(static meaning => meaning.Description is not null).DistinctBy(static meaning => meaning.Description).ToList();
        string description = meanings.Count == 1 ? dimension.Description
            : string.Join("; ", meanings.Select(static meaning => $"{meaning.Name}: {meaning.Description}"));
        return List("--" + dimension.Name, dimension.ValueName + ",…", description, aliases);
    }

    private static Option ModuleOption(ModuleFlag flag) => flag.ValueName is { } value
        ? List("--" + flag.Name, flag.TakesOne ? value : value + ",…", flag.Description)
        : new Option<bool>("--" + flag.Name) { Description = flag.Description };

    private static Option<string[]> List(string name, string valueName, string description, params string[] aliases) =>
        new(name, aliases)
        {
            HelpName = valueName,
            Description = description,
            AllowMultipleArgumentsPerToken = true,
            Arity = ArgumentArity.OneOrMore
        };
}
