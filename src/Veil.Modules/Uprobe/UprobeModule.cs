// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Kernel;
using Veil.Core.Modules;
using Veil.Core.Symbols;

namespace Veil.Modules.Uprobe;

/// <summary>Calls of a function in user space, as they begin or, with <c>--latency</c>, as they return.</summary>
internal sealed class UprobeModule : TraceModule
{
    internal const string TargetFlag = "uprobe";
    private const string LatencyFlag = "latency";

    // What a call took is only known at its end.
    private static readonly EventKind s_return = new("uprobe_return_event", LatencyFlag, Thresholds.Slower.Name);

    private readonly HookRung _multi;
    private readonly UprobeTarget? _target;
    private readonly IReadOnlyList<UprobeTarget> _askAbout;

    /// <summary>What the catalog has: it becomes one for each target.</summary>
    public UprobeModule()
        : this(null, [])
    {
    }

    private UprobeModule(UprobeTarget? target, IReadOnlyList<UprobeTarget> askAbout)
    {
        _target = target;
        _askAbout = askAbout;
        // Entry last: a call seen to begin is then also seen to end. Returns first, so that they are detached last: the end of a thread
        // must not be taken for the end of a call that has returned unseen.
        HookProgram[] programs =
        [
            new("uprobe_call", When: static arguments => !s_return.IsChosen(arguments)),
            new("uprobe_leave", s_return, _ => HasSites(returns: false)),
            new("uprobe_leave_at_ret", s_return, _ => HasSites(returns: true)),
            new("uprobe_exec", s_return), new("uprobe_thread_exit", s_return), new("uprobe_enter", s_return),
        ];
        _multi = new("uprobe_multi", "the same by one link for all places (6.6): needs no CAP_SYS_ADMIN", programs);
        Rungs = [new("uprobe", "uprobe, and uretprobe with --latency", programs), _multi];
    }

    public override string Name => "uprobe";

    public override string Summary => "calls of a function in a program or library";

    public override string CountKey => "symbol";

