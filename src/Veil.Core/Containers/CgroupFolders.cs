// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf.Interop;
using Veil.Core.Cgroups;

namespace Veil.Core.Containers;

/// <summary>The cgroups there are now, of version 2 first. Where that holds no processes (a hybrid system), version 1 has them.</summary>
/// <param name="mounts">The hierarchies.</param>
internal sealed class CgroupFolders(IReadOnlyList<CgroupMount> mounts)
{
    private readonly CgroupMount[] _mounts = [.. mounts.OrderByDescending(static mount => mount.IsUnified)];

    /// <summary>Those that this process sees.</summary>
    public static CgroupFolders Here() => new([.. CgroupMount.Of(KernelFile.Text("/proc/self/mountinfo") ?? "")]);

    /// <summary>The paths of the groups, by hierarchies; what is above comes before what is below.</summary>
    public IEnumerable<IEnumerable<string>> Paths() => _mounts.Select(static mount => PathsOf(mount));

    /// <summary>How many processes are in a group and those below it.</summary>
    public int CountProcesses(string path)
    {
        foreach (var mount in _mounts)
        {
            string root = mount.Root == "/" ? "" : mount.Root;
            if (!path.StartsWith(root, StringComparison.Ordinal))
                continue;
            int count = Count(mount.Point + path[root.Length..]);
            if (count > 0)
                return count;
        }

        return 0;
    }

    private static IEnumerable<string> PathsOf(CgroupMount mount)
    {
        var left = new Stack<string>([""]);
        while (left.TryPop(out string? path))
        {
            yield return FullPath(mount, path);
            foreach (string name in KernelFile.Folders(mount.Point + path))
                left.Push($"{path}/{name}");
        }
    }

    private static int Count(string folder) =>
        KernelFile.Lines(folder + "/cgroup.procs").Length + KernelFile.Folders(folder).Sum(name => Count($"{folder}/{name}"));

    // "/../..": our namespace begins below what the mount shows; then there is no better name for it.
    private static string FullPath(CgroupMount mount, string path) =>
        mount.Root == "/" || mount.Root.StartsWith("/..", StringComparison.Ordinal) ? (path.Length == 0 ? "/" : path) : mount.Root + path;
}
