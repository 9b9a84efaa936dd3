// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Veil.Bpf;
using Veil.Core.Budgets;
using Veil.Core.Cgroups;
using Veil.Core.Counting;
using Veil.Core.Filters;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Options;

namespace Veil.Core.Sources;

/// <summary>A module in the kernel. Owns its object and links; disposing detaches and unloads.</summary>
internal sealed class AttachedModule : IDisposable
{
    private readonly BpfObject _object;
    private readonly List<BpfLink> _links = [];
    private readonly List<BpfIteration> _last = [];
    private readonly List<BpfIterator> _repeated = [];
    private readonly LossLedger _losses;
    private readonly KernelScope _scope;
    private readonly List<BpfProgram> _programs = [];
    private readonly List<BpfProgram> _attached = [];
    private readonly List<SafeFileHandle> _mapFacts = [];

    /// <summary>Takes a loaded object over, with nothing attached yet.</summary>
    /// <param name="module">The module.</param>
    /// <param name="number">Its number in the session.</param>
    /// <param name="rung">How it will be attached.</param>
    /// <param name="bpfObject">Loaded.</param>
    /// <param name="arguments">The module's flags.</param>
    /// <param name="options">The session's options.</param>
    /// <param name="plan">What is counted in the kernel instead of sent; or nothing.</param>
    public AttachedModule(
        TraceModule module, int number, HookRung rung, BpfObject bpfObject, ModuleArguments arguments, SessionOptions options, CountPlan? plan)
    {
        Number = (uint)number;
        Module = module;
        Rung = rung;
        _object = bpfObject;
        _losses = new LossLedger(bpfObject);
        Counts = plan is null ? null : new EventCounts(bpfObject, plan);
        _scope = new KernelScope(bpfObject, CgroupTree.Own, KernelScope.CounterOf(module, options));
        Traced = new TracedModule(
            module,
            rung.Name,
            [.. module.Filters.Index()
                .Where(filter => module.FlagNeededBy(filter.Item, arguments) is null)
                .Select(filter =>
                    new FilterMap(filter.Item, StorageOf(filter.Item, options.CountFilters ? KernelFilter.CounterOf(filter.Index) : 0))),
                .. Following.Filters(options).Select(filter => new FilterMap(filter, new KernelFilter(bpfObject, filter, 0)))],
            [.. module.Filters.Select(filter => (filter.Name, Flag: module.FlagNeededBy(filter, arguments)!))
                .Where(static filter => filter.Flag is not null)]);
    }

    /// <summary>The module.</summary>
    public TraceModule Module { get; }

    /// <summary>How it is attached.</summary>
    public HookRung Rung { get; }

    /// <summary>What the session knows of it.</summary>
    public TracedModule Traced { get; }

    /// <summary>What it counts in the kernel; nothing where it sends events.</summary>
    public EventCounts? Counts { get; }

    /// <summary>Attaches one program, or prepares it for when it runs.</summary>
    /// <param name="hook">The program.</param>
    /// <param name="arguments">The module's flags.</param>
    /// <param name="isFollowing">Is it one that follows descendants? Its skipped runs are counted, and the module does not attach it.</param>
    /// <returns>The link of one that follows; else nothing.</returns>
    public BpfLink? Attach(HookProgram hook, ModuleArguments arguments, bool isFollowing)
    {
        var program = _object.Program(hook.Name);
        _attached.Add(program);
        if (isFollowing || Module.CountsMisses(program))
            _programs.Add(program);
        var map = hook.Map is null ? null : _object.Map(hook.Map);
        if (hook.IsRepeated)
            _repeated.Add(program.PrepareIterator(map));
        if (hook.IsLast)
            _last.Add(program.PrepareIteration(map));
        if (isFollowing)
        {
            var link = program.Attach();
            _links.Add(link);
            return link;
        }

        if (!hook.IsRepeated && !hook.IsLast)
            _links.AddRange(Module.Attach(_object, program, Rung, arguments));
        return null;
    }

    /// <summary>Runs the programs that run now and then.</summary>
    public void Repeat()
    {
        foreach (var iterator in _repeated)
            iterator.Run();
    }

    /// <summary>Detaches the hooks, and runs what runs last. What they emitted stays in the ring.</summary>
    public void Detach()
    {
        if (Module.DetachesLastFirst)
            _links.Reverse();
        foreach (var link in _links)
            link.Dispose();
        _links.Clear();
        foreach (var iterator in _repeated)
            iterator.Dispose();
        _repeated.Clear();
        foreach (var iteration in _last)
        {
            iteration.Run();
            iteration.Dispose();
        }

        _last.Clear();
    }

