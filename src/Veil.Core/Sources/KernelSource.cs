// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Bpf;
using Veil.Bpf.Interop;
using Veil.Core.Budgets;
using Veil.Core.Cgroups;
using Veil.Core.Counting;
using Veil.Core.Events;
using Veil.Core.Interop;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Pipeline;
using Veil.Core.Privileged;
using Veil.Core.Stacks;
using Veil.Core.Symbols;
using Veil.Core.Waiting;

namespace Veil.Core.Sources;

/// <summary>The running kernel: programs that are attached, and the rings that they write to. Records go on straight out of the mapped
/// memory.</summary>
internal sealed class KernelSource : IEventSource
{
    // An event waits at most this long for its reader (the contract says 100 ms); a full ring wakes it earlier.
    private const int PollMs = 40;
    private const int HeldMs = (int)(RingMerge.BoundNs / 1_000_000);

    // The producers see free space late if it is given back late, and the cache line bounces if it is given back often.
    private const int ReleaseEveryBytes = 64 * 1024;

    // A small ring gives back in parts, too: users that do not flood have a share of each (veil_admit() in emit.bpf.h).
    private const int ReleasesARound = 16;

    private readonly EventRings _rings;
    private readonly RingMerge? _merge;
    private readonly List<AttachedModule> _modules = [];
    private readonly bool _measuresCost;
    private readonly BpfStatistics? _statistics;
    private readonly Following _following;
    private readonly NewCgroups _newCgroups;
    private readonly KernelExecutables? _executables;
    private readonly CopyReading? _copies;

    // So often programs run that look for what has become slow.
    private const int RepeatMs = 250;
    private long _repeatAt;

    /// <summary>Loads and attaches every module.</summary>
    /// <param name="options">What to trace.</param>
    /// <param name="events">The kinds of event of the modules.</param>
    /// <param name="stop">Ends it between two steps.</param>
    /// <param name="log">Takes a line for every hook that is not taken.</param>
    /// <param name="root">The helper process, which is left out of the trace; or none.</param>
    /// <exception cref="VeilException">Something could not be attached; nothing stays attached.</exception>
    public KernelSource(SessionOptions options, EventCatalog events, StopSignal stop, Action<string> log, RootClient? root)
    {
        Events = events;
        _copies = options.Unwind != StackUnwind.FramePointers && StackTable.Own.Names is StackNames names ? new(new(StackTable.Own, names)) : null;
        _newCgroups = new(events.Header);
        _rings = new EventRings(options.RingBytes, options.Rings);
        if (_copies is not null && _rings.BytesEach < CopiedStacks.CopiesInRing * options.StackCopyBytes)
        {
            _rings.Dispose();
            throw new VeilException(
                $"--stack-copy {options.StackCopyBytes >> 10}K: a ring of {_rings.BytesEach >> 10} KiB has no room for {CopiedStacks.CopiesInRing} of them; " +
                $"give a smaller one, or --buffer {options.RingBytes / _rings.BytesEach * CopiedStacks.CopiesInRing * (options.StackCopyBytes >> 10)}K or more");
        }

        _following = new Following(options, options.Modules.Count);
        // Before the privileges go: it needs CAP_SYS_ADMIN.
        _measuresCost = options.MeasureCost;
        _statistics = Measure(options);
        try
        {
            var budget = MemoryBudget.Of(options, root is not null, MemoryCgroup.LimitBytes);
            // First, so that no event is of a process that they have not told of.
            if (options.ExecutableWatch is { } watch)
                _executables = new KernelExecutables(watch(), _rings, events.Header, budget);
            // While it may be asked: a filter by path may come later.
            _ = OwnRoot.Path;
            // Where memory is short, whose check takes the kernel much of it for a moment goes first, while the others' maps are not
            // there yet. Elsewhere it goes last, as the first is loaded alone.
            var started = options.Modules.Index().OrderBy(static module => module.Item.Rungs[0].LoadBytes * (MemoryCgroup.IsTight ? -1 : 1))
                .Select((module, position) => new StartedModule(module.Item, module.Index, position, PlanOf(module.Item, module.Index)))
                .ToList();
            new ModuleLoader(new StartFacts(options, _rings, (uint)(root?.Pid ?? 0), stop, budget, _following), log)
                .Attach(started, _modules);

            var order = options.Modules.ToList();
            // Once those that are made are told of.
            if (OriginReading.Of(options).IsTreeWatched)
                CgroupTree.Own.Read();
            _modules.Sort((one, other) => order.IndexOf(one.Module).CompareTo(order.IndexOf(other.Module)));

            // Mapped last: until here the process holds the kernel's BTF, and the two need not be in memory at once.
            _rings.Map();
        }
        catch
        {
            Dispose();
            throw;
        }

        CountPlan? PlanOf(TraceModule module, int number) =>
            options.Counting is null ? null : CountPlan.Of(module, [.. events.SchemasOf(number)], options.Counting);

        _merge = _rings.Count > 1 ? new RingMerge(_rings.Readers, events.Header.TimestampOffset) : null;
        Modules = _modules.ConvertAll(static module => module.Traced);
        Counts = [.. _modules.Select(static module => module.Counts).OfType<EventCounts>()];
        PollFds = [.. _rings.Readers.Select(static ring => ring.PollFd)];
    }

