// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Calls;

/// <summary>Addresses of sockets: <c>struct sockaddr</c> of the families that people use, the bytes of others.</summary>
internal static class SocketAddress
{
    /// <summary>Bytes of the longest: <c>struct sockaddr_storage</c>.</summary>
    public const int SizeMax = 128;

    /// <summary><c>AF_NETLINK</c>.</summary>
    public const ushort Netlink = 16;

    // include/linux/socket.h
    private const ushort Unix = 1, Inet = 2, Inet6 = 10, Packet = 17, Vsock = 40, Alg = 38, Ipx = 4, X25 = 9, Qipcrtr = 42,
        Xdp = 44, Mctp = 45;
    private const int IpxBytes = 16, X25Bytes = 18;
    private const int InetBytes = 16, Inet6Bytes = 24, Inet6ScopeBytes = 28, UnixBytes = 110, NetlinkBytes = 12, PacketBytes = 20,
        AlgBytes = 88;
    private const int Loopback = 1; // include/net/flow.h: the first interface of every network namespace
    private const int DataAt = 2;

    /// <summary>The family, 0 where there is none.</summary>
    public static ushort FamilyOf(ReadOnlySpan<byte> bytes) => bytes.Length < DataAt ? (ushort)0 : bytes.U16(0);

    /// <summary>Writes an address of at least two bytes.</summary>
    public static void Write(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.BeginStruct();
        writer.Field("sa_family"u8);
        writer.Name(FlagSets.SocketDomain, bytes.U16(0));
        if (bytes.Length > DataAt)
            WriteData(ref writer, bytes);
        writer.EndStruct();
    }

    /// <summary><c>inet_addr("127.0.0.1")</c>, in JSON the address alone.</summary>
    public static void WriteInet(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.TextOnly("inet_addr("u8);
        writer.Line.Append((byte)'"');
        IpText.AppendV4(ref writer.Line, bytes);
        writer.Line.Append((byte)'"');
        writer.TextOnly(")"u8);
    }

    /// <summary>
    /// A field that is an address of IPv6: <c>inet_pton(AF_INET6, "::1", &amp;sin6_addr)</c>, in JSON a field like others.
    /// </summary>
    public static void WriteInet6(ref CallWriter writer, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> field)
    {
        if (writer.IsJson)
            writer.Field(field);
        else
            writer.Item();
        writer.TextOnly("inet_pton(AF_INET6, "u8);
        writer.Line.Append((byte)'"');
        // As inet_ntop of libc has it, of addresses that hold one of IPv4.
        if (bytes[..12].IndexOfAnyExcept((byte)0) < 0 && bytes.U16(12) != 0)
        {
            writer.Line.Append("::"u8);
            IpText.AppendV4(ref writer.Line, bytes[12..]);
        }
        else
        {
            IpText.AppendV6(ref writer.Line, bytes);
        }

        writer.Line.Append((byte)'"');
        writer.TextOnly(", &"u8);
        writer.TextOnly(field);
        writer.TextOnly(")"u8);
    }

    /// <summary>The number of an interface. Its name belongs to the process's network namespace; that of the loopback is known.</summary>
    public static void WriteInterface(ref CallWriter writer, uint index)
    {
        if (index == Loopback && !writer.IsJson)
            writer.TextOnly("if_nametoindex(\"lo\")"u8);
        else
            writer.Unsigned(index);
    }

    /// <summary>The protocol of an Ethernet frame, in network order.</summary>
    public static void WriteEthernet(ref CallWriter writer, ushort value)
    {
        writer.TextOnly("htons("u8);
        writer.Name(FlagSets.EthernetProtocols, BinaryPrimitives.ReverseEndianness(value));
        writer.TextOnly(")"u8);
    }

