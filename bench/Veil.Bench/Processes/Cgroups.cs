// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bench.Processes;

/// <summary>A hundred cgroups of our own. Disposing removes them; who is in one by then must have ended.</summary>
internal sealed class Cgroups : IDisposable
{
    internal const int Count = 100;

    // Version 2, or of a hybrid system's version 1 any.
    private static readonly string[] s_mounts = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids", "/sys/fs/cgroup"];
    private readonly string? _above;

    internal Cgroups()
    {
        string? mount = Array.Find(s_mounts, static folder => File.Exists(folder + "/cgroup.procs"));
        try
        {
            _above = mount is null ? null : Directory.CreateDirectory($"{mount}/veil-bench-{Environment.ProcessId}").FullName;
            Folders = _above is null ? []
                : [.. Enumerable.Range(0, Count).Select(number => Directory.CreateDirectory($"{_above}/{number}").FullName)];
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            Folders = [];
        }
    }

    /// <summary>Their folders; none where they cannot be made.</summary>
    internal IReadOnlyList<string> Folders { get; }

    public void Dispose()
    {
        foreach (string folder in Folders.Append(_above).OfType<string>())
            Directory.Delete(folder);
    }
}
