// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary>Calls on sockets.</summary>
internal static class SocketCalls
{
    // include/linux/socket.h
    private const uint AfInet = 2, AfInet6 = 10, AfNetlink = 16, AfPacket = 17, AfCan = 29, AfBluetooth = 31, AfRxrpc = 33,
        AfAx25 = 3, AfIrda = 23, AfIsdn = 34, AfPhonet = 35, AfCaif = 37, AfNfc = 39, AfKcm = 41, AfSmc = 43;

    private const uint TypeMask = 0xf; // SOCK_TYPE_MASK
    private const int NameAt = 4;

    private static readonly Argument s_domain = Enum(FlagSets.SocketDomain);
    private static readonly Argument s_type = new OwnArgument(Type);
    private static readonly Argument s_flags = Flags(FlagSets.MsgFlags);
    private static readonly Argument s_address = new SocketAddressArgument(2);
    private static readonly Argument s_outAddress = new OutSocketAddressArgument(2);
    private static readonly Argument s_length = new LengthArgument(isShownAlone: false);

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        new("socket", s_domain, s_type, new OwnArgument(Protocol)) { Result = CallResult.Descriptor },
        new("socketpair", s_domain, s_type, UInt, new DescriptorPairArgument()),
        new("bind", Fd, s_address, Int),
        new("connect", Fd, s_address, Int),
        new("listen", Fd, Int),
        new("accept", Fd, s_outAddress, s_length) { Result = CallResult.Descriptor },
        new("accept4", Fd, s_outAddress, s_length, Flags(FlagSets.SocketFlags)) { Result = CallResult.Descriptor },
        new("getsockname", Fd, s_outAddress, s_length),
        new("getpeername", Fd, s_outAddress, s_length),
        new("shutdown", Fd, Enum(FlagSets.SocketShutdown)),
        new("send", Fd, InBuffer(2), Size, s_flags),
        new("recv", Fd, new ReceivedArgument(), Size, s_flags),
        new("sendto", Fd, new SentArgument(), Size, s_flags, new SocketAddressArgument(5), Int) { NeedsSocket = true },
        new("recvfrom", Fd, new ReceivedArgument(), Size, s_flags, new OutSocketAddressArgument(5), s_length)
        {
            NeedsSocket = true,
        },
        new("sendmsg", Fd, new MessageArgument(isOutput: false), s_flags) { NeedsSocket = true },
        new("recvmsg", Fd, new MessageArgument(isOutput: true), s_flags) { NeedsSocket = true },
        new("sendmmsg", Fd, new MessageArgument(isOutput: false, 2), UInt, s_flags),
        new("recvmmsg", Fd, new MessageArgument(isOutput: true, 2), UInt, s_flags, WaitCalls.Timeout(isOld: true))
        {
            ResultWriter = ReceivedSeveral,
        },
        new("recvmmsg_time64", Fd, new MessageArgument(isOutput: true, 2), UInt, s_flags, WaitCalls.Timeout(isOld: false))
        {
            ResultWriter = ReceivedSeveral,
        },
        // What it asks for is shown; this is one that nobody knows.
        new("socketcall", new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
        {
            if (FlagSets.SocketcallCalls.NameOf((uint)call[position]) is { IsEmpty: false } name)
                writer.Word(name);
            else
                writer.Number(call.Int(position));
        }), Address)
        {
            SelectedBy = 0,
            Variants = Enumerable.Range(1, SocketcallTable.Count).ToDictionary(static call => (uint)call, static call =>
                new CallSpec(SocketcallTable.NameOf(call)) { Packed = 1 }),
        },
        new("setsockopt", Fd, Enum(FlagSets.SocketLevels), new OwnArgument(OptionToSet), new SetOptionArgument(), Int),
        new("getsockopt", Fd, Enum(FlagSets.SocketLevels), new OwnArgument(OptionToGet), new GetOptionArgument(),
            new LengthArgument(isShownAlone: true)),
    ];

    // A type, and flags beside it: of a type that has no name all is one number.
    private static void Type(ref CallWriter writer, in CallView call, int position)
    {
        uint value = (uint)call[position], flags = value & ~TypeMask;
        var type = FlagSets.SocketTypes.NameOf(value & TypeMask);
        if (type.IsEmpty)
        {
            writer.Flags(FlagSets.SocketFlags, value);
            return;
        }

        writer.Quote();
        writer.Line.Append(type);
        if (flags != 0)
        {
            writer.Line.Append((byte)'|');
            if (FlagSets.SocketFlags.Format(ref writer.Line, flags) == 0)
                writer.Remark("SOCK_???"u8);
        }

        writer.Quote();
    }

    private static void Protocol(ref CallWriter writer, in CallView call, int position)
    {
        uint protocol = (uint)call[position];
        switch ((uint)call[0])
        {
            case AfInet or AfInet6:
                writer.Name(FlagSets.IpProto, protocol);
                break;
            case AfNetlink:
                writer.Name(FlagSets.NetlinkFamilies, protocol);
                break;
            case AfPacket:
                SocketAddress.WriteEthernet(ref writer, (ushort)protocol);
                break;
            case AfCan:
                writer.Name(FlagSets.CanProtocols, protocol);
                break;
            case AfAx25:
                Named(ref writer, protocol, "AX25_P_"u8, AxProtocol(protocol));
                break;
            case AfIrda:
                Named(ref writer, protocol, "IRDAPROTO_"u8, protocol switch { 0 => "UNITDATA"u8, 1 => "ULTRA"u8, _ => default });
                break;
            case AfIsdn:
                Named(ref writer, protocol, "ISDN_P_"u8, protocol == 0 ? "BASE"u8 : default);
                break;
            case AfPhonet:
                Named(ref writer, protocol, "PN_PROTO_"u8, protocol switch
                {
                    0 => "TRANSPORT"u8,
                    1 => "PHONET"u8,
                    2 => "PIPE"u8,
                    _ => default
                });
                break;
            case AfCaif:
                Named(ref writer, protocol, "CAIFPROTO_"u8, protocol switch
                {
                    0 => "AT"u8,
                    1 => "DATAGRAM"u8,
                    2 => "DATAGRAM_LOOP"u8,
                    3 => "UTIL"u8,
                    4 => "RFM"u8,
                    5 => "DEBUG"u8,
                    _ => default,
                });
                break;
            case AfNfc:
                Named(ref writer, protocol, "NFC_SOCKPROTO_"u8, protocol switch { 0 => "RAW"u8, 1 => "LLCP"u8, _ => default });
                break;
            case AfKcm:
                Named(ref writer, protocol, "KCMPROTO_"u8, protocol == 0 ? "CONNECTED"u8 : default);
                break;
            case AfSmc:
                Named(ref writer, protocol, "SMCPROTO_"u8, protocol switch { 0 => "SMC"u8, 1 => "SMC6"u8, _ => default });
                break;
            case AfBluetooth:
                writer.Name(FlagSets.BluetoothProtocols, protocol);
                break;
            case AfRxrpc:
                writer.Name(FlagSets.SocketDomain, protocol);
                break;
            default:
                writer.Unsigned(call[position]);
                break;
        }
    }

    private static void Named(ref CallWriter writer, uint value, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> name)
    {
        writer.Quote();
        if (name.IsEmpty)
        {
            writer.AppendHex(value);
            writer.TextOnly(" /* "u8);
            writer.TextOnly(prefix);
            writer.TextOnly("??? */"u8);
        }
        else
        {
            writer.Line.Append(prefix);
            writer.Line.Append(name);
        }

        writer.Quote();
    }

    private static ReadOnlySpan<byte> AxProtocol(uint protocol) => protocol switch
    {
        0x01 => "ROSE"u8,
        0x06 => "VJCOMP"u8,
        0x07 => "VJUNCOMP"u8,
        0x08 => "SEGMENT"u8,
        0xc3 => "TEXNET"u8,
        0xc4 => "LQ"u8,
        0xca => "ATALK"u8,
        0xcb => "ATALK_ARP"u8,
        0xcc => "IP"u8,
        0xcd => "ARP"u8,
        0xce => "FLEXNET"u8,
        0xcf => "NETROM"u8,
        0xf0 => "TEXT"u8,
        _ => default,
    };

    private static void OptionToSet(ref CallWriter writer, in CallView call, int position) =>
        SocketOptions.WriteName(ref writer, (uint)call[1], (uint)call[position], isGet: false);

    private static void OptionToGet(ref CallWriter writer, in CallView call, int position) =>
        SocketOptions.WriteName(ref writer, (uint)call[1], (uint)call[position], isGet: true);

    private static void ReceivedSeveral(ref CallWriter writer, in CallView call)
    {
        writer.Number(call.Ret);
        if (call.Ret == 0)
            writer.TextOnly(" (Timeout)"u8);
        else if (call.Find(4, output: true).IsRead)
            WaitCalls.WriteLeft(ref writer, call, 4);
    }

    /// <summary>What is sent, with the length after it.</summary>
    private sealed class SentArgument : Argument
    {
        public override CallReader Input(int position, CallOptions options, bool is32Bit) =>
            new(CallRead.Counted, 1, options.StringSize, position + 1);

        public override void Write(ref CallWriter writer, in CallView call, int position)
        {
            var chunk = call.Find(position);
            if (TryWriteAddress(ref writer, call, position, chunk))
                return;
            int protocol = CallSocket.NetlinkProtocol(call, 0);
            if (protocol >= 0 || SocketAddress.FamilyOf(call.Find(NameAt).Bytes) == SocketAddress.Netlink)
                NetlinkMessages.Write(ref writer, chunk.Bytes, call[position + 1], protocol);
            else
                writer.String(chunk.Bytes, chunk.IsTruncated);
        }
    }

    /// <summary>What was received: with MSG_TRUNC the call returns more than there was room for.</summary>
    private sealed class ReceivedArgument : Argument
    {
        public override CallReader Output(int position, CallOptions options, bool is32Bit) => new(CallRead.Result, 1, options.StringSize);

        public override void Write(ref CallWriter writer, in CallView call, int position)
        {
            ulong size = call.HasSucceeded ? Math.Min((ulong)call.Ret, call[position + 1]) : 0;
            var chunk = call.Find(position, output: true);
            if (call.HasSucceeded && size == 0 && call[position] != 0)
            {
                writer.String([], false);
                return;
            }

            if (TryWriteAddress(ref writer, call, position, chunk))
                return;
            var bytes = chunk.Bytes[..(int)Math.Min((ulong)chunk.Bytes.Length, size)];
            int protocol = CallSocket.NetlinkProtocol(call, 0);
            if (protocol >= 0 || SocketAddress.FamilyOf(call.Find(NameAt, output: true).Bytes) == SocketAddress.Netlink)
                NetlinkMessages.Write(ref writer, bytes, size, protocol);
            else
                writer.String(bytes, size > (ulong)bytes.Length);
        }
    }

    /// <summary>The value that an option gets.</summary>
    private sealed class SetOptionArgument : Argument
    {
        public override CallReader Input(int position, CallOptions options, bool is32Bit) =>
            new(CallRead.Counted, 1, Math.Max(options.StringSize, SocketOptions.SizeMax), position + 1);

        public override void Write(ref CallWriter writer, in CallView call, int position)
        {
            var chunk = call.Find(position);
            int size = call.Int(position + 1);
            if (!(chunk.IsRead || chunk.IsPartial) || size < 0 || !SocketOptions.TryWriteValue(ref writer, (uint)call[1], (uint)call[2],
                chunk.Bytes, size, isGet: false, call.WordBytes))
                writer.Address(call[position]);
        }
    }

    /// <summary>The value that an option has.</summary>
    private sealed class GetOptionArgument : Argument
    {
        public override CallReader Output(int position, CallOptions options, bool is32Bit) =>
            new(CallRead.Pointed, 1, Math.Max(options.StringSize, SocketOptions.SizeMax), position + 1);

        public override void Write(ref CallWriter writer, in CallView call, int position)
        {
            var chunk = call.Find(position, output: true);
            int size = LengthArgument.Smaller(call, position + 1);
            if (call.HasFailed || !chunk.IsRead || size <= 0 || !SocketOptions.TryWriteValue(ref writer, (uint)call[1], (uint)call[2],
                chunk.Bytes[..Math.Min(size, chunk.Bytes.Length)], size, isGet: true, call.WordBytes))
                writer.Address(call[position]);
        }
    }
}
