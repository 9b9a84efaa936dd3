// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Bpf.Interop;
using Veil.Core.Interop;
using Veil.Core.Stuck;

namespace Veil.Core.Why;

/// <summary>Who is at the other end of pipes, FIFOs and connections of this machine, by <c>/proc</c>.</summary>
internal static class PeerSearch
{
    private const int AccessMask = 3, ReadOnly = 0, WriteOnly = 1; // O_ACCMODE

    /// <summary>The link that the other end's descriptor has in <c>/proc</c>; nothing where there is none that can be found.</summary>
    /// <param name="tid">A thread that has the descriptor.</param>
    /// <param name="fd">The descriptor.</param>
    /// <param name="name">What it stands for.</param>
    /// <param name="peer">The inode of the other socket, where the kernel told of it; 0: it did not.</param>
    /// <param name="descriptors">Finds sockets.</param>
    public static string? LinkOf(uint tid, int fd, string name, ulong peer, DescriptorNames descriptors)
    {
        if (peer != 0)
            return $"socket:[{peer.ToString(CultureInfo.InvariantCulture)}]";
        if (name.StartsWith("pipe:[", StringComparison.Ordinal)
            || LibC.TypeOf(Encoding.UTF8.GetBytes($"/proc/{tid.ToString(CultureInfo.InvariantCulture)}/fd/{fd}\0")) == LibC.FileType.Fifo)
            return name;
        int from = name.IndexOf(":[", StringComparison.Ordinal), arrow = name.IndexOf("->", StringComparison.Ordinal);
        if (!name.StartsWith("TCP", StringComparison.Ordinal) || from < 0 || arrow < from)
            return null;
        string local = name[(from + 2)..arrow], remote = name[(arrow + 2)..^1];
        ulong inode = descriptors.InodeOf(tid, $"{name[..from]}:[{remote}->{local}]");
        return inode == 0 ? null : $"socket:[{inode.ToString(CultureInfo.InvariantCulture)}]";
    }

    /// <summary>The processes at the other ends.</summary>
    /// <param name="ends">What is looked for: the link, who asks, and whether it waits for somebody to read.</param>
    /// <returns>For each in its place a process, another one than asks where there is one; 0: nobody was found.</returns>
    public static uint[] Owners(IReadOnlyList<(string Link, uint Pid, bool WantsReader)> ends)
    {
        uint[] owners = new uint[ends.Count];
        var wanted = Enumerable.Range(0, ends.Count).ToLookup(at => ends[at].Link, StringComparer.Ordinal);
        foreach (uint pid in KernelFile.Folders("/proc")
            .Select(static name => uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) ? id : 0)
            .Where(static id => id != 0).Order())
        {
            string folder = "/proc/" + pid.ToString(CultureInfo.InvariantCulture);
            foreach (var (fd, link) in Links(folder + "/fd"))
            {
                foreach (int at in wanted[link])
                {
                    bool isFree = owners[at] == 0 || owners[at] == ends[at].Pid;
                    if (isFree && (owners[at] == 0 || pid != ends[at].Pid)
                        && AccessOf($"{folder}/fdinfo/{fd}") != (ends[at].WantsReader ? WriteOnly : ReadOnly))
                        owners[at] = pid;
                }
            }
        }

        return owners;
    }

    // flags:	0100001
    private static int AccessOf(string file)
    {
        string? line = KernelFile.Lines(file).FirstOrDefault(static line => line.StartsWith("flags:", StringComparison.Ordinal));
        return line is null || line[^1] is < '0' or > '7' ? AccessMask : (line[^1] - '0') & AccessMask;
    }

    private static List<(string Fd, string Link)> Links(string folder)
    {
        var links = new List<(string Fd, string Link)>();
        try
        {
            foreach (string path in Directory.EnumerateFileSystemEntries(folder))
            {
                if (KernelFile.Target(path) is { } link)
                    links.Add((Path.GetFileName(path), link));
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // It ended, or is not ours to look at.
        }

        return links;
    }
}
