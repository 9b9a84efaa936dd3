// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Counting;
using Veil.Core.Filters;
using Veil.Core.Interop;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Waiting;

namespace Veil.Core.Sources;

/// <summary>What the modules of a session start with.</summary>
/// <param name="Options">The session's options.</param>
/// <param name="Rings">The rings that all modules share.</param>
/// <param name="Helper">The helper's process id, or 0.</param>
/// <param name="Stop">Ends the start between two steps; or nothing does.</param>
/// <param name="Budget">What memory there is.</param>
/// <param name="Following">What follows descendants.</param>
internal sealed record StartFacts(
    SessionOptions Options, EventRings Rings, uint Helper, StopSignal? Stop, MemoryBudget Budget, Following Following);

/// <summary>A module of a session.</summary>
/// <param name="Module">The module.</param>
/// <param name="Number">Its number in the session.</param>
/// <param name="Position">When it is attached: 0 is the first.</param>
/// <param name="Plan">What is counted in the kernel instead of sent; or nothing.</param>
internal sealed record StartedModule(TraceModule Module, int Number, int Position, CountPlan? Plan);

/// <summary>
/// A module on its way into the kernel by one hook: its object is opened and set up, then loaded, then attached. Only the middle step,
/// which is the kernel's check of the programs and takes most of the time, may run beside that of others. Owns the object until it is
/// attached.
/// </summary>
internal sealed class ModuleStart : IDisposable
{
    private readonly StartFacts _facts;
    private readonly StartedModule _started;
    private readonly HookRung _rung;
    private readonly BpfObject _object;
    private readonly ModuleArguments _arguments;
    private readonly List<string> _before, _after;
    private readonly List<HookProgram> _wanted;
    private readonly long _bytes;
    private bool _isAttached;

    /// <summary>Opens the object and sets it up.</summary>
    /// <param name="started">The module.</param>
    /// <param name="rung">The hook.</param>
    /// <param name="facts">What the session's modules start with.</param>
    /// <exception cref="BpfException">The object cannot be opened.</exception>
    /// <exception cref="VeilException">This kernel has not what the hook needs, or there is no memory for it.</exception>
    /// <exception cref="StoppedException">The start was ended.</exception>
    public ModuleStart(StartedModule started, HookRung rung, StartFacts facts)
    {
        facts.Stop?.ThrowIfEarly();
        _facts = facts;
        _started = started;
        _rung = rung;
        var (options, module) = (facts.Options, started.Module);
        _object = BpfObject.Open(module.ReadObject(), module.Name);
        try
        {
            _arguments = options.ArgumentsOf(module);
            var origin = OriginReading.Of(options);
            _before = [.. origin.Programs, .. facts.Following.ProgramsBefore(started.Position)];
            _after = [.. facts.Following.ProgramsAfter(started.Position)];
            _wanted =
                [.. _before.Select(static name => new HookProgram(name)),
                    .. rung.Programs.Where(program => program.IsWanted(_arguments) && !(program.IsOfEvents && started.Plan is not null)),
                    .. _after.Select(static name => new HookProgram(name))];
            RefuseMissingHooks(_wanted.Select(hook => _object.Program(hook.Name)));
            foreach (var program in _object.Programs)
                program.AutoLoad = _wanted.Exists(hook => hook.Name == program.Name);
            Configure(origin);
            // libbpf reads the kernel's types for itself: ours need not be in memory beside them.
            if (MemoryCgroup.IsTight)
                GC.Collect();
            facts.Stop?.ThrowIfEarly();
            _bytes = facts.Budget.Take(_object, rung.LoadBytes);
        }
        catch
        {
            _object.Dispose();
            throw;
        }
    }

    /// <summary>The hook.</summary>
    public HookRung Rung => _rung;

    /// <summary>How many programs it has here.</summary>
    public int Programs => _wanted.Count;

    /// <summary>Has the kernel check the programs. May run on another thread, beside others.</summary>
    /// <exception cref="BpfException">It refuses one of them.</exception>
    public void Load() => _object.Load();

    /// <summary>Attaches it. Afterwards the object is that of what is returned.</summary>
    /// <exception cref="BpfException">A program cannot be attached; none stays attached.</exception>
    /// <exception cref="StoppedException">The start was ended.</exception>
    public AttachedModule Attach()
    {
        var module = _started.Module;
        module.Fill(_object, _arguments);
        var attached = new AttachedModule(module, _started.Number, _rung, _object, _arguments, _facts.Options, _started.Plan);
        foreach (var map in attached.Traced.Filters)
        {
            if (_facts.Options.FiltersOf(module).FirstOrDefault(filter => filter.Dimension.Name == map.Dimension.Name) is { } filter)
                map.Replace(filter.Bits);
        }

        var links = new Dictionary<string, BpfLink>(StringComparer.Ordinal);
        try
        {
            foreach (var hook in _wanted)
            {
                _facts.Stop?.ThrowIfEarly();
                if (attached.Attach(hook, _arguments, _before.Contains(hook.Name) || _after.Contains(hook.Name)) is { } link)
                    links[hook.Name] = link;
            }
        }
        catch
        {
            attached.Detach();
            throw;
        }

        _facts.Following.Take(_started.Position, _object, links);
        _isAttached = true;
        return attached;
    }

    /// <summary>Unloads what did not get attached.</summary>
    public void Dispose()
    {
        if (_isAttached)
            return;
        _object.Dispose();
        _facts.Budget.GiveBack(_bytes);
    }

    private void Configure(OriginReading origin)
    {
        var (options, module) = (_facts.Options, _started.Module);
        _object.SetGlobal("veil_module", (uint)_started.Number);
        _object.SetGlobal("veil_self", options.IncludeSelf ? 0u : (uint)Environment.ProcessId);
        _object.SetGlobal("veil_self_helper", options.IncludeSelf ? 0u : _facts.Helper);
        if (PidNamespace.IsInitial is false)
        {
            _object.SetGlobal("veil_self_ns_device", PidNamespace.Own.Device);
            _object.SetGlobal("veil_self_ns_inode", PidNamespace.Own.Inode);
        }

        origin.Configure(_object, tells: _started.Number == 0);
        StackReading.Configure(_object, options, module, _arguments);
        KernelScope.Configure(_object, KernelScope.CounterOf(module, options));
        foreach (var (index, dimension) in module.Filters.Index().Where(static filter => filter.Item is not ScopeDimension))
            KernelFilter.Configure(_object, dimension, options.CountFilters ? KernelFilter.CounterOf(index) : 0);
        _facts.Following.Configure(_object);
        Thresholds.Configure(_object, _arguments);
        _object.SetGlobal("veil_sampling", options.Samples);
        foreach (string map in _rung.UnusedMaps)
            _object.Map(map).SetMaxEntries(1);
        module.Configure(_object, _rung, _arguments);
        _started.Plan?.Configure(_object);
        _facts.Rings.Give(_object);
        LimitTables(_object);
    }

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
