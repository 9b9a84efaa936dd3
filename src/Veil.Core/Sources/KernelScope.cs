// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Bpf;
using Veil.Core.Cgroups;
using Veil.Core.Containers;
using Veil.Core.Filters;
using Veil.Core.Interop;
using Veil.Core.Modules;
using Veil.Core.Options;

namespace Veil.Core.Sources;

/// <summary>
/// The filters by cgroup of one module, as <c>bpf/veil/filter_cgroup.bpf.h</c> decides them: one map has every cgroup that all of them
/// choose together.
/// A new cgroup takes over what the one above it has, in the kernel; where a name decides, it is decided again once userspace knows
/// it.
/// </summary>
/// <param name="bpfObject">The object, loaded.</param>
/// <param name="tree">The cgroups.</param>
/// <param name="counter">Where decisions are counted, or 0.</param>
internal sealed class KernelScope(BpfObject bpfObject, CgroupTree tree, uint counter)
{
    private const uint GenerationsMax = 1 << 16;
    private const string Waits = "veil_cgroup_waits";
    private const string Prefix = "filter_" + ScopeDimension.MapName;
    private readonly BpfHashMap<ulong, FilterBits> _map = new(bpfObject.Map(Prefix));
    private readonly Dictionary<ScopeDimension, IReadOnlyDictionary<FilterKey, FilterBits>> _wanted = [];
    private readonly Lock _lock = new();

    /// <summary>Where the decisions of a dimension are made.</summary>
    public IFilterStorage Of(ScopeDimension dimension) => new Storage(this, dimension);

    /// <summary>Where the decisions of a module's filters by cgroup are counted; 0 where they are not.</summary>
    public static uint CounterOf(TraceModule module, SessionOptions options) =>
        options.CountFilters ? KernelFilter.CounterOf(module.Filters.ToList().FindIndex(static filter => filter is ScopeDimension)) : 0;

    /// <summary>Sets an object up before it is loaded.</summary>
    public static void Configure(BpfObject bpfObject, uint counter)
    {
        const uint noPreallocation = 1; // BPF_F_NO_PREALLOC
        bpfObject.TrySetGlobal(Prefix + "_counter", counter);
        if (KernelFeatures.KernelVersion >= new Version(6, 1))
            bpfObject.Map(Prefix).SetFlags(noPreallocation);
    }

    /// <summary>Do names decide that may come later than the cgroup?</summary>
    public bool WaitsForNames
    {
        get
        {
            lock (_lock)
                return _wanted.Keys.Any(static dimension => dimension.IsByName);
        }
    }

    /// <summary>Decides about a cgroup that was made during the trace.</summary>
    /// <param name="id">The cgroup, which the tree knows.</param>
    /// <param name="path">Its path.</param>
    /// <param name="isLate">A name that is not known by now is none.</param>
    /// <returns>Whether its events pass; null: a name is missing yet.</returns>
    public bool? Decide(ulong id, string path, bool isLate)
    {
        lock (_lock)
        {
            if (_wanted.Count == 0)
                return true;
            var bits = BitsOf(path);
            if (!isLate && bits == FilterBits.None && ContainerNames.Own.IsOpen(path))
                return null;
            // A task may have been in it already, where the kernel did not hand the decision on.
            if (Set(id, path))
                Forget();
            return !bits.HasFlag(FilterBits.Deny) && (bits.HasFlag(FilterBits.Allow) || !Mode.HasFlag(FilterBits.Allow));
        }
    }

    private FilterBits Mode => _wanted.Values.SelectMany(static keys => keys.Values)
        .Aggregate(FilterBits.None, static (all, bits) => all | bits);

    private void Replace(ScopeDimension dimension, IReadOnlyDictionary<FilterKey, FilterBits> wanted)
    {
        lock (_lock)
        {
            if (wanted.Count == 0)
                _wanted.Remove(dimension);
            else
                _wanted[dimension] = wanted;
            // As FilterChange has it: what leaves the mode leaves first, what joins joins last.
            ref uint mode = ref bpfObject.Global<uint>(Prefix + "_mode");
            var next = Mode;
            if ((mode & ~(uint)next) != 0)
            {
                Volatile.Write(ref mode, mode & (uint)next);
                GracePeriod.Wait();
            }

            tree.Read();
            foreach (var (id, path) in tree.All)
                Set(id, Encoding.UTF8.GetString(path));
            // What is in the map and in no tree any more, or was made by the kernel meanwhile below what is chosen no longer.
            foreach (var (id, bits) in _map.Entries())
            {
                if (tree.PathOf(id) is null)
                    _ = _map.Remove(id);
            }

            // A look has no program that could wait.
            if (bpfObject.Btf.TryGetVariable(Waits, out _))
                bpfObject.Global<uint>(Waits) = _wanted.Keys.Any(static some => some.IsByName) ? 1u : 0u;
            Forget();
            Volatile.Write(ref mode, (uint)next);
        }
    }

    // True: it was decided otherwise before.
    private bool Set(ulong id, string path)
    {
        var bits = BitsOf(path);
        var before = _map.TryGet(id, out var held) ? held : FilterBits.None;
        if (bits == before)
            return false;
        if (bits != FilterBits.None)
            _map.Set(id, bits);
        else
            _ = _map.Remove(id);
        return true;
    }

    // All dimensions that allow have to; one that denies is enough.
    private FilterBits BitsOf(string path)
    {
        var (denied, allows, allowed) = (false, 0, 0);
        foreach (var (dimension, keys) in _wanted)
        {
            var (has, found) = (false, false);
            foreach (var (key, bits) in keys)
            {
                has |= bits.HasFlag(FilterBits.Allow);
                if (!dimension.Matches(key, path))
                    continue;
                denied |= bits.HasFlag(FilterBits.Deny);
                found |= bits.HasFlag(FilterBits.Allow);
            }

            allows += has ? 1 : 0;
            allowed += found ? 1 : 0;
        }

        return (denied ? FilterBits.Deny : FilterBits.None) | (allows > 0 && allowed == allows ? FilterBits.Allow : FilterBits.None);
    }

    // What programs remember of the map holds no longer, once none runs that has read it before.
    private void Forget()
    {
        GracePeriod.Wait();
        ref uint generation = ref bpfObject.Global<uint>(Prefix + "_generation");
        Volatile.Write(ref generation, (generation + 1) % GenerationsMax);
    }

    private sealed class Storage(KernelScope scope, ScopeDimension dimension) : IFilterStorage
    {
        public void Replace(
            FilterDimension of, IReadOnlyDictionary<FilterKey, FilterBits> before, IReadOnlyDictionary<FilterKey, FilterBits> after) =>
            scope.Replace(dimension, after);

        // They are decided together: the first of them has the counts of all.
        public (ulong Passed, ulong Dropped)? Counts() =>
            scope.IsFirst(dimension) ? KernelFilter.CountsOf(scope.Object, scope.Counter) : null;
    }

    private bool IsFirst(ScopeDimension dimension)
    {
        lock (_lock)
            return _wanted.Keys.MinBy(static some => some.Name, StringComparer.Ordinal) == dimension;
    }

    private BpfObject Object => bpfObject;

    private uint Counter => counter;
}
