// SPDX-License-Identifier: GPL-3.0-only
using System.Numerics;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>Options of sockets: their names by level, and their values.</summary>
internal static class SocketOptions
{
    /// <summary>Bytes of the longest value that is decoded.</summary>
    public const int SizeMax = GroupBytes;

    private const int GroupBytes = 8 + SocketAddress.SizeMax; // struct group_req of 64 bits

    private const uint SolIp = 0, SolSocket = 1, SolTcp = 6, SolUdp = 17, SolVsock = 40, SolIpv6 = 41, SolCanRaw = 101, SolRaw = 255,
        SolPacket = 263, SolDccp = 269, SolNetlink = 270, SolTipc = 271, SolAlg = 279, SolTls = 282, SolXdp = 283,
        SolSctp = 132, SolRxrpc = 272, SolPppol2tp = 273, SolBluetooth = 274, SolPnpipe = 275, SolRds = 276, SolIucv = 277, SolCaif = 278,
        SolNfc = 280, SolKcm = 281;

    // include/uapi/asm-generic/socket.h
    private const uint SoLinger = 13, SoPeerCred = 17, SoAttachFilter = 26, SoAttachReuseportCbpf = 51, SoTxRehash = 74,
        SoDevmemDontneed = 80;

    // Of include/uapi/linux/in.h, in6.h and if_packet.h
    private const uint IpAddMembership = 35, IpDropMembership = 36, McastJoinGroup = 42, McastLeaveGroup = 45, IpPortRange = 51,
        IpProtocol = 52, Ipv6AddMembership = 20, Ipv6LeaveAnycast = 28;
    private const uint PacketAddMembership = 1, PacketDropMembership = 2, PacketRxRing = 5, PacketStatistics = 6, PacketTxRing = 13,
        IcmpFilter = 1;

    // Those of SOL_SOCKET that are an int, whatever length was given.
    private static ReadOnlySpan<byte> IntOptions =>
    [
        1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 18, 19, 27, 29, 30, 32, 33, 34, 35, 36, 37, 40, 41, 42, 43, 44, 45, 46, 49, 53, 56,
        60,
        63, 64, 65, 68, 69, 70, 73, 75, 76, 82, 83, 84,
    ];

    /// <summary>The name of an option; a number where nothing is known of its level.</summary>
    public static void WriteName(ref CallWriter writer, uint level, uint name, bool isGet)
    {
        switch (level)
        {
            // One number, two names.
            case SolSocket when name == SoAttachFilter && isGet:
                writer.Word("SO_GET_FILTER"u8);
                break;
            case SolSocket when name == SoDevmemDontneed && isGet:
                writer.Hex(name);
                writer.Remark("SO_???"u8);
                break;
            case SolSocket:
                writer.Name(FlagSets.SocketOptions, name);
                break;
            case SolIp:
                writer.Name(!FlagSets.IpOptions.NameOf(name).IsEmpty ? FlagSets.IpOptions
                    : isGet ? FlagSets.IpTablesGet : FlagSets.IpTablesSet, name);
                break;
            case SolIpv6:
                writer.Name(!FlagSets.Ipv6Options.NameOf(name).IsEmpty ? FlagSets.Ipv6Options
                    : isGet ? FlagSets.Ip6TablesGet : FlagSets.Ip6TablesSet, name);
                break;
            case SolTcp:
                writer.Name(FlagSets.TcpOptions, name);
                break;
            case SolUdp:
                writer.Name(FlagSets.UdpOptions, name);
                break;
            case SolVsock:
                writer.Name(FlagSets.VsockOptions, name);
                break;
            case SolCanRaw:
                writer.Name(FlagSets.CanRawOptions, name);
                break;
            case SolRaw:
                writer.Name(FlagSets.RawOptions, name);
                break;
            case SolPacket:
                writer.Name(FlagSets.PacketOptions, name);
                break;
            case SolDccp:
                writer.Name(FlagSets.DccpOptions, name);
                break;
            case SolNetlink:
                writer.Name(FlagSets.NetlinkOptions, name);
                break;
            case SolTipc:
                writer.Name(FlagSets.TipcOptions, name);
                break;
            case SolAlg:
                writer.Name(FlagSets.AlgOptions, name);
                break;
            case SolTls:
                writer.Name(FlagSets.TlsOptions, name);
                break;
            case SolXdp:
                writer.Name(FlagSets.XdpOptions, name);
                break;
            case SolSctp:
                writer.Name(FlagSets.SctpOptions, name);
                break;
            case SolRxrpc:
                writer.Name(FlagSets.RxrpcOptions, name);
                break;
            case SolPppol2tp:
                writer.Name(FlagSets.PppOl2tpOptions, name);
                break;
            case SolBluetooth:
                writer.Name(FlagSets.BluetoothOptions, name);
                break;
            case SolPnpipe:
                writer.Name(FlagSets.PnpipeOptions, name);
                break;
            case SolRds:
                writer.Name(FlagSets.RdsOptions, name);
                break;
            case SolIucv:
                writer.Name(FlagSets.IucvOptions, name);
                break;
            case SolCaif:
                writer.Name(FlagSets.CaifOptions, name);
                break;
            case SolNfc:
                writer.Name(FlagSets.NfcOptions, name);
                break;
            case SolKcm:
                writer.Name(FlagSets.KcmOptions, name);
                break;
            default:
                writer.Unsigned(name);
                break;
        }
    }

