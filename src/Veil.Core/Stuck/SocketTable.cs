// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Veil.Bpf.Interop;

namespace Veil.Core.Stuck;

/// <summary>The sockets of a network namespace by their inodes, as <c>/proc/PID/net</c> lists them.</summary>
internal sealed class SocketTable
{
    // include/net/tcp_states.h, from 1.
    private static readonly string[] s_states =
        ["ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN",
            "CLOSING", "NEW_SYN_RECV"];

    private readonly Dictionary<ulong, Socket> _sockets = [];
    private Dictionary<string, ulong>? _inodes; // by their texts, once one is asked for

    /// <summary>Reads the tables below a folder; one that is not there is empty.</summary>
    public static SocketTable Read(string folder)
    {
        var table = new SocketTable();
        foreach (var (file, name) in new[] { ("tcp", "TCP"), ("tcp6", "TCPv6"), ("udp", "UDP"), ("udp6", "UDPv6") })
            table.ReadInternet(Path.Combine(folder, file), name);
        table.ReadUnix(Path.Combine(folder, "unix"));
        return table;
    }

    /// <summary>A socket; nothing where it is not listed.</summary>
    public Socket? Find(ulong inode) => _sockets.GetValueOrDefault(inode);

    /// <summary>The inode of the socket with this text; 0: there is none.</summary>
    public ulong InodeOf(string text)
    {
        if (_inodes is null)
        {
            _inodes = new(StringComparer.Ordinal);
            foreach (var (inode, socket) in _sockets)
                _inodes.TryAdd(socket.Text, inode);
        }

        return _inodes.GetValueOrDefault(text);
    }

    private static IEnumerable<string[]> Rows(string file) =>
        KernelFile.Lines(file).Skip(1).Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
    private void ReadInternet(string file, string name)
    {
        foreach (string[] row in Rows(file))
        {
            const int inodeAt = 9;
            if (row.Length <= inodeAt || !ulong.TryParse(row[inodeAt], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode)
                || inode == 0)
                continue;
            int state = int.Parse(row[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            string local = Address(row[1]), remote = Address(row[2]);
            bool isConnected = !row[2].EndsWith(":0000", StringComparison.Ordinal);
            string[] queues = row[4].Split(':');
            _sockets[inode] = new Socket(
                isConnected ? $"{name}:[{local}->{remote}]" : $"{name}:[{local}]",
                name.StartsWith("TCP", StringComparison.Ordinal) && state >= 1 && state <= s_states.Length ? s_states[state - 1] : null,
                long.Parse(queues[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                long.Parse(queues[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        }
    }

    // Num RefCount Protocol Flags Type St Inode Path
    private void ReadUnix(string file)
    {
        foreach (string[] row in Rows(file))
        {
            const int inodeAt = 6;
            if (row.Length > inodeAt && ulong.TryParse(row[inodeAt], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode))
                _sockets[inode] =
                    new Socket(
                    row.Length > inodeAt + 1 ? $"UNIX:[{inode},\"{string.Join(' ', row[(inodeAt + 1)..])}\"]"
                    : $"UNIX:[{inode}]", null, 0, 0);
        }
    }

    // 0100007F:1F90: words of the machine's order, as they are in memory.
    private static string Address(string text)
    {
        string[] parts = text.Split(':');
        Span<byte> bytes = stackalloc byte[parts[0].Length / 2];
        for (int word = 0; word < bytes.Length / sizeof(uint); word++)
            BinaryPrimitives.WriteUInt32LittleEndian(
                bytes[(word * sizeof(uint))..],
                uint.Parse(parts[0].AsSpan(word * 8, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        int port = int.Parse(parts[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return bytes.Length == sizeof(uint) ? $"{new IPAddress(bytes)}:{port}" : $"[{new IPAddress(bytes)}]:{port}";
    }

    /// <summary>A socket.</summary>
    /// <param name="Text">As strace's <c>-yy</c> writes it.</param>
    /// <param name="State">Of a TCP connection.</param>
    /// <param name="SendQueue">Bytes that the other side has not acknowledged; of one that listens, its limit.</param>
    /// <param name="ReceiveQueue">Bytes that nobody has read; of one that listens, connections that nobody has accepted.</param>
    internal sealed record Socket(string Text, string? State, long SendQueue, long ReceiveQueue);
}
