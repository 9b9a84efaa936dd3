// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Calls;

/// <summary>A socket as the kernel's side saw it: <c>struct syscall_socket</c> of <c>arguments.bpf.h</c>. A view of the record.</summary>
internal readonly ref struct CallSocket(ReadOnlySpan<byte> bytes)
{
    /// <summary>The most bytes that <see cref="Append"/> writes.</summary>
    public const int TextBytesMax = 128 + (CallEscaping.MaxGrowth * PathMax);

    private const int InetV4 = 2, InetV6 = 10, Unix = 1, Netlink = 16; // include/linux/socket.h
    private const int PeerOffset =
        8, FamilyOffset = 16, LocalPortOffset = 18, RemotePortOffset = 20, ProtocolOffset = 22, LocalOffset = 24, RemoteOffset = 40,
        NameOffset = 56, NameBytes = 16, PathSizeOffset = 72, PathOffset = 76, PathMax = 108;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    private int Family => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[FamilyOffset..]);

    private ulong Peer => BinaryPrimitives.ReadUInt64LittleEndian(_bytes[PeerOffset..]);

    private ReadOnlySpan<byte> Protocol =>
        _bytes.Slice(NameOffset, NameBytes) is var name && name.IndexOf((byte)0) is >= 0 and var length ? name[..length] : name;

    private ReadOnlySpan<byte> Path =>
        _bytes[PathOffset..][..Math.Min(BinaryPrimitives.ReadInt32LittleEndian(_bytes[PathSizeOffset..]), PathMax)];

    /// <summary>The netlink protocol of a call's socket; negative: it is another socket, or it is not known what it is.</summary>
    public static int NetlinkProtocol(in CallView call, int arg)
    {
        var bytes = call.Find(arg, CallChunkKind.Socket).Bytes;
        return bytes.Length >= NameOffset && bytes.U16(FamilyOffset) == Netlink ? bytes.U16(ProtocolOffset) : -1;
    }

    /// <summary>Appends it: <c>TCP:[a:p->b:q]</c>, or with less detail <c>socket:[N]</c>.</summary>
    public void Append(ref LineWriter line, bool isAll)
    {
        if (_bytes.Length < PathOffset + PathMax)
            return;
        var protocol = Protocol;
        bool isKnown = isAll && IsKnown(protocol);
        line.Append(isKnown ? protocol : "socket"u8);
        line.Append(":["u8);
        if (!isKnown || !TryAppendEnds(ref line, protocol))
            line.Append(BinaryPrimitives.ReadUInt64LittleEndian(_bytes));
        line.Append((byte)']');
    }

    // Those that strace names; of others it shows the inode.
    private static bool IsKnown(ReadOnlySpan<byte> protocol) =>
        protocol.SequenceEqual("TCP"u8) || protocol.SequenceEqual("TCPv6"u8) || protocol.SequenceEqual("UDP"u8)
            || protocol.SequenceEqual("UDPv6"u8)
        || protocol.SequenceEqual("UNIX"u8) || protocol.SequenceEqual("UNIX-STREAM"u8) || protocol.SequenceEqual("NETLINK"u8)
        || protocol.SequenceEqual("RAW"u8) || protocol.SequenceEqual("RAWv6"u8);

    private bool TryAppendEnds(ref LineWriter line, ReadOnlySpan<byte> protocol)
    {
        switch (Family)
        {
            case InetV4 or InetV6 when !protocol.StartsWith("RAW"u8):
                return TryAppendInternet(ref line);
            case Unix when Peer != 0 || !Path.IsEmpty:
                AppendUnix(ref line);
                return true;
            case Netlink when Peer != 0:
                AppendNetlink(ref line);
                return true;
            default:
                return false;
        }
    }

    private bool TryAppendInternet(ref LineWriter line)
    {
        int local = BinaryPrimitives.ReadUInt16LittleEndian(_bytes[LocalPortOffset..]),
        remote = BinaryPrimitives.ReadUInt16LittleEndian(_bytes[RemotePortOffset..]);
        if (local == 0)
            return false;
        AppendEnd(ref line, _bytes.Slice(LocalOffset, 16), local);
        if (remote == 0)
            return true;
        line.Append("->"u8);
        AppendEnd(ref line, _bytes.Slice(RemoteOffset, 16), remote);
        return true;
    }

    private void AppendEnd(ref LineWriter line, ReadOnlySpan<byte> address, int port)
    {
        if (Family == InetV4)
        {
            IpText.AppendV4(ref line, address);
        }
        else
        {
            line.Append((byte)'[');
            IpText.AppendV6(ref line, address);
            line.Append((byte)']');
        }

        line.Append((byte)':');
        line.Append((ulong)port);
    }

    private void AppendUnix(ref LineWriter line)
    {
        line.Append(BinaryPrimitives.ReadUInt64LittleEndian(_bytes));
        if (Peer != 0)
        {
            line.Append("->"u8);
            line.Append(Peer);
        }

        var path = Path;
        if (path.IsEmpty)
            return;
        bool isAbstract = path[0] == 0;
        line.Append(isAbstract ? ",@\""u8 : ",\""u8);
        // A name in the file system ends at its NUL, an abstract one at its size.
        if (isAbstract)
            path = path[1..];
        else if (path.IndexOf((byte)0) is >= 0 and var length)
            path = path[..length];
        CallEscaping.Append(ref line, path);
        line.Append((byte)'"');
    }

    private void AppendNetlink(ref LineWriter line)
    {
        int protocol = BinaryPrimitives.ReadUInt16LittleEndian(_bytes[ProtocolOffset..]);
        var name = FlagSets.NetlinkFamilies.NameOf((ulong)protocol);
        if (name.StartsWith("NETLINK_"u8))
            line.Append(name["NETLINK_".Length..]);
        else
            line.Append((ulong)protocol);
        line.Append((byte)':');
        line.Append(Peer);
    }
}