    public EventCatalog Events { get; }

    public IReadOnlyList<TracedModule> Modules { get; }

    public IReadOnlyList<EventCounts> Counts { get; }

    public RingUse? Rings => _rings.Use;

    public IReadOnlyCollection<int> PollFds { get; }

    /// <summary>Earlier where an event is held back until no earlier one can come.</summary>
    public int WaitMs => _merge is { Holds: true } ? HeldMs : PollMs;

    public bool HasEnded => false;

    /// <summary>The modules that can miss events which nobody counts.</summary>
    public IEnumerable<TracedModule> MissingUncounted =>
        _modules.Where(static module => module.MissesUncounted).Select(static module => module.Traced);

    /// <summary>Does anything live that the command is or has made, as far as that is followed?</summary>
    public bool HasCommandTasks => _following.HasCommandTasks;

    /// <summary>Takes all that is there now. Of several rings what is too young to be in order waits for the next time.</summary>
    public void Drain(EventPipeline pipeline, bool last)
    {
        _following.Step();
        Repeat();
        if (_merge is null)
            DrainOne(_rings.Readers[0], pipeline);
        else
            DrainMerged(_merge, pipeline, last);
        _newCgroups.Step(_modules, pipeline, last);
    }

    private void Repeat()
    {
        long now = Environment.TickCount64;
        if (now >= _repeatAt)
            Look();
    }

    public void Look()
    {
        _repeatAt = Environment.TickCount64 + RepeatMs;
        foreach (var module in _modules)
            module.Repeat();
    }

    public ulong Discard()
    {
        ulong count = 0;
        if (_merge is not null)
        {
            _merge.Begin(last: true);
            while (_merge.TryRead(out _))
                count++;
            _merge.End();
            return count;
        }

        while (_rings.Readers[0].TryRead(out _))
            count++;
        _rings.Readers[0].Release();
        return count;
    }

    public void ReportLosses(EventPipeline pipeline)
    {
        _executables?.CollectLosses(pipeline);
        foreach (var module in _modules)
            module.CollectLosses(pipeline);
    }

    public void Detach()
    {
        foreach (var module in _modules)
            module.Detach();
        _executables?.Detach();
    }

    /// <summary>Opens what <see cref="Cost"/> reads and what needs a privilege.</summary>
    public void PrepareCost()
    {
        if (!_measuresCost)
            return;
        foreach (var module in _modules)
            module.PrepareMapBytes();
    }