    private static void WriteData(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        switch (bytes.U16(0))
        {
            case Unix:
                WriteUnix(ref writer, bytes[DataAt..Math.Min(bytes.Length, UnixBytes)]);
                break;
            case Inet when bytes.Length >= InetBytes:
                WritePort(ref writer, "sin_port"u8, bytes);
                writer.Field("sin_addr"u8);
                WriteInet(ref writer, bytes[4..8]);
                break;
            case Inet6 when bytes.Length >= Inet6Bytes:
                WriteInet6(ref writer, bytes);
                break;
            case Netlink when bytes.Length >= NetlinkBytes:
                WriteNetlink(ref writer, bytes);
                break;
            case Packet when bytes.Length >= PacketBytes:
                WritePacket(ref writer, bytes);
                break;
            case Vsock when bytes.Length >= InetBytes:
                WriteVsock(ref writer, bytes);
                break;
            case Alg when bytes.Length >= AlgBytes:
                writer.Field("salg_type"u8);
                WriteText(ref writer, bytes[2..16]);
                writer.Field("salg_feat"u8);
                writer.Hex(bytes.U32(16));
                writer.Field("salg_mask"u8);
                writer.Hex(bytes.U32(20));
                writer.Field("salg_name"u8);
                WriteText(ref writer, bytes[24..AlgBytes]);
                break;
            case Ipx when bytes.Length >= IpxBytes:
                WritePort(ref writer, "sipx_port"u8, bytes);
                writer.Field("sipx_network"u8);
                writer.TextOnly("htonl("u8);
                writer.Hex(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));
                writer.TextOnly(")"u8);
                WriteHexBytes(ref writer, "sipx_node"u8, bytes[8..14]);
                WriteHexField(ref writer, "sipx_type"u8, bytes[14]);
                WriteHexField(ref writer, "sipx_zero"u8, bytes[15]);
                break;
            case X25 when bytes.Length >= X25Bytes:
                writer.Field("sx25_addr"u8);
                writer.BeginStruct();
                writer.Field("x25_addr"u8);
                WriteText(ref writer, bytes[2..X25Bytes]);
                writer.EndStruct();
                break;
            case Qipcrtr when bytes.Length >= 12:
                WriteHexField(ref writer, "sq_node"u8, bytes.U32(4));
                WriteHexField(ref writer, "sq_port"u8, bytes.U32(8));
                break;
            case Xdp when bytes.Length >= InetBytes:
                writer.Field("sxdp_flags"u8);
                writer.Flags(FlagSets.XdpFlags, bytes.U16(2));
                writer.Field("sxdp_ifindex"u8);
                WriteInterface(ref writer, bytes.U32(4));
                writer.Field("sxdp_queue_id"u8, bytes.U32(8));
                writer.Field("sxdp_shared_umem_fd"u8, bytes.I32(12));
                break;
            case Mctp when bytes.Length >= 12:
                if (bytes.U16(2) != 0)
                    WriteHexField(ref writer, "__smctp_pad0"u8, bytes.U16(2));
                WriteHexField(ref writer, "smctp_network"u8, bytes.U32(4));
                writer.Field("smctp_addr"u8);
                writer.BeginStruct();
                WriteHexField(ref writer, "s_addr"u8, bytes[8]);
                writer.EndStruct();
                WriteHexField(ref writer, "smctp_type"u8, bytes[9]);
                WriteHexField(ref writer, "smctp_tag"u8, bytes[10]);
                if (bytes[11] != 0)
                    WriteHexField(ref writer, "__smctp_pad1"u8, bytes[11]);
                break;
            default:
                writer.Field("sa_data"u8);
                writer.String(bytes[DataAt..], false);
                break;
        }
    }

    private static void WriteHexField(ref CallWriter writer, ReadOnlySpan<byte> field, uint value)
    {
        writer.Field(field);
        writer.Hex(value);
    }

    private static void WriteHexBytes(ref CallWriter writer, ReadOnlySpan<byte> field, ReadOnlySpan<byte> bytes)
    {
        writer.Field(field);
        writer.BeginArray();
        foreach (byte value in bytes)
        {
            writer.Item();
            writer.Hex(value);
        }

        writer.EndArray();
    }

    // A path ends at its NUL; a name that begins with one is abstract and has the length of the address.
    private static void WriteUnix(ref CallWriter writer, ReadOnlySpan<byte> path)
    {
        writer.Field("sun_path"u8);
        if (path[0] != 0)
        {
            int end = path.IndexOf((byte)0);
            writer.String(end < 0 ? path : path[..end], false);
            return;
        }

        if (!writer.IsJson)
        {
            writer.TextOnly("@"u8);
            writer.String(path[1..], false);
            return;
        }

        writer.Line.Append("\"@"u8);
        writer.WasInexact |= !Escaping.AppendJson(ref writer.Line, path[1..]);
        writer.Line.Append((byte)'"');
    }

    private static void WriteInet6(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        WritePort(ref writer, "sin6_port"u8, bytes);
        writer.Field("sin6_flowinfo"u8);
        writer.TextOnly("htonl("u8);
        writer.Unsigned(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));
        writer.TextOnly(")"u8);
        WriteInet6(ref writer, bytes[8..24], "sin6_addr"u8);
        if (bytes.Length <= Inet6Bytes)
            return;
        // A length that ends within it: what is behind is taken for 0.
        Span<byte> whole = stackalloc byte[Inet6ScopeBytes];
        whole.Clear();
        bytes[..Math.Min(bytes.Length, Inet6ScopeBytes)].CopyTo(whole);
        uint scope = BinaryPrimitives.ReadUInt32LittleEndian(whole[24..]);
        writer.Field("sin6_scope_id"u8);
        bool isLocal = (bytes[8] == 0xfe && (bytes[9] & 0xc0) == 0x80) || (bytes[8] == 0xff && (bytes[9] & 0x0f) == 2);
        if (isLocal)
            WriteInterface(ref writer, scope);
        else
            writer.Unsigned(scope);
    }

    private static void WriteNetlink(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        if (bytes.U16(2) != 0)
        {
            writer.Field("nl_pad"u8);
            writer.Hex(bytes.U16(2));
        }

        writer.Field("nl_pid"u8, bytes.I32(4));
        writer.Field("nl_groups"u8);
        uint groups = bytes.U32(8);
        writer.Quote();
        writer.Line.Append(groups == 0 ? "00"u8 : "0x"u8);
        writer.Line.AppendHex(groups, digits: 6);
        writer.Quote();
    }

    private static void WritePacket(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        int length = bytes[11], present = Math.Min(length, bytes.Length - 12);
        writer.Field("sll_protocol"u8);
        WriteEthernet(ref writer, bytes.U16(2));
        writer.Field("sll_ifindex"u8);
        WriteInterface(ref writer, bytes.U32(4));
        writer.Field("sll_hatype"u8);
        writer.Name(FlagSets.ArpHardware, bytes.U16(8));
        writer.Field("sll_pkttype"u8);
        writer.Name(FlagSets.PacketTypes, bytes[10]);
        writer.Field("sll_halen"u8, length);
        if (length == 0)
            return;
        writer.Field("sll_addr"u8);
        writer.BeginArray();
        foreach (byte value in bytes.Slice(12, present))
        {
            writer.Item();
            writer.Quote();
            writer.Line.Append(value == 0 ? "0"u8 : "0x"u8);
            writer.Line.AppendHex(value);
            writer.Quote();
        }

        if (present < length)
            writer.More();
        writer.EndArray();
    }

    private static void WriteVsock(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        if (bytes.U16(2) != 0)
        {
            writer.Field("svm_reserved1"u8);
            writer.Hex(bytes.U16(2));
        }

        writer.Field("svm_cid"u8);
        if (FlagSets.VsockCid.NameOf(bytes.U32(8)) is { IsEmpty: false } name)
            writer.Word(name);
        else
            writer.Hex(bytes.U32(8));
        writer.Field("svm_port"u8);
        if (bytes.U32(4) == uint.MaxValue)
            writer.Word("VMADDR_PORT_ANY"u8);
        else
            writer.Hex(bytes.U32(4));
        writer.Field("svm_flags"u8);
        writer.Flags(FlagSets.VsockFlags, bytes[12]);
        if (bytes[13..16].ContainsAnyExcept((byte)0))
        {
            writer.Field("svm_zero"u8);
            FileArguments.HexString(ref writer, bytes[13..16], false);
        }
    }

    private static void WritePort(ref CallWriter writer, ReadOnlySpan<byte> field, ReadOnlySpan<byte> bytes)
    {
        writer.Field(field);
        writer.TextOnly("htons("u8);
        writer.Unsigned(BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
        writer.TextOnly(")"u8);
    }

    // A string in a field of fixed size.
    private static void WriteText(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        writer.String(end < 0 ? bytes[..^1] : bytes[..end], end < 0);
    }
}

