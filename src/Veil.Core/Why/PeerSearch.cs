// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf.Interop;
using Veil.Core.Stuck;

namespace Veil.Core.Why;

/// <summary>Who is at the other end of pipes and TCP connections of this machine, by <c>/proc</c>.</summary>
internal static class PeerSearch
{
    /// <summary>The links of the other end's descriptor; nothing where there is none that can be found.</summary>
    /// <param name="tid">A thread that has the descriptor.</param>
    /// <param name="name">What the descriptor stands for.</param>
    public static string? LinkOf(uint tid, string name)
    {
        if (name.StartsWith("pipe:[", StringComparison.Ordinal))
            return name;
        int from = name.IndexOf(":[", StringComparison.Ordinal), arrow = name.IndexOf("->", StringComparison.Ordinal);
        if (!name.StartsWith("TCP", StringComparison.Ordinal) || from < 0 || arrow < from)
            return null;
        string local = name[(from + 2)..arrow], remote = name[(arrow + 2)..^1];
        ulong inode = SocketTable.Read($"/proc/{tid.ToString(CultureInfo.InvariantCulture)}/net").InodeOf($"{name[..from]}:[{remote}->{local}]");
        return inode == 0 ? null : $"socket:[{inode.ToString(CultureInfo.InvariantCulture)}]";
    }

    /// <summary>The processes that have these links open, of each the one with the smallest id.</summary>
    /// <param name="links">What is looked for.</param>
    /// <param name="except">Processes that are not asked.</param>
    public static Dictionary<string, uint> Owners(IReadOnlySet<string> links, Func<uint, bool> except)
    {
        var found = new Dictionary<string, uint>(StringComparer.Ordinal);
        foreach (uint pid in KernelFile.Folders("/proc")
            .Select(static folder => uint.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out uint id) ? id : 0)
            .Where(id => id != 0 && !except(id)).Order())
        {
            foreach (string link in Links($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/fd"))
            {
                if (links.Contains(link))
                    found.TryAdd(link, pid);
            }
        }

        return found;
    }

    private static List<string> Links(string folder)
    {
        var links = new List<string>();
        try
        {
            foreach (string path in Directory.EnumerateFileSystemEntries(folder))
            {
                if (KernelFile.Target(path) is { } link)
                    links.Add(link);
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It ended, or is not ours to look at.
        }

        return links;
    }
}
