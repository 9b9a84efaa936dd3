// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>Messages of netlink: their headers, what is behind them in hexadecimal.</summary>
internal static class NetlinkMessages
{
    // include/uapi/linux/netlink.h
    private const int HeaderBytes = 16;
    private const ushort Error = 2, Done = 3, FirstOfProtocol = 16;
    private const int Route = 0;

    /// <summary>Writes the messages in a buffer, as far as they were read.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="bytes">What was read.</param>
    /// <param name="size">The bytes that there are.</param>
    /// <param name="protocol">The protocol, which the types belong to; negative: not known.</param>
    public static void Write(ref CallWriter writer, ReadOnlySpan<byte> bytes, ulong size, int protocol)
    {
        if (bytes.Length < HeaderBytes || size < HeaderBytes)
        {
            FileArguments.HexString(ref writer, bytes, size > (ulong)bytes.Length);
            return;
        }

        ulong length = Aligned(bytes);
        bool isArray = length >= HeaderBytes && length + HeaderBytes <= size;
        if (isArray)
            writer.BeginArray();
        while (true)
        {
            if (isArray)
                writer.Item();
            WriteOne(ref writer, bytes, size, protocol);
            length = Aligned(bytes);
            if (length < HeaderBytes || length + HeaderBytes > size)
                break;
            size -= length;
            if (length + HeaderBytes > (ulong)bytes.Length)
            {
                writer.More();
                break;
            }

            bytes = bytes[(int)length..];
        }

        if (isArray)
            writer.EndArray();
    }

    private static ulong Aligned(ReadOnlySpan<byte> bytes) => (bytes.U32(0) + 3ul) & ~3ul;

    private static void WriteOne(ref CallWriter writer, ReadOnlySpan<byte> bytes, ulong size, int protocol)
    {
        ushort type = bytes.U16(4);
        ulong length = Math.Min(bytes.U32(0), size);
        if (length > HeaderBytes)
        {
            writer.BeginArray();
            writer.Item();
        }

        writer.BeginStruct();
        writer.Field("nlmsg_len"u8, bytes.U32(0));
        writer.Field("nlmsg_type"u8);
        bool isRoute = protocol == Route && type >= FirstOfProtocol;
        writer.Name(isRoute ? FlagSets.RtnetlinkTypes : FlagSets.NetlinkTypes, type);
        writer.Field("nlmsg_flags"u8);
        // RTM_NEW…, RTM_DEL…, RTM_GET…, RTM_SET…: include/uapi/linux/rtnetlink.h
        writer.Flags(!isRoute ? FlagSets.NetlinkFlags : (type & 3) switch
        {
            0 => FlagSets.NetlinkNewFlags,
            2 => FlagSets.NetlinkGetFlags,
            _ => FlagSets.NetlinkFlags,
        }, bytes.U16(6));
        writer.Field("nlmsg_seq"u8, bytes.U32(8));
        writer.Field("nlmsg_pid"u8, bytes.U32(12));
        writer.EndStruct();
        if (length <= HeaderBytes)
            return;
        writer.Item();
        WriteBody(ref writer, bytes[HeaderBytes..(int)Math.Min(length, (ulong)bytes.Length)], type, length - HeaderBytes);
        writer.EndArray();
    }

    private static void WriteBody(ref CallWriter writer, ReadOnlySpan<byte> body, ushort type, ulong size)
    {
        if (type == Done && body.Length >= 4)
        {
            writer.Number(body.I32(0));
            return;
        }

        if (type == Error && body.Length >= 4)
        {
            int error = body.I32(0);
            writer.BeginStruct();
            writer.Field("error"u8);
            if (error < 0 && Errno.NameUtf8(-error) is { IsEmpty: false } name)
            {
                writer.Quote();
                writer.Line.Append((byte)'-');
                writer.Line.Append(name);
                writer.Quote();
            }
            else
            {
                writer.Number(error);
            }

            // The message that it answers was not read.
            if (size > 4)
                writer.More();
            writer.EndStruct();
            return;
        }

        var shown = writer.Cut(body);
        FileArguments.HexString(ref writer, shown, size > (ulong)shown.Length);
    }
}
