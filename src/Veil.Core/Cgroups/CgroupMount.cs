// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Cgroups;

/// <summary>A cgroup hierarchy where it is mounted.</summary>
/// <param name="Root">The group that is its root there.</param>
/// <param name="Point">The folder.</param>
/// <param name="Controllers">Of version 1 its controllers, or its name; null for version 2.</param>
internal sealed record CgroupMount(string Root, string Point, string? Controllers)
{
    /// <summary>Is it version 2?</summary>
    public bool IsUnified => Controllers is null;

    /// <summary>Those of a process.</summary>
    /// <param name="mounts">Its <c>mountinfo</c>.</param>
    public static IEnumerable<CgroupMount> Of(string mounts)
    {
        // proc_pid_mountinfo(5): "35 31 0:32 ROOT POINT OPTIONS … - TYPE SOURCE OPTIONS".
        foreach (string line in mounts.Split('\n'))
        {
            int dash = line.IndexOf(" - ", StringComparison.Ordinal);
            if (dash < 0 || line[(dash + 3)..].Split(' ') is not [("cgroup" or "cgroup2") and var type, _, var options, ..])
                continue;
            string[] words = line.Split(' ');
            yield return new(Unescape(words[3]), Unescape(words[4]), type == "cgroup" ? options : null);
        }
    }

    /// <summary>Has it a controller of version 1?</summary>
    public bool Has(string controller) => Controllers?.Split(',').Contains(controller) ?? false;

    // The kernel writes blanks and backslashes as three octal digits (mangle_path()).
    private static string Unescape(string text) =>
        text.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
            .Replace("\\134", "\\", StringComparison.Ordinal);
}
