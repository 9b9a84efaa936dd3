// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf;
using Veil.Core;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Stacks;
using Veil.Core.Text;
using Veil.Modules.Scheduler;

namespace Veil.Modules.Profile;

/// <summary>Samples of what the CPUs run.</summary>
internal sealed class ProfileModule : TraceModule
{
    private const string RateFile = "/proc/sys/kernel/perf_event_max_sample_rate";
    private const uint UsualHertz = 99; // not in step with what runs a hundred times a second
    private const uint HertzMax = 999;

    private static readonly ModuleFlag s_hertz =
        new("hz", "N", $"samples of each CPU a second, 1 to {HertzMax} [{UsualHertz}]", TakesOne: true);

    private static readonly ModuleFlag s_idle = new("idle", null, "samples of CPUs that have nothing to do, too");

    public override string Name => "profile";

    public override string Summary => "what the CPUs run, sampled many times a second, with its stacks";

    public override string CountKey => "comm";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module profile --count-by comm,stack --duration 10s", "where the CPUs' time goes"),
        new("veil --module profile -p $(pidof nginx) --count-by comm,stack --output folded --duration 10s -w nginx.folded",
            "the same of a process, for a flame graph"),
        new("veil --module profile --count-by ustack -- ./program", "where a program spends its time"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new CpuDimension()];

    public override IReadOnlyList<ModuleFlag> Flags { get; } = [s_hertz, s_idle];

    public override IReadOnlyList<HookRung> Rungs { get; } = [new("perf", "perf software event cpu-clock", "profile_sample_perf")];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } =
        new Dictionary<string, ColumnHint>(StringComparer.Ordinal) { ["cpu"] = new() { Rank = 60 } };

    public override bool ShowsComputing => true;

    public override byte[] ReadObject() => EmbeddedObject.Read("profile");

    public override StackKinds? OwnStacks(ModuleArguments arguments)
    {
        var kinds = arguments.Stacks == StackKinds.None ? StackKinds.User | StackKinds.Kernel : arguments.Stacks;
        return arguments.Fields is null ? kinds : arguments.Fields.Aggregate(StackKinds.None, static (read, field) => read | StackFields.Of(field));
    }

    public override IReadOnlyList<TraceModule> Instances(ModuleArguments arguments, IReadOnlyList<FilterExpression> filters)
    {
        _ = HertzOf(arguments);
        return [this];
    }

    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bpfObject.SetGlobal("profile_idle", arguments.Has(s_idle.Name));
        bpfObject.SetGlobal("profile_reads", (uint)OwnStacks(arguments)!.Value);
    }

    public override IEnumerable<BpfLink> Attach(BpfObject bpfObject, BpfProgram program, HookRung rung, ModuleArguments arguments)
    {
        uint hertz = HertzOf(arguments);
        if (File.Exists(RateFile) && uint.TryParse(File.ReadAllText(RateFile).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out uint most)
            && hertz > most)
            throw new VeilException($"--hz {hertz}: this kernel samples at most {most} times a second ({RateFile})");
        var links = new List<BpfLink>();
        try
        {
            foreach (var clock in PerfEventHandle.OpenClocks(hertz))
            {
                using (clock)
                    links.Add(program.AttachPerfEvent(clock));
            }
        }
        catch
        {
            foreach (var link in links)
                link.Dispose();
            throw;
        }

        return links;
    }

    private static uint HertzOf(ModuleArguments arguments)
    {
        var values = arguments.Of(s_hertz.Name);
        if (values.Count == 0)
            return UsualHertz;
        if (values.Count > 1)
            throw new UsageException("--hz: given more than once, but it takes one value");
        return uint.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint hertz) && hertz is >= 1 and <= HertzMax ? hertz
            : throw new UsageException($"--hz: '{Escaping.ForMessage(values[0])}' is not a number of samples a second from 1 to {HertzMax}, such as {UsualHertz}");
    }
}
