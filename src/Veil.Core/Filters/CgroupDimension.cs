// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Core.Cgroups;
using Veil.Core.Text;

namespace Veil.Core.Filters;

/// <summary>A cgroup with all below it.</summary>
/// <param name="tree">The cgroups that there are.</param>
public sealed class CgroupDimension(CgroupTree tree) : ScopeDimension
{
    /// <summary>The name of the flag.</summary>
    public const string FlagName = "cgroup";

    /// <inheritdoc/>
    public override string Name => FlagName;

    /// <inheritdoc/>
    public override string ValueName => "PATH|ID";

    /// <inheritdoc/>
    public override string Description => "tasks in these cgroups and below: /system.slice/nginx.service, nginx.service, its folder, or its id";

    /// <inheritdoc/>
    public override string AcceptedForm => "a cgroup's path (/system.slice/nginx.service), its last name, its folder, or its id";

    /// <inheritdoc/>
    public override bool Matches(in FilterKey key, string path) =>
        tree.PathOf((ulong)key.Bits) is { } root && (path == root || root == "/" || path.StartsWith(root + "/", StringComparison.Ordinal));

    /// <inheritdoc/>
    public override string? ParseKeys(string text, List<FilterKey> keys)
    {
        if (tree.Hierarchy is null)
            return $"{Quoted(text)}: no hierarchy of cgroups is mounted (mount -t cgroup2 none /sys/fs/cgroup)";
        if (!text.AsSpan().ContainsAnyExceptInRange('0', '9') && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong id))
        {
            if (tree.PathOf(id) is null)
                return $"no cgroup has the id {text} (its id is the inode of its folder: ls -id)";
            keys.Add(new(id, text));
            return null;
        }

        return text.StartsWith('/') ? ParsePath(text, keys) : ParseName(text.TrimEnd('/'), text, keys);
    }

    /// <inheritdoc/>
    public override IEnumerable<string> KeyNames() => tree.All.Values.Select(Encoding.UTF8.GetString);

    // In the hierarchy, or in the tree of files.
    private string? ParsePath(string text, List<FilterKey> keys)
    {
        if (Climbs(text))
            return $"{Quoted(text)} leaves the hierarchy";
        string path = Clean(text);
        foreach (var hierarchy in CgroupHierarchy.All.OrderByDescending(static some => some.Mount.Length))
        {
            if (path != hierarchy.Mount && !path.StartsWith(hierarchy.Mount + "/", StringComparison.Ordinal))
                continue;
            if (keys.Count == 0 && hierarchy.IdOf(Clean(path[hierarchy.Mount.Length..])) is var inside && inside != 0)
            {
                tree.Use(hierarchy);
                keys.Add(new(inside, text));
                return null;
            }

            return $"there is no cgroup {Quoted(text)}{Near(path[hierarchy.Mount.Length..])}";
        }

        foreach (var hierarchy in CgroupHierarchy.All.OrderByDescending(some => some == tree.Hierarchy))
        {
            if (hierarchy.IdOf(path) is var id && id != 0)
            {
                tree.Use(hierarchy);
                keys.Add(new(id, text));
                return null;
            }
        }

        return path.StartsWith("/sys/", StringComparison.Ordinal)
            ? $"{Quoted(text)} is in no hierarchy of cgroups (mounted: {string.Join(", ", CgroupHierarchy.All.Select(static some => some.Mount))})"
            : $"there is no cgroup {Quoted(text)}{Near(path)}";
    }

    // The end of a path: "nginx.service", or "system.slice/nginx.service".
    private string? ParseName(string name, string text, List<FilterKey> keys)
    {
        if (Climbs(name))
            return $"{Quoted(text)} leaves the hierarchy";
        var found = tree.All.Where(some => Encoding.UTF8.GetString(some.Value).EndsWith("/" + name, StringComparison.Ordinal))
            .ToDictionary(static some => some.Key, static some => Encoding.UTF8.GetString(some.Value));
        if (found.Count > 1)
            return $"{Quoted(text)} is the name of {found.Count} cgroups: {FewOf([.. found.Values.Order(StringComparer.Ordinal).Select(Escaping.ForMessage)])}";
        if (found.Count == 0)
            return $"there is no cgroup {Quoted(text)}{Near(name)}";
        keys.Add(new(found.Keys.First(), text));
        return null;
    }

    private string Near(string path) => NearestName.Hint(path, KeyNames(), max: 3) is { Length: > 0 } hint ? hint : $" in {tree.Hierarchy!.Mount}";

    // Above the folder that it begins in?
    private static bool Climbs(string path)
    {
        int depth = 0;
        foreach (string part in path.Split('/'))
        {
            depth += part switch { "" or "." => 0, ".." => -1, _ => 1 };
            if (depth < 0)
                return true;
        }

        return false;
    }

    // Without "." and "..".
    private static string Clean(string path) => Path.GetFullPath("/" + path).TrimEnd('/') is { Length: > 0 } clean ? clean : "/";
}