    /// <summary>
    /// Does the kernel skip programs here without counting it? It does with classic tracepoints, while another program runs on that CPU,
    /// before Linux 6.7.
    /// </summary>
    public bool MissesUncounted =>
        KernelFeatures.KernelVersion < new Version(6, 7) && _programs.Exists(static program => program.Type == BpfProgramType.Tracepoint);

    /// <summary>What each program took since it was loaded; all zero where the kernel was not asked to measure.</summary>
    public IEnumerable<ProgramCost> Costs() => _attached.Select(program =>
    {
        var info = program.Info();
        return new ProgramCost(Module.Name, program.Name, info.RunCount, info.RunTimeNs);
    });

    /// <summary>CPU time of the programs so far.</summary>
    public ulong RunTimeNs => _attached.Aggregate(0ul, static (sum, program) => sum + program.Info().RunTimeNs);

    /// <summary>Sends this part of the events from now on.</summary>
    public void Sample(SampleRate rate) => Volatile.Write(ref _object.Global<uint>("veil_sample_mask"), rate.Mask);

    /// <summary>Events that passed and were not sent so far.</summary>
    public unsafe ulong LeftOut
    {
        get
        {
            ulong* shards = (ulong*)Unsafe.AsPointer(ref _object.Global<LeftOutShards>("veil_left_out"));
            ulong events = 0;
            for (int shard = 0; shard < LeftOutShards.Count; shard++)
                events += Volatile.Read(ref shards[shard * LeftOutShards.Words]);
            return events;
        }
    }

    /// <summary>Opens what <see cref="MapBytes"/> reads: once the privileges are gone, that is root's (proc(5), of a process that is not
    /// dumpable).</summary>
    public void PrepareMapBytes()
    {
        foreach (
            var map in _object.Maps.Where(static map => map.WillBeCreated && !map.Name.StartsWith("veil_ring", StringComparison.Ordinal)))
            _mapFacts.Add(File.OpenHandle($"/proc/self/fdinfo/{map.Fd}"));
    }

    /// <summary>Kernel memory of its maps, as the kernel tells of a map's descriptor (bpf_map_show_fdinfo()).</summary>
    public long MapBytes() => _mapFacts.Sum(static facts =>
    {
        const string field = "memlock:";
        Span<byte> text = stackalloc byte[1024];
        string? line = Encoding.ASCII.GetString(text[..RandomAccess.Read(facts, text, 0)]).Split('\n')
            .FirstOrDefault(static line => line.StartsWith(field, StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.AsSpan(field.Length), NumberStyles.Integer, CultureInfo.InvariantCulture);
    });

    /// <summary>Names each cause with what it lost since the last call.</summary>
    public void CollectLosses(ILossObserver observer)
    {
        _losses.Collect(Module.Name, observer);
        _losses.CollectMisses(Module.Name, _programs, observer);
    }

    public void Dispose()
    {
        Detach();
        foreach (var facts in _mapFacts)
            facts.Dispose();
        _object.Dispose();
    }

    /// <summary>Its number in the session.</summary>
    public uint Number { get; }

    /// <summary>Is it filtered by names of containers?</summary>
    public bool WaitsForNames => _scope.WaitsForNames;

    /// <summary>Decides about a cgroup that was made during the trace.</summary>
    /// <param name="id">The cgroup.</param>
    /// <param name="path">Its path.</param>
    /// <param name="isLate">A name that is not known by now is none.</param>
    /// <returns>Whether its events pass; null: a name is missing yet.</returns>
    public bool? Decide(ulong id, string path, bool isLate) => _scope.Decide(id, path, isLate);

    private IFilterStorage StorageOf(FilterDimension dimension, uint counter) => dimension switch
    {
        PathDimension path => new KernelPathFilter(_object, path, counter),
        ScopeDimension scope => _scope.Of(scope),
        _ => new KernelFilter(_object, dimension, counter),
    };

    // struct veil_left_out [VEIL_SAMPLE_SHARDS]
    [StructLayout(LayoutKind.Sequential, Size = Count * Words * sizeof(ulong))]
    private struct LeftOutShards
    {
        public const int Count = 64;
        public const int Words = 8;
    }
}