    public override string? CountSum => "duration_ns";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module uprobe --uprobe /usr/bin/bash:readline --latency", "calls of a function, each with its duration"),
        new("veil --module uprobe --uprobe /lib/x86_64-linux-gnu/libc.so.6:malloc -p $(pidof nginx)",
            "a library's function, in one process"),
        new("veil --module uprobe --uprobe './server:Cache::get(int)' --latency -p 812",
            "a function of C++ or Rust, as the source calls it"),
    ];

    public override IReadOnlyList<ModuleFlag> Flags { get; } =
    [
        new(TargetFlag, "PATH:SYMBOL", "the function, in a program or a shared library; also a USDT probe, PATH:PROVIDER:PROBE"),
        new(LatencyFlag, null,
            "an event as each call returns, with its duration; asks where an exception through it could end the program"),
        Thresholds.Slower,
    ];

    public override IReadOnlyList<HookRung> Rungs { get; }

    public override IReadOnlyList<EventKind> EventsByFlag { get; } = [s_return];

    public override IReadOnlyList<(string Name, string Value)> Constants =>
        [("symbol", _target?.Symbol ?? ""), ("path", _target?.Path ?? "")];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["path"] = new() { Rank = 6 },
    };

    public override bool ShowsComputing => true;

    public override byte[] ReadObject() => EmbeddedObject.Read("uprobe");

    public override IEnumerable<string> Warnings(ModuleArguments arguments) => _target?.Warnings ?? [];

    public override IReadOnlyList<TraceModule> Instances(ModuleArguments arguments, IReadOnlyList<FilterExpression> filters)
    {
        if (arguments.Of(TargetFlag) is not { Count: > 0 } values)
            throw new UsageException($"--module {Name}: say which function: --{TargetFlag} PATH:SYMBOL, such as /usr/bin/bash:readline");
        var processes = ProcessScope.Of(filters);
        var targets =
            OneProbeEach([.. WithCommas(values).Distinct(StringComparer.Ordinal).Select(value => UprobeTarget.Parse(value, processes))]);
        if (s_return.IsChosen(arguments) && targets.Find(static target => target.IsGo) is { } go)
        {
            throw new UsageException(
                $"--{LatencyFlag}: {go.Path} is a Go program, and Go moves the stacks that return addresses are on: a probe on returns " +
                    $"would crash it; without --{LatencyFlag} it can be traced");
        }

        if (s_return.IsChosen(arguments) && targets.Find(static target => target.IsPlace) is { } place)
            throw new UsageException(
                $"--{LatencyFlag}: {place.Shown} is a place in code and no function: nothing returns there; without " +
                $"--{LatencyFlag} it can be traced");

        if (s_return.IsChosen(arguments))
            targets = targets.ConvertAll(static target => target.WithReturns());
        // One question for all.
        return [.. targets.Select((target, index) => new UprobeModule(target, index == 0 ? targets : []))];
    }

    public override TraceModule ForDoctor() => new UprobeModule(UprobeTarget.OwnStart(), []);

    public override string? Question(IReadOnlyList<FilterExpression> filters, ModuleArguments arguments)
    {
        if (_askAbout.Count == 0)
            return null;
        var questions = new List<string>();
        if (!filters.Any(
            static filter =>
            filter.Dimension.Name is "pid" or "tid" or "uid" && filter.Bits.Values.Any(static bits => bits.HasFlag(FilterBits.Allow))))
            questions.Add($"without --pid, --tid or --uid, every process is stopped for an instant at each call of {Functions(_askAbout)}");
        if (s_return.IsChosen(arguments) && _askAbout.Where(static target => target.Sites.Any(static site => site.BreaksUnwinding))
            .ToList() is { Count: > 0 } breaking)
            questions.Add(
                $"--{LatencyFlag}: an exception that passes through {Functions(breaking)} would end the program, and its " +
                $"file has what throws them");
        return questions.Count == 0 ? null : string.Join("; ", questions);
    }

    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bool latency = s_return.IsChosen(arguments);
        foreach (string program in (string[])(rung == _multi ? ["uprobe_call", "uprobe_enter", "uprobe_leave", "uprobe_leave_at_ret"] : []))
            bpfObject.Program(program).MakeUprobeMulti();
        bpfObject.SetGlobal("uprobe_in_tasks", TaskStorage.IsSteady);
        bpfObject.Map("uprobe_tasks").SetAutoCreate(latency && TaskStorage.IsSteady);
        bpfObject.Map("uprobe_tids").SetAutoCreate(latency && !TaskStorage.IsSteady);
    }

    public override IEnumerable<BpfLink> Attach(BpfObject bpfObject, BpfProgram program, HookRung rung, ModuleArguments arguments)
    {
        if (program.Name is "uprobe_exec" or "uprobe_thread_exit")
        {
            yield return program.Attach();
            yield break;
        }

        foreach (var site in _target!.Sites)
        {
            var offsets = program.Name switch
            {
                "uprobe_leave" when site.Returns is not null => [],
                "uprobe_leave_at_ret" => site.Returns ?? [],
                _ => site.Offsets,
            };
            bool onReturn = program.Name == "uprobe_leave";
            if (rung == _multi && offsets.Count > 0)
            {
                yield return program.AttachUprobeMulti(site.File.Handle, _target.Path, [.. offsets], onReturn, site.Counter);
            }
            else
            {
                foreach (ulong offset in offsets)
                    yield return program.AttachUprobe(site.File.Handle, _target.Path, offset, onReturn, site.Counter);
            }
        }
    }

    // The comma within brackets is part of a name: main.F[int,string], Foo::bar(int, char).
    private static IEnumerable<string> WithCommas(IReadOnlyList<string> values)
    {
        string value = "";
        foreach (string part in values)
        {
            value = value.Length == 0 ? part : value + "," + part;
            if (ProbePlace.HasOpenBracket(value))
                continue;
            yield return value;
            value = "";
        }

        if (value.Length > 0)
            yield return value;
    }

    // Two names may lead to one function: each instruction gets one probe, or a call would be two events.
    private static List<UprobeTarget> OneProbeEach(List<UprobeTarget> targets)
    {
        var owners = new Dictionary<(FileIdentity, ulong), UprobeTarget>();
        var kept = new List<UprobeTarget>();
        foreach (var target in targets)
        {
            UprobeTarget? owner = null;
            var sites = new List<ProbeSite>();
            foreach (var site in target.Sites)
            {
                var offsets = site.Offsets.Where(offset => owners.TryAdd((site.File.Identity, offset), target)).ToList();
                if (offsets.Count > 0)
                    sites.Add(offsets.Count == site.Offsets.Count ? site : site with { Offsets = offsets, Lengths = [] });
                if (offsets.Count < site.Offsets.Count)
                    owner = owners[(site.File.Identity, site.Offsets.First(offset => !offsets.Contains(offset)))];
            }

            var warnings = target.Warnings.ToList();
            if (owner is not null && (owner.Path, owner.Symbol) != (target.Path, target.Symbol))
                warnings.Insert(0, $"{target.Shown} is the same code as {owner.Shown}: its calls are events of that alone");
            if (sites.Count > 0)
                kept.Add(target with { Sites = sites, Warnings = warnings });
            else if (kept.Count > 0)
                kept[^1] =
                    kept[^1] with { Warnings = [.. kept[^1].Warnings, .. warnings.Except(kept[^1].Warnings, StringComparer.Ordinal)] };
        }

        return kept;
    }

    private bool HasSites(bool returns) => _target!.Sites.Any(site => site.Returns is not null == returns);

    private static string Functions(IEnumerable<UprobeTarget> targets) => string.Join(", ", targets.Select(static target => target.Shown));
}