    /// <summary>Writes a value; false where it is shown as its address.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="level">The level.</param>
    /// <param name="name">The option.</param>
    /// <param name="bytes">What was read.</param>
    /// <param name="size">Its length.</param>
    /// <param name="isGet">Was it asked for?</param>
    /// <param name="wordBytes">Bytes of an address.</param>
    public static bool TryWriteValue(ref CallWriter writer, uint level, uint name, ReadOnlySpan<byte> bytes, int size, bool isGet,
        int wordBytes)
    {
        switch (level, name)
        {
            case (SolSocket, SoLinger):
                return TryWriteLinger(ref writer, bytes, isGet);
            case (SolSocket, SoPeerCred) when isGet:
                if (bytes.Length < 4)
                    FileArguments.HexString(ref writer, bytes, false);
                else
                    ControlMessages.WriteCredentials(ref writer, bytes);
                return true;
            case (SolSocket, SoAttachFilter) when isGet:
                return false;
            case (SolSocket, SoAttachFilter or SoAttachReuseportCbpf) when !isGet:
                return size == 2 * wordBytes && bytes.Length >= size && WriteProgram(ref writer, bytes, wordBytes);
            case (SolIp, IpAddMembership or IpDropMembership) when !isGet:
                return bytes.Length >= 8 && WriteMember(ref writer, bytes);
            case (SolIp or SolIpv6, McastJoinGroup or McastLeaveGroup) when !isGet:
                return wordBytes == 8 && bytes.Length >= GroupBytes && WriteGroup(ref writer, bytes);
            case (SolIp, IpPortRange) when size == 4 && bytes.Length >= 4:
                return WritePortRange(ref writer, bytes.U32(0));
            case (SolRaw, IcmpFilter) when bytes.Length >= 4:
                return WriteIcmpFilter(ref writer, bytes.U32(0));
            case (SolIpv6, Ipv6AddMembership or Ipv6AddMembership + 1 or Ipv6LeaveAnycast - 1 or Ipv6LeaveAnycast) when !isGet:
                return bytes.Length >= 20 && WriteMember6(ref writer, bytes);
            case (SolPacket, PacketAddMembership or PacketDropMembership) when !isGet:
                return size == 16 && bytes.Length >= 16 && WritePacketMember(ref writer, bytes);
            case (SolPacket, PacketStatistics) when isGet && bytes.Length >= 8:
                writer.BeginStruct();
                writer.Field("tp_packets"u8, bytes.U32(0));
                writer.Field("tp_drops"u8, bytes.U32(4));
                if (bytes.Length >= 12)
                    writer.Field("tp_freeze_q_cnt"u8, bytes.U32(8));
                writer.EndStruct();
                return true;
            case (SolPacket, PacketRxRing or PacketTxRing) when !isGet:
                return size is 16 or 28 && bytes.Length >= 16 && WriteRing(ref writer, bytes);
            default:
                return TryWritePlain(ref writer, level, name, bytes, size, isGet);
        }
    }

    // An int, else a string.
    private static bool TryWritePlain(ref CallWriter writer, uint level, uint name, ReadOnlySpan<byte> bytes, int size, bool isGet)
    {
        bool isNamed = (level == SolIp && name == IpProtocol && isGet) || (level == SolSocket && name == SoTxRehash);
        bool isInt = isNamed || (level == SolSocket && IntOptions.IndexOf((byte)Math.Min(name, byte.MaxValue)) >= 0)
            || (level == SolNetlink && !isGet);
        if (bytes.Length < 4 && isInt)
        {
            if (!isGet)
                return false;
            FileArguments.HexString(ref writer, bytes, false);
            return true;
        }

        if (!isInt && size != 4)
        {
            var shown = writer.Cut(bytes);
            writer.String(shown, size > shown.Length);
            return true;
        }

        if (bytes.Length < 4)
            return false;
        writer.BeginArray();
        writer.Item();
        if (isNamed && level == SolIp)
            writer.Name(FlagSets.IpProto, bytes.U32(0));
        else if (isNamed)
            WriteRehash(ref writer, bytes.U32(0));
        else
            writer.Number(bytes.I32(0));
        writer.EndArray();
        return true;
    }

