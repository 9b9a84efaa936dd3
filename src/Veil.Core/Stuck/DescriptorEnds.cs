// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Bpf.Interop;
using Veil.Core.Interop;

namespace Veil.Core.Stuck;

/// <summary>
/// Which processes have the other ends of pipes, FIFOs and sockets of this machine. The kernel lists all ends once, when the first is asked
/// for.
/// </summary>
internal sealed class DescriptorEnds
{
    private const uint Reads = 1, Writes = 2; // FMODE_READ, FMODE_WRITE

    private BpfProgram? _source;
    private ILookup<ulong, End>? _ends; // by inode

    /// <summary>Takes the iterator that lists the ends, until its object is closed.</summary>
    public void ListBy(BpfProgram? iterator) => _source = iterator;

    /// <summary>The processes at the other end of a descriptor, others than its own where there are others.</summary>
    /// <param name="pid">The process that has it.</param>
    /// <param name="tid">Its thread.</param>
    /// <param name="fd">The descriptor.</param>
    /// <param name="descriptors">Finds sockets.</param>
    public IReadOnlyList<uint> Others(uint pid, uint tid, int fd, DescriptorNames descriptors)
    {
        if (fd < 0 || DescriptorNames.NameOf(tid, fd) is not { } name)
            return [];
        var ends = name.StartsWith("socket:[", StringComparison.Ordinal)
            ? OfSocket(tid, fd, Number(name), descriptors) : OfPipe(pid, tid, fd, name);
        uint[] owners = [.. ends.Select(static end => end.Pid).Distinct().Order()];
        uint[] others = [.. owners.Where(owner => owner != pid)];
        return others.Length > 0 ? others : owners;
    }

    /// <summary>The inode of the socket that a UNIX socket is connected to; 0: it is not, or there is none.</summary>
    public ulong PeerOf(ulong inode) => Of(inode).Select(static end => end.Peer).FirstOrDefault();

    // The writers of who reads, and the readers of who writes.
    private IEnumerable<End> OfPipe(uint pid, uint tid, int fd, string name)
    {
        string path = $"/proc/{tid.ToString(CultureInfo.InvariantCulture)}/fd/{fd.ToString(CultureInfo.InvariantCulture)}\0";
        byte[] utf8 = Encoding.UTF8.GetBytes(path);
        if (LibC.TypeOf(utf8) != LibC.FileType.Fifo)
            return [];
        ulong inode = name.StartsWith("pipe:[", StringComparison.Ordinal) ? Number(name) : LibC.Identity(utf8).Inode;
        var own = Of(inode).FirstOrDefault(end => end.Pid == pid);
        uint wanted = AccessOf(tid, fd) switch { 0 => Writes, 1 => Reads, _ => Reads | Writes };
        return own.Super == 0 ? [] : Of(inode).Where(end => end.Super == own.Super && (end.Mode & wanted) != 0);
    }

    private IEnumerable<End> OfSocket(uint tid, int fd, ulong inode, DescriptorNames descriptors)
    {
        if (PeerOf(inode) is not 0 and var peer)
            return Of(peer);
        if (descriptors.SocketOf(tid, fd) is not { } socket)
            return [];
        foreach (string text in SocketPair.OtherTexts(socket.Text))
        {
            if (descriptors.InodeOf(tid, text) is not 0 and var other)
                return Of(other);
        }

        return [];
    }

    private IEnumerable<End> Of(ulong inode) => inode == 0 ? [] : (_ends ??= List())[inode];

    private ILookup<ulong, End> List()
    {
        var ends = new List<End>();
        var rest = new List<byte>();
        _source?.Iterate(bytes =>
        {
            rest.AddRange(bytes);
            int whole = rest.Count / Unsafe.SizeOf<End>() * Unsafe.SizeOf<End>();
            ends.AddRange(MemoryMarshal.Cast<byte, End>(CollectionsMarshal.AsSpan(rest)[..whole]));
            rest.RemoveRange(0, whole);
        });
        return ends.ToLookup(static end => end.Inode);
    }

    // pipe:[1240900]
    private static ulong Number(string name) =>
        ulong.TryParse(
            name.AsSpan(name.IndexOf('[', StringComparison.Ordinal) + 1).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture,
            out ulong number) ? number : 0;

    // flags:	0100001; the last digit is O_ACCMODE and what is never set there
    private static int AccessOf(uint tid, int fd)
    {
        string file = $"/proc/{tid.ToString(CultureInfo.InvariantCulture)}/fdinfo/{fd.ToString(CultureInfo.InvariantCulture)}";
        string? line = KernelFile.Lines(file).FirstOrDefault(static line => line.StartsWith("flags:", StringComparison.Ordinal));
        return line is null || line[^1] is < '0' or > '7' ? 2 : (line[^1] - '0') & 3;
    }

    // struct stuck_end
    private readonly record struct End(uint Pid, uint Mode, ulong Inode, ulong Peer, ulong Super);
}
