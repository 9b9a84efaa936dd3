// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>
/// A cgroup of our own: of version 2 where a machine uses that, else of the memory controller. Removed with those below it, which are
/// empty by then.
/// </summary>
internal sealed class TestCgroup : IDisposable
{
    private static readonly string? s_mount = Mount();

    public TestCgroup(string? path = null)
    {
        Path = path ?? $"/veil-test-{Guid.NewGuid():N}";
        Directory.CreateDirectory(Folder);
    }

    /// <summary>Why there can be none here; nothing where there can.</summary>
    public static string? Missing => s_mount is null ? "no cgroup hierarchy is mounted" : null;

    /// <summary>In the hierarchy.</summary>
    public string Path { get; }

    public string Folder => s_mount + Path;

    public TestCgroup Below(string name) => new($"{Path}/{name}");

    public void Take(string pid) => File.WriteAllText(System.IO.Path.Combine(Folder, "cgroup.procs"), pid);

    /// <summary>As the kernel tells it of a process.</summary>
    public static IEnumerable<string> Of(string pid) =>
        File.ReadLines($"/proc/{pid}/cgroup").Select(static line => line.Split(':', 3)[2]);

    public void Dispose()
    {
        foreach (string folder in Directory.GetDirectories(Folder, "*", SearchOption.AllDirectories).OrderByDescending(static name => name.Length))
            Directory.Delete(folder);
        Directory.Delete(Folder);
    }

    private static string? Mount()
    {
        var mounts = File.ReadLines("/proc/mounts").Select(static line => line.Split(' ')).ToList();
        string? second = mounts.FirstOrDefault(static words => words[2] == "cgroup2")?[1];
        return second is not null && Directory.GetDirectories(second).Length > 0 ? second
            : mounts.FirstOrDefault(static words => words[2] == "cgroup" && words[3].Split(',').Contains("memory"))?[1] ?? second;
    }
}

/// <summary>A fact about cgroups, skipped where there are none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CgroupFactAttribute : FactAttribute
{
    public CgroupFactAttribute() => Skip = TestCgroup.Missing;
}

/// <summary>The same of a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CgroupTheoryAttribute : TheoryAttribute
{
    public CgroupTheoryAttribute() => Skip = TestCgroup.Missing;
}
