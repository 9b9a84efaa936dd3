using System.Globalization;
using System.Numerics;
using Veil.Core.Modules;

namespace Veil.Core.Session;

/// <summary>How much memory the control group allows. The kernel ends a process that takes more, without a word.</summary>
public static class MemoryCgroup
{
    private const long MiB = 1024 * 1024;
    private const string MountV2 = "/sys/fs/cgroup";
    private const string MountV1 = "/sys/fs/cgroup/memory";

    // Measured, with room: the runtime with the kernel's types while a module is loaded, and the maps of a module on average. What the kernel's
    // check of a large program takes for a moment comes to it (TraceModule.LoadBytes).
    private const long BytesWithoutModules = 16 * MiB;
    private const long BytesOfModule = 2 * MiB;

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

    /// <summary>How many things (sockets, calls under way) a module remembers at most: 4,096 in 64 MiB, and all that it would from 1 GiB on.</summary>
    internal static int TableEntriesMax { get; } = TableEntriesFor(LimitBytes);

    /// <summary>Checks that a trace fits.</summary>
    /// <param name="modules">The modules.</param>
    /// <param name="ringBytes">Bytes of the rings.</param>
    /// <exception cref="VeilException">It does not.</exception>
    internal static void Require(IReadOnlyList<TraceModule> modules, long ringBytes)
    {
        long needed = BytesWithoutModules + modules.Max(static module => module.LoadBytes) + (modules.Count * BytesOfModule) + ringBytes;
        if (needed > LimitBytes)
            throw new VeilException($"starting: {(modules.Count == 1 ? "this module needs" : $"these {modules.Count} modules need")} {needed / MiB} MiB of memory, and the memory cgroup allows {LimitBytes / MiB}: raise its limit{(modules.Count == 1 ? "" : ", choose fewer modules")} or a smaller --buffer");
    }

    internal static int TableEntriesFor(long limitBytes) =>
        (int)Math.Clamp((long)BitOperations.RoundUpToPowerOf2((ulong)(limitBytes / BytesForTableEntry) + 1) / 2, TableEntriesMin, int.MaxValue);

    internal static int RingBytesFor(long limitBytes) =>
        (int)Math.Clamp((long)BitOperations.RoundUpToPowerOf2((ulong)(limitBytes / PartOfRing) + 1) / 2, RingBytesMin, SessionOptions.DefaultRingBytes);

    /// <summary>The lowest limit on the way from a group to the mount, which in a container is the group itself.</summary>
    internal static long LowestOf(string membership, Func<string, string?> readLimit)
    {
        long lowest = long.MaxValue;
        foreach (string line in membership.Split('\n'))
        {
            // "0::/a/b" of version 2, "4:memory:/a/b" of version 1: cgroups(7).
            if (line.Split(':', 3) is not [_, var controllers, var path])
                continue;
            (string mount, string file) = controllers.Length == 0 ? (MountV2, "memory.max") : (MountV1, "memory.limit_in_bytes");
            if (controllers.Length > 0 && !controllers.Split(',').Contains("memory"))
                continue;
            for (string? group = path.TrimEnd('/'); group is not null; group = group.Length == 0 ? null : group[..Math.Max(0, group.LastIndexOf('/'))])
            {
                if (long.TryParse(readLimit($"{mount}{group}/{file}"), NumberStyles.None, CultureInfo.InvariantCulture, out long limit))
                    lowest = Math.Min(lowest, limit);
            }
        }

        return lowest;
    }

    private static long Read() => ReadText("/proc/self/cgroup") is { } membership ? LowestOf(membership, ReadText) : long.MaxValue;

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
