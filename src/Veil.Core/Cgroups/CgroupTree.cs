// SPDX-License-Identifier: GPL-3.0-only
using System.Collections.Concurrent;
using System.Text;
using Veil.Bpf.Interop;

namespace Veil.Core.Cgroups;

/// <summary>
/// The cgroups of a hierarchy by their ids: those that were there when it was read, and those of which programs tell. One that has ended is
/// remembered. From any thread.
/// </summary>
/// <param name="usual">The hierarchy, where no other is taken; none: there is no cgroup. Asked for once, when it is needed.</param>
public sealed class CgroupTree(Func<CgroupHierarchy?> usual)
{
    /// <summary>The most that are remembered; then it is read anew, without those that have ended.</summary>
    private const int CgroupsMax = 65_536;

    private ConcurrentDictionary<ulong, byte[]> _paths = [];
    private Lazy<CgroupHierarchy?> _hierarchy = new(usual);
    private bool _isRead;

    /// <summary>That of the machine, which a session has.</summary>
    public static CgroupTree Own { get; } = new(static () => CgroupHierarchy.Usual);

    /// <summary>The hierarchy; none: there are no cgroups.</summary>
    public CgroupHierarchy? Hierarchy => _hierarchy.Value;

    /// <summary>Takes another hierarchy of the machine.</summary>
    public void Use(CgroupHierarchy other)
    {
        if (other == Hierarchy)
            return;
        _hierarchy = new(other);
        _isRead = false;
    }

    /// <summary>All that are known, by id.</summary>
    public IReadOnlyDictionary<ulong, byte[]> All
    {
        get
        {
            if (!_isRead)
                Read();
            return _paths;
        }
    }

    /// <summary>The path, raw bytes; empty where it is not known.</summary>
    public ReadOnlySpan<byte> Find(ulong id) => _paths.TryGetValue(id, out byte[]? path) ? path : [];

    /// <summary>The path; nothing where it is not known.</summary>
    public string? PathOf(ulong id) => All.TryGetValue(id, out byte[]? path) ? Encoding.UTF8.GetString(path) : null;

    /// <summary>A cgroup was made.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="path">Its path, raw bytes.</param>
    public void Made(ulong id, ReadOnlySpan<byte> path)
    {
        if (_paths.Count >= CgroupsMax)
            Read();
        _paths[id] = path.ToArray();
    }

    /// <summary>Reads what there is now.</summary>
    public void Read()
    {
        _isRead = true;
        var paths = new ConcurrentDictionary<ulong, byte[]>();
        if (Hierarchy is { } hierarchy)
        {
            var left = new Stack<string>(["/"]);
            while (left.TryPop(out string? path) && paths.Count < CgroupsMax)
            {
                if (hierarchy.IdOf(path) is var id && id != 0)
                    paths[id] = Encoding.UTF8.GetBytes(path);
                foreach (string name in KernelFile.Folders(hierarchy.Mount + path))
                    left.Push(path == "/" ? "/" + name : $"{path}/{name}");
            }
        }

        _paths = paths;
    }
}
