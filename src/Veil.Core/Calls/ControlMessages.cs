// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>What a message of a socket has beside its data: <c>struct cmsghdr</c> and what is in each.</summary>
internal static class ControlMessages
{
    private const uint SolSocket = 1, SolIp = 0;

    // Of SOL_SOCKET: include/linux/socket.h, include/uapi/asm-generic/socket.h.
    private const uint Rights = 1, Credentials = 2, Security = 3, PidFd = 4, TimestampOld = 29, TimestampNsOld = 35, TimestampingOld = 37,
        TimestampNew = 63, TimestampNsNew = 64, TimestampingNew = 65;

    // Of SOL_IP: include/uapi/linux/in.h.
    private const uint IpTos = 1, IpTtl = 2, IpRecvOpts = 6, IpRetOpts = 7, IpPktInfo = 8, IpRecvErr = 11,
        IpOrigDstAddr = 20, IpChecksum = 23;

    /// <summary>Writes all of them.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="call">The call.</param>
    /// <param name="chunk">What was read.</param>
    /// <param name="size">The bytes that there are.</param>
    public static void Write(ref CallWriter writer, in CallView call, in CallChunk chunk, ulong size)
    {
        int word = call.WordBytes, header = word + 8;
        var bytes = chunk.Bytes;
        ulong at = 0;
        writer.BeginArray();
        while (at + (ulong)header <= size)
        {
            if (at + (ulong)header > (ulong)bytes.Length)
            {
                writer.More();
                break;
            }

            var one = bytes[(int)at..];
            ulong length = one.UWord(0, word);
            uint level = one.U32(word), type = one.U32(word + 4);
            writer.Item();
            writer.BeginStruct();
            writer.Field("cmsg_len"u8, length);
            writer.Field("cmsg_level"u8);
            if (FlagSets.SocketLevels.NameOf(level) is { IsEmpty: false } name)
                writer.Word(name);
            else
                WriteUnknownLevel(ref writer, level);
            writer.Field("cmsg_type"u8);
            WriteType(ref writer, level, type);
            if (length > (ulong)header && Math.Min(length, size - at) > (ulong)header)
            {
                writer.Field("cmsg_data"u8);
                ulong there = Math.Min(length, size - at);
                WriteData(
                    ref writer, one[header..(int)Math.Min(there, (ulong)one.Length)], level, type, word, there > (ulong)one.Length);
            }

            writer.EndStruct();
            if (length < (ulong)header)
            {
                if (writer.IsJson)
                    break;
                writer.More();
                writer.TextOnly(" /* "u8);
                writer.AppendHex(chunk.Address + at + (ulong)header);
                writer.TextOnly(" */"u8);
                break;
            }

            // A length of any size must not turn the sum around.
            if (length > size - at)
                break;
            at += (length + (ulong)word - 1) & ~((ulong)word - 1);
        }

        writer.EndArray();
    }

    private static void WriteUnknownLevel(ref CallWriter writer, uint level)
    {
        writer.Hex(level);
        writer.Remark("SOL_???"u8);
    }

    private static void WriteType(ref CallWriter writer, uint level, uint type)
    {
        switch (level)
        {
            case SolSocket:
                writer.Name(FlagSets.ControlMessages, type);
                break;
            case SolIp:
                writer.Name(FlagSets.IpControlMessages, type);
                break;
            default:
                writer.Hex(type);
                break;
        }
    }

    private static void WriteData(ref CallWriter writer, ReadOnlySpan<byte> data, uint level, uint type, int word, bool isCut)
    {
        bool isWritten = level switch
        {
            SolSocket => TryWriteSocket(ref writer, data, type, word, isCut),
            SolIp => TryWriteIp(ref writer, data, type),
            _ => false,
        };
        if (!isWritten && level == SolSocket && type is TimestampOld or TimestampNsOld or TimestampingOld or TimestampNew
            or TimestampNsNew or TimestampingNew)
            writer.Word("???"u8);
        else if (!isWritten)
            FileArguments.HexString(ref writer, data, isCut);
    }

