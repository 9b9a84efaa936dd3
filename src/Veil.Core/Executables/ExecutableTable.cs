// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Executables;

/// <summary>What each process executes, as programs tell of it; those that have ended are remembered for a while. For one thread.</summary>
public sealed class ExecutableTable
{
    private const int EndedMax = 16_384;

    private readonly Dictionary<uint, byte[]> _paths = [];
    private readonly Queue<(uint Pid, byte[] Path)> _ended = new();

    /// <summary>That of the machine, which a session has.</summary>
    public static ExecutableTable Own { get; } = new();

    /// <summary>The path of an event's process where that was noted before; none: as it is now.</summary>
    public byte[]? Noted { get; set; }

    /// <summary>The path, raw bytes; empty where it has none, or it is not known.</summary>
    public byte[] Find(uint pid) => Noted ?? _paths.GetValueOrDefault(pid, []);

    /// <summary>A process was there when the trace began. What was told of it since is newer.</summary>
    public void Found(uint pid, ReadOnlySpan<byte> path) => _paths.TryAdd(pid, path.ToArray());

    /// <summary>A process executes something.</summary>
    public void Executed(uint pid, ReadOnlySpan<byte> path) => _paths[pid] = path.ToArray();

    /// <summary>A process was made. Its path is one of its own, so that what ends is told from what has its id later.</summary>
    public void Forked(uint pid, uint parent) => Executed(pid, _paths.GetValueOrDefault(parent, []));

    /// <summary>A process has ended. Of a connection of its that ends later, for instance, it is still asked for.</summary>
    public void Ended(uint pid)
    {
        if (!_paths.TryGetValue(pid, out byte[]? path))
            return;
        _ended.Enqueue((pid, path));
        if (_ended.Count > EndedMax && _ended.Dequeue() is var oldest && _paths.GetValueOrDefault(oldest.Pid) == oldest.Path)
            _paths.Remove(oldest.Pid);
    }
}
