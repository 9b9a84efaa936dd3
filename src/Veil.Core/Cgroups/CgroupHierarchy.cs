// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf.Interop;
using Veil.Core.Interop;

namespace Veil.Core.Cgroups;

/// <summary>A mounted hierarchy of cgroups. Of version 1 only those with a controller are: a program finds the others by nothing.</summary>
/// <param name="Mount">Where it is mounted, without a slash at the end.</param>
/// <param name="Number">Its number in <c>/proc/cgroups</c>; 0 for version 2.</param>
/// <param name="By">How a program finds a task's cgroup in it.</param>
public sealed record CgroupHierarchy(string Mount, uint Number, CgroupBy By)
{
    // What limits containers is tried first; the names are those of /proc/cgroups.
    private static readonly (string Controller, CgroupBy By)[] s_controllers =
    [
        ("memory", CgroupBy.Memory), ("pids", CgroupBy.Pids), ("cpu", CgroupBy.Cpu), ("cpuset", CgroupBy.Cpuset),
        ("devices", CgroupBy.Devices), ("freezer", CgroupBy.Freezer), ("blkio", CgroupBy.Io),
    ];

    /// <summary>All that are mounted: version 2 first, then as containers are likely to be in them.</summary>
    public static IReadOnlyList<CgroupHierarchy> All { get; } =
        Of(CgroupMount.Of(KernelFile.Text("/proc/self/mountinfo") ?? ""), KernelFile.Lines("/proc/cgroups"));

    /// <summary>
    /// The one that a machine's processes are sorted by: version 2 where anything is below its root, else the first of version 1 that has
    /// something. Nothing where none is mounted.
    /// </summary>
    public static CgroupHierarchy? Usual { get; } =
        All.FirstOrDefault(static some => KernelFile.Folders(some.Mount).Length > 0) ?? (All.Count > 0 ? All[0] : null);

    /// <summary>Those of some mounts.</summary>
    /// <param name="mounts">The mounts.</param>
    /// <param name="controllers">Lines of <c>/proc/cgroups</c>.</param>
    internal static IReadOnlyList<CgroupHierarchy> Of(IEnumerable<CgroupMount> mounts, IEnumerable<string> controllers)
    {
        var numbers = controllers.Where(static line => !line.StartsWith('#')).Select(static line => line.Split('\t'))
            .Where(static words => words.Length > 1).ToDictionary(static words => words[0], static words => words[1]);
        var found = new List<CgroupHierarchy>();
        // Another root than "/" is a part of the hierarchy, as a container sees it: paths would not be the kernel's.
        foreach (var mount in mounts.Where(static mount => mount.Root == "/"))
        {
            if (mount.IsUnified)
                found.Add(new(mount.Point, 0, CgroupBy.Default));
            else if (s_controllers.FirstOrDefault(known => mount.Has(known.Controller)) is { Controller: { } name, By: var by }
                && numbers.TryGetValue(name, out string? number) && uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out uint parsed))
                found.Add(new(mount.Point, parsed, by));
        }

        return [.. found.DistinctBy(static some => some.By).OrderBy(static some => some.By)];
    }

    /// <summary>The id of a cgroup by its path in the hierarchy; 0 where there is none.</summary>
    public ulong IdOf(string path) => LibC.TryGetFacts(path == "/" ? Mount : Mount + path, out var facts) ? facts.Inode : 0;
}