/// <summary>An argument that points to the address of a socket.</summary>
/// <param name="length">The argument that says its length.</param>
internal sealed class SocketAddressArgument(int length) : Argument
{
    public override CallReader Input(int position, CallOptions options, bool is32Bit) =>
        new(CallRead.Counted, 1, SocketAddress.SizeMax, length);

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        int size = Math.Min(call.Int(length), chunk.Bytes.Length);
        if (size < 2 || !chunk.Has(2))
            writer.Address(call[position]);
        else
            SocketAddress.Write(ref writer, chunk.Bytes[..size]);
    }
}

/// <summary>An argument where the call leaves the address of a socket.</summary>
/// <param name="length">The argument that points to its length: the room before, what was needed afterwards.</param>
internal sealed class OutSocketAddressArgument(int length) : Argument
{
    public override CallReader Output(int position, CallOptions options, bool is32Bit) =>
        new(CallRead.Pointed, 1, SocketAddress.SizeMax, length);

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: true);
        int size = chunk.Has(2) && !call.HasFailed ? Math.Min(LengthArgument.Smaller(call, length), chunk.Bytes.Length) : 0;
        if (size < 2)
            writer.Address(call[position]);
        else
            SocketAddress.Write(ref writer, chunk.Bytes[..size]);
    }
}

