// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf.Interop;

namespace Veil.Core.Stuck;

/// <summary>What descriptors stand for, by <c>/proc</c>; of sockets both ends and the state of a connection.</summary>
internal sealed class DescriptorNames
{
    private const int AtFdCwd = -100;
    private const string SocketPrefix = "socket:[";

    private readonly Dictionary<string, SocketTable> _tables = new(StringComparer.Ordinal);

    /// <summary>The name, as strace's <c>-y</c> writes it; nothing where there is no such descriptor, or it may not be looked at.</summary>
    public static string? NameOf(uint tid, int fd)
    {
        if (fd < 0 && fd != AtFdCwd)
            return null;
        string folder = "/proc/" + tid.ToString(CultureInfo.InvariantCulture);
        return KernelFile.Target(fd == AtFdCwd ? folder + "/cwd" : $"{folder}/fd/{fd}");
    }

    /// <summary>The socket behind a descriptor, where it is one that <c>/proc/PID/net</c> lists.</summary>
    public SocketTable.Socket? SocketOf(uint tid, int fd)
    {
        string folder = "/proc/" + tid.ToString(CultureInfo.InvariantCulture);
        return fd >= 0 && KernelFile.Target($"{folder}/fd/{fd}") is { } name ? SocketOf(folder, name) : null;
    }

    /// <summary>The inode of a socket in the network namespace of a thread, by its text; 0: there is none.</summary>
    public ulong InodeOf(uint tid, string text) => TableOf("/proc/" + tid.ToString(CultureInfo.InvariantCulture)).InodeOf(text);

    /// <summary>The descriptors in the set of an epoll; nothing where it is none.</summary>
    public static IEnumerable<int> WatchedBy(uint tid, int epoll)
    {
        foreach (string line in KernelFile.Lines($"/proc/{tid.ToString(CultureInfo.InvariantCulture)}/fdinfo/{epoll}"))
        {
            // tfd:        5 events:       19 data: …
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["tfd:", var word, ..]
                && int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int fd))
                yield return fd;
        }
    }

    /// <summary>A descriptor by its number and name.</summary>
    public string TextOf(uint tid, int fd) => $"{fd}<{SocketOf(tid, fd)?.Text ?? NameOf(tid, fd)}>";

    private SocketTable.Socket? SocketOf(string folder, string name)
    {
        if (!name.StartsWith(SocketPrefix, StringComparison.Ordinal)
            || !ulong.TryParse(
            name.AsSpan(SocketPrefix.Length).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode))
            return null;
        return TableOf(folder).Find(inode);
    }

    private SocketTable TableOf(string folder)
    {
        string netns = KernelFile.Target(folder + "/ns/net") ?? "";
        if (!_tables.TryGetValue(netns, out var table))
            _tables.Add(netns, table = SocketTable.Read(folder + "/net"));
        return table;
    }
}
