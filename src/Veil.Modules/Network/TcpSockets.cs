// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf.Interop;

namespace Veil.Modules.Network;

/// <summary>The sockets of a network namespace, as <c>/proc/PID/net</c> lists them.</summary>
internal static class TcpSockets
{
    /// <summary>Has a process connections, or does it only listen, or is it not TCP that it speaks?</summary>
    /// <param name="pid">The process.</param>
    /// <param name="inodes">Its sockets.</param>
    public static string Explain(int pid, HashSet<long> inodes)
    {
        var own = Read($"/proc/{pid}/net", "tcp").Where(socket => inodes.Contains(socket.Inode)).ToList();
        int others = inodes.Count - own.Count, datagrams = Read($"/proc/{pid}/net", "udp").Count(socket => inodes.Contains(socket.Inode));
        if (own.Count == 0)
        {
            string has =
                datagrams > 0 ? $", but {Count(datagrams, "UDP socket")}" : others > 0 ? $", but {Count(others, "other socket")}" : "";
            return $"only TCP connections are seen, and PID {pid} had no TCP socket when the trace began{has}";
        }

        var listening = own.FindAll(static socket => socket.Listens);
        return listening.Count == own.Count
            ? $"PID {pid} only listened when the trace began (port " +
                $"{string.Join(", ", listening.Select(static socket => socket.Port).Distinct().Order())}): events come with each connection"
            : $"PID {pid} had {Count(own.Count - listening.Count, "TCP connection")} when the trace began: events come as connections " +
                $"begin and end, not with what they carry";
    }

    /// <summary>What there is at ports, in this network namespace.</summary>
    public static string Explain(IReadOnlyList<int> ports)
    {
        var there = Read("/proc/self/net", "tcp").Where(socket => ports.Contains(socket.Port) || ports.Contains(socket.PeerPort)).ToList();
        string which = string.Join(" or ", ports.Order());
        int connections = there.Count(static socket => !socket.Listens);
        return (there.Count, connections) switch
        {
            (0, _) => $"no TCP socket here has port {which} (UDP is not seen)",
            (_, 0) => $"port {which} has a listener and no connection: events come with each connection",
            _ => $"port {which} has {Count(connections, "TCP connection")}: events come as connections begin and end, " +
                $"not with what they carry",
        };
    }

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    // proc_pid_net(5): sl local_address rem_address st tx_queue:rx_queue tr:when retrnsmt uid timeout inode; numbers are hexadecimal, the
    // inode is not.
    private static IEnumerable<(int Port, int PeerPort, bool Listens, long Inode)> Read(string folder, string protocol)
    {
        const string listening = "0A"; // TCP_LISTEN
        foreach (string name in (string[])[protocol, protocol + "6"])
        {
            foreach (string line in KernelFile.Lines(Path.Combine(folder, name)).Skip(1))
            {
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    is [_, var local, var remote, var state, _, _, _, _, _, var inode, ..])
                    yield return (Port(local), Port(remote), state == listening, long.Parse(inode, CultureInfo.InvariantCulture));
            }
        }
    }

    private static int Port(string address) =>
        int.Parse(address.AsSpan(address.LastIndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
