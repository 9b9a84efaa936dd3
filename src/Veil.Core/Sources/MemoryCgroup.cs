// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Numerics;
using Veil.Bpf.Interop;
using Veil.Core.Cgroups;
using Veil.Core.Options;

namespace Veil.Core.Sources;

/// <summary>How much memory the control group allows. The kernel ends a process that takes more, without a word.</summary>
public static class MemoryCgroup
{
    private const long MiB = 1024 * 1024;

    // What is looked at where /proc is hidden.
    private const string MembershipDefault = "0::/\n1:memory:/";
    private const string MountsDefault =
        "1 1 0:1 / /sys/fs/cgroup rw - cgroup2 none rw\n1 1 0:2 / /sys/fs/cgroup/memory rw - cgroup none rw,memory";

    // Of what is allowed, this part is left to the ring.
    private const int PartOfRing = 16;
    private const int RingBytesMin = 64 * 1024;

    // An entry takes up to 1 KiB: a sixteenth of what is allowed for a table, too.
    private const int BytesForTableEntry = 16 * 1024;
    private const int TableEntriesMin = 1024;

    /// <summary>The limit in bytes, the lowest of the group and those above it; <see cref="long.MaxValue"/> where there is none.</summary>
    public static long LimitBytes { get; } = Read();

    /// <summary>What the ring has where nobody says: less than usual where little memory is allowed.</summary>
    public static int DefaultRingBytes => RingBytesFor(LimitBytes);

    /// <summary>Is it worth time to take less?</summary>
    internal static bool IsTight => LimitBytes < 256 * MiB;

    /// <summary>How many things (sockets, calls under way) a module remembers at most: 4,096 in 64 MiB, and all that it would from 1 GiB
    /// on.</summary>
    internal static int TableEntriesMax { get; } = TableEntriesFor(LimitBytes);

    /// <summary>Checks that a trace fits, as far as that can be known before anything is made.</summary>
    /// <param name="options">The trace.</param>
    /// <param name="hasHelper">With a helper process?</param>
    /// <exception cref="MemoryShortageException">It does not.</exception>
    public static void Require(SessionOptions options, bool hasHelper) => MemoryBudget.Require(options, hasHelper, LimitBytes);

    internal static int TableEntriesFor(long limitBytes) =>
        (int)Math.Clamp(
            (long)BitOperations.RoundUpToPowerOf2((ulong)(limitBytes / BytesForTableEntry) + 1) / 2, TableEntriesMin, int.MaxValue);

    internal static int RingBytesFor(long limitBytes) =>
        (int)Math.Clamp(
            (long)BitOperations.RoundUpToPowerOf2((ulong)(limitBytes / PartOfRing) + 1) / 2, RingBytesMin, SessionOptions.DefaultRingBytes);

    /// <summary>The lowest limit on the way from a group to the mount, which in a container is the group itself.</summary>
    /// <param name="membership"><c>/proc/self/cgroup</c>.</param>
    /// <param name="mounts"><c>/proc/self/mountinfo</c>.</param>
    /// <param name="read">The text of a file, or nothing.</param>
    internal static long LowestOf(string membership, string mounts, Func<string, string?> read)
    {
        long lowest = long.MaxValue;
        foreach (string line in membership.Split('\n'))
        {
            // "0::/a/b" of version 2, "4:memory:/a/b" of version 1: cgroups(7). Of both at once, one has the memory.
            if (line.Split(':', 3) is not [_, var controllers, var path])
                continue;
            bool isFirst = controllers.Split(',').Contains("memory");
            if (!isFirst && controllers.Length > 0)
                continue;
            var having = CgroupMount.Of(mounts).Where(mount => isFirst ? mount.Has("memory") : mount.IsUnified).ToList();
            // A mount may show a part of the tree that we are not in, beside one that shows ours.
            if (having.Exists(mount => Within(mount.Root, path) is not null))
                having.RemoveAll(mount => Within(mount.Root, path) is null);
            foreach (var (root, point, _) in having)
                lowest = Math.Min(lowest, LowestBelow(point, Within(root, path) ?? path, isFirst, read));
        }

        return lowest;
    }

    private static long LowestBelow(string point, string path, bool isFirst, Func<string, string?> read)
    {
        long lowest = long.MaxValue;
        // "/../a": outside of what our namespace shows. What the mount begins with is above it or beside it.
        if (path.Split('/').Contains(".."))
            path = "";
        for (string? group = path.TrimEnd('/'); group is not null; group = group.Length == 0 ? null
            : group[..Math.Max(0, group.LastIndexOf('/'))])
        {
            Take(read($"{point}{group}/{(isFirst ? "memory.limit_in_bytes" : "memory.max")}"));
            // The groups above that the mount does not show, too: version 1 alone tells it.
            if (isFirst && read($"{point}{group}/memory.stat") is { } facts)
                Take(facts.Split('\n')
                    .FirstOrDefault(static fact => fact.StartsWith("hierarchical_memory_limit ", StringComparison.Ordinal))?.Split(' ')[1]);
        }

        return lowest;

        void Take(string? text)
        {
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long limit))
                lowest = Math.Min(lowest, limit);
        }
    }

    // A path below the root of a mount; nothing where it is not there.
    private static string? Within(string root, string path) =>
        root == "/" ? path : path == root || path.StartsWith(root + "/", StringComparison.Ordinal) ? path[root.Length..] : null;

    private static long Read() =>
        KernelFile.Text("/proc/self/cgroup") is { } membership && KernelFile.Text("/proc/self/mountinfo") is { } mounts
        ? LowestOf(membership, mounts, KernelFile.Text)
        : LowestOf(MembershipDefault, MountsDefault, KernelFile.Text);
}
