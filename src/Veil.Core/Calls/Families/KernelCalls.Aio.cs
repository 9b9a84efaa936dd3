// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

internal static partial class KernelCalls
{
    // include/uapi/linux/aio_abi.h
    private const int RequestBytes = 64, EventBytes = 32;
    private const int RequestsMax = 8; // SYSCALL_REQUESTS_MAX
    private const ushort OpRead = 0, OpWrite = 1, OpPoll = 5, OpReadVector = 7, OpWriteVector = 8;

    private static readonly StructLayout s_aioEvent = new(StructField.Hex64("data"), StructField.Hex64("obj"),
        new StructField("res", 8, 8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes,
            in CallView _) => writer.Number(bytes.I64(0))),
        new StructField("res2", 8, 8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
            writer.Number(bytes.I64(0))));

    private static readonly Argument s_aioEvents = new ArrayArgument(EventBytes, -1, s_aioEvent.Write);

    private static IEnumerable<CallSpec> Aio =>
    [
        new("io_setup", UInt, Pointers.OutAddress),
        new("io_destroy", Address),
        new("io_submit", Address, Long, new OwnArgument(Submitted) { Begin = new(CallRead.Requests, 8, 8, 1) }),
        new("io_cancel", Address, new StructArgument(RequestBytes, Cancelled), new StructArgument(EventBytes, s_aioEvent.Write)
        {
            IsOutput = true,
        }),
        new("io_getevents", Address, Long, Long, s_aioEvents, s_aioTimeout),
        new("io_pgetevents", Address, Long, Long, s_aioEvents, s_aioTimeout, WaitCalls.MaskWithSize)
        {
            Nested = [new(5, 0, CallRead.Fixed, 8)],
        },
    ];

    private static Argument s_aioTimeout => new StructArgument(16, static (ref CallWriter writer, ReadOnlySpan<byte> bytes,
        in CallView _) =>
        Times.Write(ref writer, bytes, bytes.Length / 2, isMicro: false))
    { Size32 = 8 };

    private static void Submitted(ref CallWriter writer, in CallView call, int position)
    {
        long number = call.Long(1);
        var first = call.Find(position);
        bool isUnread = first.Exists && !first.IsRead && (first.Marks & CallChunkMarks.Detailed) != CallChunkMarks.None;
        if (number < 0 || call[position] == 0 || (number > 0 && (!first.Exists || isUnread)))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        int index = 0;
        for (; index < number && index < RequestsMax; index++)
        {
            var request = call.Find(position, index: index);
            if (!request.Exists)
                break;
            writer.Item();
            if ((request.Marks & CallChunkMarks.Detailed) != CallChunkMarks.None)
            {
                writer.TextOnly("... /* "u8);
                writer.Address(request.Address);
                writer.TextOnly(" */"u8);
                number = index;
                break;
            }

            if (request.Has(RequestBytes))
                Request(ref writer, request.Bytes, call.Find(position, CallChunkKind.Part, index));
            else
                writer.Address(request.Address);
        }

        if (index < number)
            writer.More();
        writer.EndArray();
    }

    private static void Cancelled(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        RequestHead(ref writer, bytes);
        writer.EndStruct();
    }

    private static void RequestHead(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        ushort operation = bytes.U16(16), priority = bytes.U16(18);
        writer.Field("aio_data"u8);
        writer.Hex(bytes.U64(0));
        if (bytes.U32(8) != 0)
        {
            writer.Field("aio_key"u8, bytes.U32(8));
        }

        writer.Field("aio_lio_opcode"u8);
        if (FlagSets.AioCommands.NameOf(operation) is { IsEmpty: false } name)
        {
            writer.Word(name);
        }
        else
        {
            writer.Unsigned(operation);
            writer.Remark("IOCB_CMD_???"u8);
        }

        if (priority != 0)
        {
            writer.Field("aio_reqprio"u8, priority);
        }

        writer.Field("aio_fildes"u8, bytes.I32(20));
    }

    private static void Request(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallChunk data)
    {
        ushort operation = bytes.U16(16);
        ulong size = bytes.U64(32);
        writer.BeginStruct();
        RequestHead(ref writer, bytes);
        switch (operation)
        {
            case OpWrite or OpRead or OpReadVector or OpWriteVector:
                writer.Field("aio_buf"u8);
                if (data.IsRead)
                    writer.String(data.Bytes, data.IsTruncated);
                else
                    writer.Address(bytes.U64(24));
                if (operation is OpWrite or OpRead)
                {
                    writer.Field("aio_nbytes"u8, size);
                }

                writer.Field("aio_offset"u8, bytes.I64(40));
                break;
            case OpPoll:
                writer.Field("aio_buf"u8);
                writer.Flags(FlagSets.PollEvents, bytes.U64(24));
                break;
        }

        if ((bytes.U32(56) & 1) != 0)
        {
            writer.Field("aio_flags"u8);
            writer.Flags(FlagSets.AioFlags, bytes.U32(56));
            writer.Field("aio_resfd"u8, bytes.I32(60));
        }

        writer.EndStruct();
    }
}
