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
        Parse(KernelFile.Lines("/proc/self/mountinfo"), KernelFile.Lines("/proc/cgroups"));

    /// <summary>
    /// The one that a machine's processes are sorted by: version 2 where anything is below its root, else the first of version 1 that has
    /// something. Nothing where none is mounted.
    /// </summary>
    public static CgroupHierarchy? Usual { get; } =
        All.FirstOrDefault(static some => KernelFile.Folders(some.Mount).Length > 0) ?? (All.Count > 0 ? All[0] : null);

    /// <summary>Reads the mounts.</summary>
    /// <param name="mounts">Lines of <c>/proc/self/mountinfo</c>.</param>
    /// <param name="controllers">Lines of <c>/proc/cgroups</c>.</param>
    internal static IReadOnlyList<CgroupHierarchy> Parse(IEnumerable<string> mounts, IEnumerable<string> controllers)
    {
        var numbers = controllers.Where(static line => !line.StartsWith('#')).Select(static line => line.Split('\t'))
            .Where(static words => words.Length > 1).ToDictionary(static words => words[0], static words => words[1]);
        var found = new List<CgroupHierarchy>();
        foreach (string line in mounts)
        {
            string[] words = line.Split(' ');
            int dash = Array.IndexOf(words, "-");
            // Another root than "/" is a part of the hierarchy, as a container sees it: paths would not be the kernel's.
            if (dash < 0 || dash + 3 >= words.Length || words[3] != "/")
                continue;
            string mount = Unescape(words[4]);
            if (words[dash + 1] == "cgroup2")
            {
                found.Add(new(mount, 0, CgroupBy.Default));
                continue;
            }

            string[] options = words[dash + 3].Split(',');
            if (words[dash + 1] == "cgroup" && s_controllers.FirstOrDefault(known => options.Contains(known.Controller)) is { Controller: { } name, By: var by }
                && numbers.TryGetValue(name, out string? number) && uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out uint parsed))
                found.Add(new(mount, parsed, by));
        }

        return [.. found.DistinctBy(static some => some.By).OrderBy(static some => some.By)];
    }

    /// <summary>The id of a cgroup by its path in the hierarchy; 0 where there is none.</summary>
    public ulong IdOf(string path) => LibC.TryGetFacts(path == "/" ? Mount : Mount + path, out var facts) ? facts.Inode : 0;

    // Blanks and their like are three octal digits there.
    private static string Unescape(string text) =>
        text.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
            .Replace("\\134", "\\", StringComparison.Ordinal);
}