    private static void WriteRehash(ref CallWriter writer, uint value)
    {
        if (FlagSets.TxRehash.NameOf(value) is { IsEmpty: false } name)
            writer.Word(name);
        else
            writer.Unsigned(value);
    }

    private static bool TryWriteLinger(ref CallWriter writer, ReadOnlySpan<byte> bytes, bool isGet)
    {
        if (bytes.Length < (isGet ? 4 : 8))
            return false;
        writer.BeginStruct();
        writer.Field("l_onoff"u8, bytes.I32(0));
        if (bytes.Length >= 8)
        {
            writer.Field("l_linger"u8, bytes.I32(4));
        }

        writer.EndStruct();
        return true;
    }

    private static bool WriteProgram(ref CallWriter writer, ReadOnlySpan<byte> bytes, int wordBytes)
    {
        writer.BeginStruct();
        writer.Field("len"u8, bytes.U16(0));
        writer.Field("filter"u8);
        writer.Address(bytes.UWord(1, wordBytes));
        writer.EndStruct();
        return true;
    }

    private static bool WriteMember(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.BeginStruct();
        writer.Field("imr_multiaddr"u8);
        SocketAddress.WriteInet(ref writer, bytes[..4]);
        writer.Field("imr_interface"u8);
        SocketAddress.WriteInet(ref writer, bytes[4..8]);
        writer.EndStruct();
        return true;
    }

    private static bool WriteGroup(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.BeginStruct();
        writer.Field("gr_interface"u8);
        SocketAddress.WriteInterface(ref writer, bytes.U32(0));
        writer.Field("gr_group"u8);
        SocketAddress.Write(ref writer, bytes[8..GroupBytes]);
        writer.EndStruct();
        return true;
    }

    // Two ports in one number; 0: the system's.
    private static bool WritePortRange(ref CallWriter writer, uint value)
    {
        uint low = value & 0xffff, high = value >> 16;
        writer.BeginArray();
        writer.Item();
        writer.Hex(value);
        if (!writer.IsJson && value != 0 && (low == 0 || high == 0 || low <= high))
        {
            writer.TextOnly(" /* "u8);
            if (low != 0)
                writer.Unsigned(low);
            writer.TextOnly(".."u8);
            if (high != 0)
                writer.Unsigned(high);
            writer.TextOnly(" */"u8);
        }

        writer.EndArray();
        return true;
    }

    // The types that do not pass; of most of them those that do. In JSON those that do not.
    private static bool WriteIcmpFilter(ref CallWriter writer, uint value)
    {
        const int types = 32;
        if (!writer.IsJson && BitOperations.PopCount(value) > types / 2)
        {
            writer.TextOnly("~"u8);
            value = ~value;
        }

        bool isFirst = true;
        writer.BeginArray();
        for (int type = 0; type < types; type++)
        {
            if ((value >> type & 1) == 0)
                continue;
            if (writer.IsJson)
                writer.Item();
            else if (!isFirst)
                writer.TextOnly(" "u8);
            isFirst = false;
            writer.Name(FlagSets.IcmpTypes, (uint)type);
        }

        writer.EndArray();
        return true;
    }

    private static bool WriteMember6(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.BeginStruct();
        SocketAddress.WriteInet6(ref writer, bytes[..16], "ipv6mr_multiaddr"u8);
        writer.Field("ipv6mr_interface"u8);
        SocketAddress.WriteInterface(ref writer, bytes.U32(16));
        writer.EndStruct();
        return true;
    }

    private static bool WritePacketMember(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        int length = Math.Min((int)bytes.U16(6), 8);
        writer.BeginStruct();
        writer.Field("mr_ifindex"u8);
        SocketAddress.WriteInterface(ref writer, bytes.U32(0));
        writer.Field("mr_type"u8);
        writer.Name(FlagSets.PacketMembership, bytes.U16(4));
        writer.Field("mr_alen"u8, bytes.U16(6));
        writer.Field("mr_address"u8);
        writer.Quote();
        for (int index = 0; index < length; index++)
        {
            if (index > 0)
                writer.Line.Append((byte)':');
            writer.Line.AppendHex(bytes[8 + index], digits: 2);
        }

        writer.Quote();
        writer.EndStruct();
        return true;
    }

    private static bool WriteRing(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.BeginStruct();
        writer.Field("tp_block_size"u8, bytes.U32(0));
        writer.Field("tp_block_nr"u8, bytes.U32(4));
        writer.Field("tp_frame_size"u8, bytes.U32(8));
        writer.Field("tp_frame_nr"u8, bytes.U32(12));
        if (bytes.Length >= 28)
        {
            writer.Field("tp_retire_blk_tov"u8, bytes.U32(16));
            writer.Field("tp_sizeof_priv"u8, bytes.U32(20));
            writer.Field("tp_feature_req_word"u8);
            writer.Hex(bytes.U32(24));
        }

        writer.EndStruct();
        return true;
    }
}