    private static bool TryWriteSocket(ref CallWriter writer, ReadOnlySpan<byte> data, uint type, int word, bool isCut)
    {
        switch (type)
        {
            case Rights when data.Length >= 4:
                writer.BeginArray();
                for (; data.Length >= 4; data = data[4..])
                {
                    writer.Item();
                    writer.Number(data.I32(0));
                }

                if (isCut)
                    writer.More();
                writer.EndArray();
                return true;
            case Credentials when data.Length >= 12:
                WriteCredentials(ref writer, data);
                return true;
            case Security:
                writer.String(data, isCut);
                return true;
            case PidFd when data.Length >= 4:
                writer.Number(data.I32(0));
                return true;
            case TimestampOld or TimestampNsOld when data.Length >= 2 * word:
                Times.Write(ref writer, data[..(2 * word)], word, type == TimestampOld);
                return true;
            case TimestampNew or TimestampNsNew when data.Length >= 16:
                Times.Write(ref writer, data[..16], 8, type == TimestampNew);
                return true;
            case TimestampingOld when data.Length == 6 * word:
                WriteTimes(ref writer, data, word);
                return true;
            case TimestampingNew when data.Length == 48:
                WriteTimes(ref writer, data, 8);
                return true;
            default:
                return false;
        }
    }

    private static bool TryWriteIp(ref CallWriter writer, ReadOnlySpan<byte> data, uint type)
    {
        switch (type)
        {
            case IpPktInfo when data.Length >= 12:
                writer.BeginStruct();
                writer.Field("ipi_ifindex"u8);
                SocketAddress.WriteInterface(ref writer, data.U32(0));
                writer.Field("ipi_spec_dst"u8);
                SocketAddress.WriteInet(ref writer, data[4..8]);
                writer.Field("ipi_addr"u8);
                SocketAddress.WriteInet(ref writer, data[8..12]);
                writer.EndStruct();
                return true;
            case IpTtl or IpChecksum when data.Length >= 4:
                writer.BeginArray();
                for (; data.Length >= 4; data = data[4..])
                {
                    writer.Item();
                    writer.Unsigned(data.U32(0));
                }

                writer.EndArray();
                return true;
            case IpTos or IpRecvOpts or IpRetOpts:
                writer.BeginArray();
                foreach (byte value in data)
                {
                    writer.Item();
                    writer.Hex(value);
                }

                writer.EndArray();
                return true;
            case IpOrigDstAddr when data.Length >= 16:
                SocketAddress.Write(ref writer, data);
                return true;
            case IpRecvErr when data.Length >= 32:
                writer.BeginStruct();
                writer.Field("ee_errno"u8, data.U32(0));
                writer.Field("ee_origin"u8, data[4]);
                writer.Field("ee_type"u8, data[5]);
                writer.Field("ee_code"u8, data[6]);
                writer.Field("ee_info"u8, data.U32(8));
                writer.Field("ee_data"u8, data.U32(12));
                writer.Field("offender"u8);
                SocketAddress.Write(ref writer, data[16..32]);
                writer.EndStruct();
                return true;
            default:
                return false;
        }
    }

    /// <summary><c>struct ucred</c>, as far as it is there.</summary>
    public static void WriteCredentials(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.BeginStruct();
        writer.Field("pid"u8, bytes.I32(0));
        if (bytes.Length >= 8)
        {
            writer.Field("uid"u8);
            WriteId(ref writer, bytes.U32(4));
        }

        if (bytes.Length >= 12)
        {
            writer.Field("gid"u8);
            WriteId(ref writer, bytes.U32(8));
        }

        writer.EndStruct();
    }

    private static void WriteId(ref CallWriter writer, uint id)
    {
        if (id == uint.MaxValue)
            writer.Number(-1);
        else
            writer.Unsigned(id);
    }

    private static void WriteTimes(ref CallWriter writer, ReadOnlySpan<byte> data, int word)
    {
        writer.BeginArray();
        for (int index = 0; index < 3; index++)
        {
            writer.Item();
            Times.Write(ref writer, data.Slice(index * 2 * word, 2 * word), word, isMicro: false);
        }

        writer.EndArray();
    }
}
