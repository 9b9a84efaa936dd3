// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>An argument that points to a <c>struct msghdr</c>, or to several <c>struct mmsghdr</c>.</summary>
/// <param name="isOutput">Does the call fill it?</param>
/// <param name="count">The argument that says how many; -1: it is one <c>struct msghdr</c>.</param>
internal sealed class MessageArgument(bool isOutput, int count = -1) : Argument
{
    // The kernel's side reads no more of them, and marks a message by its number times this.
    private const int MessagesMax = 8;

    public override CallReader Input(int position, CallOptions options, bool is32Bit)
    {
        if (!isOutput)
            return Parts(options);
        // What the caller gave, of which the length of the address is shown.
        int bytes = 8 * (is32Bit ? 4 : 8);
        return count < 0 ? new(CallRead.Fixed, HeaderBytes(is32Bit), HeaderBytes(is32Bit))
            : new(CallRead.Counted, bytes, MessagesMax * bytes, count);
    }

    public override CallReader Output(int position, CallOptions options, bool is32Bit)
    {
        int bytes = 8 * (is32Bit ? 4 : 8);
        return isOutput ? Parts(options) : count < 0 ? default : new(CallRead.Result, bytes, MessagesMax * bytes);
    }

    public override void Write(ref CallWriter writer, in CallView call, int position)
    {
        if (count < 0)
            WriteOne(ref writer, call, position);
        else
            WriteSeveral(ref writer, call, position);
    }

    private static int HeaderBytes(bool is32Bit) => 7 * (is32Bit ? 4 : 8);

    private CallReader Parts(CallOptions options) =>
        count < 0 ? new(CallRead.Message, 1, options.StringSize) : new(CallRead.Messages, 1, options.StringSize, count);

    private void WriteOne(ref CallWriter writer, in CallView call, int position)
    {
        int size = HeaderBytes(call.Is32Bit);
        var before = call.Find(position);
        var header = isOutput ? call.Find(position, output: true) : before;
        if (header.Has(size))
        {
            ulong filled = isOutput && call.HasSucceeded ? (ulong)call.Ret : ulong.MaxValue;
            WriteHeader(ref writer, call, position, header.Bytes, isOutput && before.IsRead ? before.Bytes : default, filled);
        }
        else if (isOutput && call.HasFailed && before.Has(size))
        {
            writer.BeginStruct();
            writer.Field("msg_namelen"u8, before.Bytes.I32(call.WordBytes));
            writer.EndStruct();
        }
        else
        {
            writer.Address(call[position]);
        }
    }

    private void WriteSeveral(ref CallWriter writer, in CallView call, int position)
    {
        int word = call.WordBytes, size = 8 * word, needed = HeaderBytes(call.Is32Bit);
        ulong number = isOutput ? call.HasSucceeded ? (ulong)call.Ret : 0 : (uint)call[count];
        bool isEmpty = call[position] != 0 && number == 0 && !(isOutput && call.HasFailed);
        // At the beginning of what receives, at the end of what sends.
        var others = isOutput ? call.Find(position).Bytes : call.Find(position, output: true).Bytes;
        var first = call.Find(position, output: isOutput);
        if (!isEmpty && (number == 0 || !first.Has(needed)))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        int index = 0;
        for (; (ulong)index < number && index < MessagesMax; index++)
        {
            int arg = position + (index * MessagesMax);
            var header = index == 0 ? first : call.Find(arg, output: isOutput);
            if (!header.Has(needed))
                break;
            var other = others.Length >= (index + 1) * size ? others.Slice(index * size, size) : default;
            var lengthOf = isOutput ? header.Bytes : other;
            bool isDone = call.HasSucceeded && index < call.Ret && lengthOf.Length >= size;
            writer.Item();
            writer.BeginStruct();
            writer.Field("msg_hdr"u8);
            WriteHeader(ref writer, call, arg, header.Bytes, isOutput ? other : default,
                isOutput && isDone ? lengthOf.U32(needed) : ulong.MaxValue);
            if (isDone)
            {
                writer.Field("msg_len"u8, lengthOf.U32(needed));
            }

            writer.EndStruct();
        }

        var after = call.Find(position + (index * MessagesMax), output: isOutput);
        if ((ulong)index < number && index < MessagesMax && after.Exists && !after.Has(needed))
            writer.More(after.Address);
        else if ((ulong)index < number)
            writer.More();
        writer.EndArray();
    }

    // `before` is the structure before the call; empty where it does not change.
    private void WriteHeader(ref CallWriter writer, in CallView call, int arg, ReadOnlySpan<byte> header, ReadOnlySpan<byte> before,
        ulong filled)
    {
        int word = call.WordBytes;
        ulong name = header.UWord(0, word), vector = header.UWord(2, word), number = header.UWord(3, word), control = header.UWord(4, word);
        int nameLength = header.I32(word), room = before.Length > 2 * word ? before.I32(word) : nameLength;
        ulong controlLength = header.UWord(5, word);
        var nameChunk = call.Find(arg, CallChunkKind.Name, output: isOutput);
        int nameSize = nameChunk.IsRead ? Math.Min(Math.Min(nameLength, room), nameChunk.Bytes.Length) : 0;
        bool isNetlink = (nameSize >= 2 && SocketAddress.FamilyOf(nameChunk.Bytes) == SocketAddress.Netlink)
            || CallSocket.NetlinkProtocol(call, 0) >= 0;

        writer.BeginStruct();
        writer.Field("msg_name"u8);
        if (nameSize < 2)
            writer.Address(name);
        else
            SocketAddress.Write(ref writer, nameChunk.Bytes[..nameSize]);
        writer.Field("msg_namelen"u8, writer.IsJson ? nameLength : room);
        if (nameLength != room && !writer.IsJson)
        {
            writer.TextOnly(" => "u8);
            writer.Number(nameLength);
        }

        writer.Field("msg_iov"u8);
        var structs = call.Find(arg, CallChunkKind.Vector, output: isOutput);
        if (vector != 0 && (number == 0 || structs.Has(2 * word)))
            VectorArgument.WriteParts(ref writer, call, arg, number == 0 ? default : structs, number, filled, isOutput, isNetlink);
        else
            writer.Address(vector);
        writer.Field("msg_iovlen"u8, number);
        if (controlLength != 0)
        {
            var data = call.Find(arg, CallChunkKind.Control, output: isOutput);
            writer.Field("msg_control"u8);
            if (data.Has(word + 8))
                ControlMessages.Write(ref writer, call, data, controlLength);
            else
                writer.Address(control);
        }

        writer.Field("msg_controllen"u8, controlLength);
        writer.Field("msg_flags"u8);
        writer.Flags(FlagSets.MsgFlags, header.U32(6 * word));
        writer.EndStruct();
    }
}
