// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Veil.Bpf;
using Veil.Core.Cgroups;
using Veil.Core.Counting;
using Veil.Core.Filters;
using Veil.Core.Interop;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Sinks;
using Veil.Core.Waiting;

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

    private AttachedModule(
        TraceModule module, int number, HookRung rung, BpfObject bpfObject, ModuleArguments arguments, SessionOptions options, CountPlan? plan)
    {
        Number = (uint)number;
        Module = module;
        Rung = rung;
        _object = bpfObject;
        _losses = new LossLedger(bpfObject);
        Counts = plan is null ? null : new EventCounts(bpfObject, plan);
        _scope = new KernelScope(bpfObject, CgroupTree.Own, ScopeCounterOf(module, options));
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

    /// <summary>
    /// Climbs down the ladder: the first rung that loads and attaches is taken.
    /// </summary>
    /// <param name="module">The module.</param>
    /// <param name="number">Its number in the session.</param>
    /// <param name="options">The session's options.</param>
    /// <param name="rings">The rings that all modules share.</param>
    /// <param name="plan">What is counted in the kernel instead of sent; or nothing.</param>
    /// <param name="helper">The helper's process id, or 0.</param>
    /// <param name="stop">Ends it between two steps.</param>
    /// <param name="budget">What memory there is.</param>
    /// <param name="following">What follows descendants.</param>
    /// <param name="log">Takes a line for every rung that is not taken.</param>
    /// <exception cref="VeilException">No rung is possible, or the forced one is not.</exception>
    public static AttachedModule Attach(
        TraceModule module, int number, SessionOptions options, EventRings rings, CountPlan? plan, uint helper, StopSignal stop,
        MemoryBudget budget, Following following, Action<string> log)
    {
        var reasons = new List<string>();
        foreach (var rung in module.Rungs)
        {
            if (options.Hook is not null && rung.Name != options.Hook)
                continue;
            try
            {
                return AttachRung(module, number, rung, options, rings, plan, helper, stop, budget, following);
            }
            catch (Exception cause) when (cause is BpfException { IsOutOfDescriptors: false } or VeilException { IsFinal: false })
            {
                // The kernel's check gives up for a signal, after some more tries of libbpf.
                stop.ThrowIfEarly();
                reasons.Add($"{rung.Name}: {cause.Message}");
                log($"{module.Name}: {rung.Name} is not possible: {cause.Message}");
            }
        }

        throw new VeilException(reasons.Count == 1
            ? $"attaching module {module.Name} by {reasons[0]}"
            : $"attaching module {module.Name}: no hook works here ({string.Join("; ", reasons)})");
    }

    /// <summary>Attaches a module in one way for an instant, to this process alone.</summary>
    /// <returns>Why it does not work, or nothing.</returns>
    public static string? WhyNot(TraceModule module, HookRung rung)
    {
        const int ringBytes = 4096;
        var self = FilterExpression.Parse(new PidDimension(), [Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        var options = new SessionOptions { Modules = [module], Filters = [self], Output = new OutputOptions(OutputFormat.Text, [], Enrichments.None, false), RingBytes = ringBytes };
        try
        {
            MemoryBudget.RequireOne(rung, ringBytes);
            using var ring = new EventRings(ringBytes);
            AttachRung(
                module, 0, rung, options, ring, plan: null, helper: 0, stop: null, MemoryBudget.OfOne(ringBytes),
                new Following(options, modules: 1)).Dispose();
            return null;
        }
        catch (Exception cause) when (cause is BpfException or VeilException)
        {
            return cause.Message;
        }
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

    private static AttachedModule AttachRung(
        TraceModule module, int number, HookRung rung, SessionOptions options, EventRings rings, CountPlan? plan, uint helper,
        StopSignal? stop, MemoryBudget budget, Following following)
    {
        stop?.ThrowIfEarly();
        var bpfObject = BpfObject.Open(module.ReadObject(), module.Name);
        try
        {
            var arguments = options.ArgumentsOf(module);
            var origin = OriginReading.Of(options);
            List<string> before = [.. origin.Programs, .. following.ProgramsBefore()], after = [.. following.ProgramsAfter()];
            List<HookProgram> wanted =
                [.. before.Select(static name => new HookProgram(name)),
                    .. rung.Programs.Where(program => program.IsWanted(arguments) && !(program.IsOfEvents && plan is not null)),
                    .. after.Select(static name => new HookProgram(name))];
            RefuseMissingHooks(wanted.Select(hook => bpfObject.Program(hook.Name)));
            foreach (var program in bpfObject.Programs)
                program.AutoLoad = wanted.Exists(hook => hook.Name == program.Name);
            bpfObject.SetGlobal("veil_module", (uint)number);
            bpfObject.SetGlobal("veil_self", options.IncludeSelf ? 0u : (uint)Environment.ProcessId);
            bpfObject.SetGlobal("veil_self_helper", options.IncludeSelf ? 0u : helper);
            if (PidNamespace.IsInitial is false)
            {
                bpfObject.SetGlobal("veil_self_ns_device", PidNamespace.Own.Device);
                bpfObject.SetGlobal("veil_self_ns_inode", PidNamespace.Own.Inode);
            }

            origin.Configure(bpfObject, tells: number == 0);
            StackReading.Configure(bpfObject, options, module, arguments);
            KernelScope.Configure(bpfObject, ScopeCounterOf(module, options));
            foreach (var (index, dimension) in module.Filters.Index().Where(static filter => filter.Item is not ScopeDimension))
                KernelFilter.Configure(bpfObject, dimension, options.CountFilters ? KernelFilter.CounterOf(index) : 0);
            following.Configure(bpfObject);
            Thresholds.Configure(bpfObject, arguments);
            foreach (string map in rung.UnusedMaps)
                bpfObject.Map(map).SetMaxEntries(1);
            module.Configure(bpfObject, rung, arguments);
            plan?.Configure(bpfObject);
            rings.Give(bpfObject);
            LimitTables(bpfObject);
            // libbpf reads the kernel's types for itself: ours need not be in memory beside them.
            if (MemoryCgroup.IsTight)
                GC.Collect();
            stop?.ThrowIfEarly();
            long bytes = budget.Require(bpfObject, rung.LoadBytes);
            bpfObject.Load();
            module.Fill(bpfObject, arguments);

            var attached = new AttachedModule(module, number, rung, bpfObject, arguments, options, plan);
            foreach (var map in attached.Traced.Filters)
            {
                if (options.FiltersOf(module).FirstOrDefault(filter => filter.Dimension.Name == map.Dimension.Name) is { } filter)
                    map.Replace(filter.Bits);
            }

            var links = new Dictionary<string, BpfLink>(StringComparer.Ordinal);
            try
            {
                foreach (var hook in wanted)
                {
                    stop?.ThrowIfEarly();
                    var program = bpfObject.Program(hook.Name);
                    attached._attached.Add(program);
                    bool isFollowing = before.Contains(hook.Name) || after.Contains(hook.Name);
                    if (isFollowing || module.CountsMisses(program))
                        attached._programs.Add(program);
                    var map = hook.Map is null ? null : bpfObject.Map(hook.Map);
                    if (hook.IsRepeated)
                        attached._repeated.Add(program.PrepareIterator(map));
                    if (hook.IsLast)
                        attached._last.Add(program.PrepareIteration(map));
                    if (isFollowing)
                        attached._links.Add(links[hook.Name] = program.Attach());
                    else if (!hook.IsRepeated && !hook.IsLast)
                        attached._links.AddRange(module.Attach(bpfObject, program, rung, arguments));
                }
            }
            catch
            {
                attached.Detach();
                throw;
            }

            budget.Take(bytes);
            following.Take(bpfObject, links);
            return attached;
        }
        catch
        {
            bpfObject.Dispose();
            throw;
        }
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

    private static uint ScopeCounterOf(TraceModule module, SessionOptions options) =>
        options.CountFilters ? KernelFilter.CounterOf(module.Filters.ToList().FindIndex(static filter => filter is ScopeDimension)) : 0;

    // What a module remembers has its memory from the start. Where little is allowed it remembers less, and counts what it could not
    // (map_full). Filters and counts hold as many keys as they promise.
    private static void LimitTables(BpfObject bpfObject)
    {
        foreach (var map in bpfObject.Maps)
        {
            bool isPromised =
                map.Name.StartsWith("filter_", StringComparison.Ordinal) || map.Name.StartsWith("veil_", StringComparison.Ordinal);
            if (map.WillBeCreated && map.Type is BpfMapType.Hash or BpfMapType.LruHash && !isPromised
                && map.MaxEntries > MemoryCgroup.TableEntriesMax)
                map.SetMaxEntries(MemoryCgroup.TableEntriesMax);
        }
    }

    // What the kernel lacks altogether is asked first: to find it out by loading costs a parse of the kernel's types and the verifier's
    // time.
    private static void RefuseMissingHooks(IEnumerable<BpfProgram> programs)
    {
        foreach (var program in programs)
        {
            if (program.NeedsKprobes && !KernelFeatures.HasKprobes)
                throw new VeilException($"{program.Section}: kprobes are not in this kernel (CONFIG_KPROBE_EVENTS)");
            if (program.TracedFunction is { } function && KernelFeatures.FentryRefusal(function) is { } refusal)
                throw new VeilException($"{program.Section}: {refusal}");
        }
    }
}