    public SourceCost? Cost() => !_measuresCost ? null : new SourceCost(
        [.. _modules.SelectMany(static module => module.Costs()), .. _executables?.Costs() ?? []],
        _rings.Use.Bytes + _modules.Sum(static module => module.MapBytes()));

    public ulong RunTimeNs => _modules.Aggregate(_executables?.RunTimeNs ?? 0, static (sum, module) => sum + module.RunTimeNs);

    public ulong LeftOutOf(int module) => _modules[module].LeftOut;

    public void Sample(SampleRate rate)
    {
        foreach (var module in _modules)
            module.Sample(rate);
    }

    public void Dispose()
    {
        foreach (var module in _modules)
            module.Dispose();
        _modules.Clear();
        _executables?.Dispose();
        _statistics?.Dispose();
        _rings.Dispose();
    }

    // The right to have programs measured is root's; whoever has set the sysctl has given it to all.
    private static BpfStatistics? Measure(SessionOptions options)
    {
        if (!options.MeasureCost && (options.Budget is null || KernelFile.Text("/proc/sys/kernel/bpf_stats_enabled") is "1"))
            return null;
        try
        {
            return BpfStatistics.Enable();
        }
        catch (BpfException cause) when (!options.MeasureCost)
        {
            throw new VeilException(
                $"--budget: measuring the programs: {cause.Message}; give CAP_SYS_ADMIN, or have root set the sysctl kernel.bpf_stats_enabled to 1", cause);
        }
    }

    // What tells of a cgroup or an executable is no event.
    private void Give(ReadOnlySpan<byte> record, EventPipeline pipeline)
    {
        uint kind = record.Length < Events.Header.SizeBytes ? 0
            : BinaryPrimitives.ReadUInt32LittleEndian(record[Events.Header.KindOffset..]);
        switch (kind % EventCatalog.KindsPerModule)
        {
            case CgroupMade.Kind:
                TakeCgroup(record);
                break;
            case KernelExecutables.Kind:
                _executables?.Take(record);
                break;
            case StackTable.Kind:
                StackTable.Own.Take(record);
                break;
            case CopiedStacks.Kind:
                _copies?.Take(record);
                break;
            default:
                if (_copies is not null)
                    record = _copies.WithStacks(record, Events.Find(kind));
                if (!_newCgroups.IsActive || !_newCgroups.Takes(record, Events.Find(kind), pipeline))
                    pipeline.Deliver(record);
                break;
        }
    }

    private void TakeCgroup(ReadOnlySpan<byte> record)
    {
        if (!CgroupMade.TryRead(record, Events.Header.SizeBytes, out ulong id, out var path))
            return;
        CgroupTree.Own.Made(id, path);
        string text = Encoding.UTF8.GetString(path);
        if (_modules.Exists(static module => module.WaitsForNames))
            _newCgroups.Add(id, text, _modules);
        else
            foreach (var module in _modules)
                module.Decide(id, text, isLate: true);
    }

    private void DrainOne(RingBuffer ring, EventPipeline pipeline)
    {
        int unreleased = 0, releaseEvery = Math.Min(ReleaseEveryBytes, ring.SizeBytes / ReleasesARound);
        try
        {
            while (!pipeline.IsComplete && ring.TryRead(out var record))
            {
                Give(record, pipeline);
                unreleased += record.Length;
                if (unreleased >= releaseEvery)
                {
                    ring.Release();
                    unreleased = 0;
                    pipeline.Beat?.Invoke();
                }
            }
        }
        finally
        {
            ring.Release();
        }
    }

    private void DrainMerged(RingMerge merge, EventPipeline pipeline, bool last)
    {
        const int beatEvery = 1024;
        merge.Begin(last);
        try
        {
            for (int given = 1; !pipeline.IsComplete && merge.TryRead(out var record); given++)
            {
                Give(record, pipeline);
                if (given % beatEvery == 0)
                    pipeline.Beat?.Invoke();
            }
        }
        finally
        {
            merge.End();
        }
    }
}
