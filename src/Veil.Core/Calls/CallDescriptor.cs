// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Core.Calls;

/// <summary>What a descriptor stands for, as strace's <c>-y</c> and <c>-yy</c> write it.</summary>
internal static class CallDescriptor
{
    private const ulong BlockBit = 1UL << 32, SemaphoreBit = 1UL << 63;
    private const int MinorBits = 20; // include/linux/kdev_t.h

    /// <summary>Writes it behind the number, in angle brackets; nothing where it is not known, and in JSON, which has it
    /// elsewhere.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="call">The call.</param>
    /// <param name="arg">The argument, or <see cref="CallView.ReturnArg"/>.</param>
    /// <param name="index">Of an array of descriptors, which.</param>
    public static void Write(ref CallWriter writer, in CallView call, int arg, int index = 0)
    {
        writer.DescribedResult |= arg == CallView.ReturnArg;
        if (writer.IsJson || writer.Options.Descriptors == DescriptorDetail.None || !TryFind(call, arg, index, out var chunk))
            return;
        bool isAll = writer.Options.Descriptors == DescriptorDetail.All;
        ref var line = ref writer.Line;
        line.Append((byte)'<');
        if (chunk.Kind == CallChunkKind.Socket)
            new CallSocket(chunk.Bytes).Append(ref line, isAll);
        else if (chunk.Kind == CallChunkKind.Text)
            CallEscaping.Append(ref line, chunk.Bytes);
        else if (!isAll || !HasDetail(chunk) || !TryWriteInstead(ref writer, chunk))
            AppendPath(ref line, chunk, isAll);
        line.Append((byte)'>');
        if ((chunk.Marks & CallChunkMarks.Deleted) != CallChunkMarks.None)
            line.Append("(deleted)"u8);
    }

    /// <summary>Writes it as a string of JSON.</summary>
    public static void WriteJson(ref LineWriter line, in CallChunk chunk, CallOptions options)
    {
        line.Append((byte)'"');
        if (chunk.Kind == CallChunkKind.Socket)
        {
            var text = new LineWriter(stackalloc byte[CallSocket.TextBytesMax]);
            new CallSocket(chunk.Bytes).Append(ref text, options.Descriptors == DescriptorDetail.All);
            Escaping.AppendJson(ref line, text.Written);
        }
        else
        {
            Escaping.AppendJson(ref line, chunk.Bytes);
        }

        line.Append((byte)'"');
    }

    /// <summary>Is it known what a descriptor stands for?</summary>
    public static bool TryFind(scoped in CallView call, int arg, int index, out CallChunk chunk)
    {
        chunk = call.Find(arg, CallChunkKind.Path, index);
        if (!chunk.IsRead)
            chunk = call.Find(arg, CallChunkKind.Socket, index);
        if (!chunk.IsRead)
            chunk = call.Find(arg, CallChunkKind.Text, index);
        return chunk.IsRead;
    }

    private static bool HasDetail(in CallChunk chunk) => (chunk.Marks & CallChunkMarks.Detailed) != CallChunkMarks.None;

    private static void AppendPath(ref LineWriter line, in CallChunk chunk, bool isAll)
    {
        var path = chunk.Bytes;
        if ((chunk.Marks & CallChunkMarks.Deleted) != CallChunkMarks.None && path.EndsWith(EventPart.DeletedSuffix))
            path = path[..^EventPart.DeletedSuffix.Length];
        CallEscaping.Append(ref line, path, inBrackets: true);
        ulong detail = chunk.Address;
        if (!isAll || !HasDetail(chunk) || path.StartsWith("anon_inode:"u8))
            return;
        line.Append((detail & BlockBit) != 0 ? "<block "u8 : "<char "u8);
        line.Append((ulong)((uint)detail >> MinorBits));
        line.Append((byte)':');
        line.Append((ulong)((uint)detail & ((1u << MinorBits) - 1)));
        line.Append((byte)'>');
    }

    // What strace shows instead of the path: syscall_file_detail() in arguments.bpf.h says what is in the word.
    private static bool TryWriteInstead(ref CallWriter writer, in CallChunk chunk)
    {
        ref var line = ref writer.Line;
        ulong detail = chunk.Address;
        if (chunk.Bytes.SequenceEqual("anon_inode:[pidfd]"u8))
        {
            line.Append("pid:"u8);
            line.Append((ulong)(uint)detail);
        }
        else if (chunk.Bytes.SequenceEqual("anon_inode:[signalfd]"u8))
        {
            line.Append("signalfd:"u8);
            SignalSet.Write(ref writer, detail);
        }
        else if (chunk.Bytes.SequenceEqual("anon_inode:[eventfd]"u8))
        {
            line.Append("{eventfd-count=0x"u8);
            line.AppendHex((uint)detail);
            line.Append(", eventfd-id="u8);
            line.Append((detail & ~SemaphoreBit) >> 32);
            line.Append((detail & SemaphoreBit) != 0 ? ", eventfd-semaphore=1}"u8 : ", eventfd-semaphore=0}"u8);
        }
        else
        {
            return false;
        }

        return true;
    }
}
