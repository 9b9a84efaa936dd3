// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Cgroups;
using Veil.Core.Containers;

namespace Veil.Core.Filters;

/// <summary>Which hierarchy of cgroups a trace looks at: where version 2 is used for something, containers may be in version 1
/// alone.</summary>
public static class ScopeHierarchy
{
    /// <summary>Takes the one that has the containers which are chosen, or any where none is.</summary>
    /// <param name="filters">The filters. One by cgroup has chosen already.</param>
    /// <param name="shows">Are containers shown?</param>
    public static void Choose(IReadOnlyList<FilterExpression> filters, bool shows)
    {
        var names = filters.Where(static filter => filter.Dimension is ScopeDimension { IsByName: true }).ToList();
        if ((names.Count == 0 && !(shows && ContainerNames.Own.HasRuntimes))
            || filters.Any(static filter => filter.Dimension is CgroupDimension))
            return;
        var running = ContainerNames.Own.Running();
        var chosen = running.Where(container => names.Exists(filter => Names(filter, container))).ToList();
        if (chosen.Count == 0)
            chosen = [.. running];
        if (chosen.Count > 0 && CgroupHierarchy.All.OrderByDescending(static some => some == CgroupTree.Own.Hierarchy)
            .FirstOrDefault(hierarchy => chosen.Exists(container => hierarchy.IdOf(container.CgroupPath) != 0)) is { } having)
            CgroupTree.Own.Use(having);
    }

    private static bool Names(FilterExpression filter, Container container) =>
        filter.Bits.Keys.Any(key => ((ScopeDimension)filter.Dimension).Matches(key, container.CgroupPath));
}
