// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Cgroups;
using Veil.Core.Filters;
using Veil.Core.Options;
using Veil.Core.Sinks;
using Veil.Core.Stacks;

namespace Veil.Core.Sources;

/// <summary>What the programs of a session read of a task's parent and cgroup: the constants of <c>bpf/veil/origin.bpf.h</c>.</summary>
/// <param name="HasParent">The parent is shown, or may be filtered by.</param>
/// <param name="HasCgroup">The cgroup is.</param>
/// <param name="IsInRecords">Records have it, because something of it is shown.</param>
/// <param name="IsTreeWatched">It is noted which cgroups are made.</param>
/// <param name="Stacks">The stacks of the running task that records have.</param>
internal sealed record OriginReading(bool HasParent, bool HasCgroup, bool IsInRecords, bool IsTreeWatched, StackKinds Stacks)
{
    private const uint OriginBytes = 32; // struct veil_origin
    private const uint BehindBytes = 48; // struct veil_behind

    /// <summary>What a session needs.</summary>
    public static OriginReading Of(SessionOptions options)
    {
        var shown = options.OriginFields;
        bool showsCgroup = options.NamesContainers || shown?.Contains("cgroup") == true, isScoped = options.Filters.Any(static filter => filter.Dimension is ScopeDimension);
        return new(
            options.TakesCommands || options.Filters.Any(static filter => filter.Dimension is PpidDimension) || shown?.Any(Is(Enrichments.Parent)) == true,
            options.TakesCommands || isScoped || showsCgroup, shown is not null, options.TakesCommands || isScoped || showsCgroup, options.Stacks);
    }

    /// <summary>The programs that note which cgroups are made and removed.</summary>
    public IEnumerable<string> Programs => IsTreeWatched && CgroupTree.Own.Hierarchy is not null ? ["veil_cgroup_make", "veil_cgroup_drop"] : [];

    /// <summary>Sets an object up before it is loaded.</summary>
    /// <param name="bpfObject">The object.</param>
    /// <param name="tells">It is the one of the session that tells of new cgroups.</param>
    public void Configure(BpfObject bpfObject, bool tells)
    {
        bpfObject.SetGlobal("veil_reads_parent", HasParent);
        bpfObject.SetGlobal("veil_reads_cgroup", HasCgroup);
        bpfObject.SetGlobal("veil_origin_size", !IsInRecords ? 0 : Stacks == StackKinds.None ? OriginBytes : BehindBytes);
        bpfObject.SetGlobal("veil_cgroup_by", (uint)(CgroupTree.Own.Hierarchy?.By ?? CgroupBy.Default));
        bpfObject.SetGlobal("veil_cgroup_hierarchy", CgroupTree.Own.Hierarchy?.Number ?? 0);
        bpfObject.SetGlobal("veil_cgroup_tells", tells);
    }

    private static Func<string, bool> Is(Enrichments by) => name => OriginField.All.Any(field => field.By == by && field.Name == name);
}
