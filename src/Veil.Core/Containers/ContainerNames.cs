// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;

namespace Veil.Core.Containers;

/// <summary>
/// From the path of a cgroup to the container that it is, or is in. What was found is remembered, also of containers that have ended;
/// names that a runtime writes late are looked for again. All methods may be called by any thread. Files of runtimes are root's.
/// </summary>
public sealed class ContainerNames
{
    // How many paths are remembered; the ones first found go first.
    private const int RememberedMax = 16_384;
    private const long RetryMs = 1_000;

    private readonly RuntimeFiles _files;
    private readonly Lazy<CgroupFolders> _tree;
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly Lock _lock = new();

    /// <summary>The containers of this system.</summary>
    public ContainerNames()
        : this("/", new Lazy<CgroupFolders>(CgroupFolders.Here), NameService.HomeOf)
    {
    }

    /// <summary>Those of another root folder.</summary>
    internal ContainerNames(string root, CgroupFolders tree, Func<uint, string?> homeOf)
        : this(root, new Lazy<CgroupFolders>(tree), homeOf)
    {
    }

    private ContainerNames(string root, Lazy<CgroupFolders> tree, Func<uint, string?> homeOf) =>
        (_files, _tree) = (new(root, homeOf), tree);

    /// <summary>Those of this system, which a session has.</summary>
    public static ContainerNames Own { get; } = new();

    /// <summary>Has any runtime been used on this system?</summary>
    public bool HasRuntimes => _files.IsAnyThere;

    /// <summary>Reads the files where this process may not any more; null: it may.</summary>
    public Func<string, Container?>? Reader { get; set; }

    /// <summary>The innermost container of a cgroup.</summary>
    /// <param name="cgroupPath">From the root of its hierarchy, as in <c>/proc/PID/cgroup</c>.</param>
    public Container? Find(string cgroupPath)
    {
        lock (_lock)
        {
            if (_known.TryGetValue(cgroupPath, out var known) && !(known.IsOpen && Environment.TickCount64 - known.ReadAtMs >= RetryMs))
                return known.Container;
            var read = Read(cgroupPath);
            // The files of one that has ended may be gone: what they said stays right.
            if (known?.Container is { } before && (read is null || read.Id == before.Id))
                read = read is null ? before : Merge(read, before);
            Remember(cgroupPath, new(read, Environment.TickCount64, IsOpen: read is { Name: null } or { Image: null }));
            return read;
        }
    }

    /// <summary>A cgroup was made or removed: its files are read again when it is asked for.</summary>
    public void Forget(string cgroupPath)
    {
        lock (_lock)
        {
            if (_known.TryGetValue(cgroupPath, out var known))
                _known[cgroupPath] = known with { ReadAtMs = long.MinValue / 2, IsOpen = true };
        }
    }

    /// <summary>The containers that have a cgroup now, by their paths.</summary>
    public IReadOnlyList<Container> Running()
    {
        var running = new List<Container>();
        var known = new HashSet<(string Runtime, string Id)>();
        foreach (var hierarchy in _tree.Value.Paths())
        {
            // Groups below a container are its own. One that has groups in several hierarchies is called by the first.
            var found = hierarchy.Select(path => Find(path) is { } container && container.CgroupPath == path ? container : null)
                .OfType<Container>().Where(container => !known.Contains((container.Runtime, container.Id))).ToList();
            known.UnionWith(found.Select(static container => (container.Runtime, container.Id)));
            running.AddRange(found);
        }

        running.Sort(static (one, other) => string.CompareOrdinal(one.CgroupPath, other.CgroupPath));
        return running;
    }

    /// <summary>The containers that a cgroup is in: the innermost first.</summary>
    public IEnumerable<Container> Around(string cgroupPath)
    {
        for (string path = cgroupPath; path.Length > 1 && Find(path) is { } container;)
        {
            yield return container;
            path = container.CgroupPath[..Math.Max(0, container.CgroupPath.LastIndexOf('/'))];
        }
    }

    /// <summary>Is something not known yet that its runtime may still write?</summary>
    public bool IsOpen(string cgroupPath)
    {
        lock (_lock)
            return !_known.TryGetValue(cgroupPath, out var known) || known.Container is null || known.IsOpen;
    }

    /// <summary>How many processes a container has now.</summary>
    public int CountProcesses(Container container) => _tree.Value.CountProcesses(container.CgroupPath);

    private static Container Merge(Container now, Container before) => now with
    {
        Runtime = now.Runtime == "unknown" ? before.Runtime : now.Runtime,
        Name = now.Name ?? before.Name,
        Image = now.Image ?? before.Image,
        Pod = now.Pod ?? before.Pod,
        PodNamespace = now.PodNamespace ?? before.PodNamespace,
        PodUid = now.PodUid ?? before.PodUid,
    };

    private Container? Read(string path)
    {
        if (Reader is { } reader)
            return reader(path);
        if ((ContainerPlace.Find(path) ?? _files.FindByState(path)) is not { } place)
            return null;
        var facts = _files.Find(place);
        string runtime = place.Runtime ?? facts.Runtime ?? "unknown";
        // Those are called by their ids.
        const int digits = 64;
        string? name = runtime is "lxc" or "nspawn" or "runc" or "crun" ? place.Id
            : facts.Name ?? (runtime == "containerd" && place.Id.Length != digits ? place.Id : null);
        return new(place.Id, runtime, name, facts.Image, facts.Pod, facts.PodNamespace, place.PodUid ?? facts.PodUid, place.CgroupPath);
    }

    private void Remember(string path, Known known)
    {
        if (!_known.ContainsKey(path))
        {
            if (_order.Count >= RememberedMax)
                _ = _known.Remove(_order.Dequeue());
            _order.Enqueue(path);
        }

        _known[path] = known;
    }

    // Open: something that a runtime may still write is missing.
    private sealed record Known(Container? Container, long ReadAtMs, bool IsOpen);
}