/// <summary>An argument that points to a length, which the call changes: <c>[128 => 16]</c>.</summary>
/// <param name="isShownAlone">Is it shown also where what it is the length of is NULL?</param>
internal sealed class LengthArgument(bool isShownAlone) : Argument
{
    public override CallReader Input(int position, CallOptions options, bool is32Bit) => new(CallRead.Fixed, 4, 4);

    public override CallReader Output(int position, CallOptions options, bool is32Bit) => new(CallRead.Fixed, 4, 4);

    /// <summary>The smaller of the room and of what was needed; negative: not known.</summary>
    public static int Smaller(in CallView call, int position) =>
        TryRead(call, position, out int before, out int after) ? Math.Min(before, after) : -1;

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        if (!TryRead(call, position, out int before, out int after) || (!isShownAlone && call[position - 1] == 0))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        writer.Item();
        writer.Number(before);
        if (before != after)
        {
            if (writer.IsJson)
                writer.Item();
            writer.TextOnly(" => "u8);
            writer.Number(after);
        }

        writer.EndArray();
    }

    private static bool TryRead(in CallView call, int position, out int before, out int after)
    {
        var first = call.Find(position);
        var second = call.Find(position, output: true);
        bool isRead = first.IsRead && first.Bytes.Length == 4;
        before = isRead ? first.Bytes.I32(0) : 0;
        after = !call.HasFailed && second.IsRead && second.Bytes.Length == 4 ? second.Bytes.I32(0) : before;
        return isRead;
    }
}
