// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Kernel.Tests;

/// <summary>A memory cgroup with a limit, below the tests' own; removed with <see cref="Dispose"/>.</summary>
internal sealed class MemoryCgroup : IDisposable
{
    private const string MountV2 = "/sys/fs/cgroup";
    private const string MountV1 = "/sys/fs/cgroup/memory";

    /// <summary>Makes it.</summary>
    /// <param name="mebibytes">The limit.</param>
    /// <param name="above">The group that it is in, where that is not the tests' own.</param>
    public MemoryCgroup(int mebibytes, MemoryCgroup? above = null)
    {
        string limit = Directory.Exists(MountV1) ? "memory.limit_in_bytes" : "memory.max";
        Folder = Path.Combine(above?.Folder ?? Mount!, "veil-test-" + Guid.NewGuid().ToString("N"));
        if (above is not null && limit == "memory.max")
            File.WriteAllText(above.Folder + "/cgroup.subtree_control", "+memory");
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, limit), (mebibytes * 1024L * 1024).ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Where memory cgroups can be made; nothing where they cannot.</summary>
    public static string? Mount { get; } =
        Directory.Exists(MountV1) ? MountV1 :
        File.Exists(MountV2 + "/cgroup.subtree_control") && File.ReadAllText(MountV2 + "/cgroup.subtree_control").Split(' ', '\n')
            .Contains("memory") ? MountV2 : null;

    public string Folder { get; }

    public void Dispose() => Directory.Delete(Folder);
}

/// <summary>A theory that needs memory cgroups, and is skipped where there are none: the guests have no systemd that would mount
/// them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MemoryCgroupTheoryAttribute : TheoryAttribute
{
    public MemoryCgroupTheoryAttribute()
    {
        if (MemoryCgroup.Mount is null)
            Skip = "no memory cgroup can be made here";
    }
}
