// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary>Calls of <c>io_uring</c>.</summary>
internal static class UringCalls
{
    // include/uapi/linux/io_uring.h
    private const int ParamsBytes = 120, SetupBytes = 40, ExtArgBytes = 24, VectorBytes = 16;
    private const uint EnterExtArg = 8, SetupAttachWq = 0x20;
    private const uint RegisterBuffers = 0, RegisterFiles = 2, RegisterEventfd = 4, RegisterEventfdAsync = 7;

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        new("io_uring_setup", UInt, new OwnArgument(Params)
        {
            Begin = new(CallRead.Fixed, ParamsBytes, ParamsBytes),
            End = new(CallRead.Fixed, ParamsBytes, ParamsBytes),
        })
        {
            Result = CallResult.Descriptor,
        },
        new("io_uring_enter", Fd, UInt, UInt, Flags(FlagSets.UringEnterFlags), new OwnArgument(Wait)
        {
            Begin = new(CallRead.Counted, 1, ExtArgBytes, 5),
        }, Size),
        new("io_uring_register", Fd, Enum(FlagSets.UringRegisterOps), new OwnArgument(Registered)
        {
            Begin = new(CallRead.Counted, VectorBytes, CallOptions.ElementsMax * VectorBytes, 3),
        }, UInt),
    ];


    private static void Params(ref CallWriter writer, in CallView call, int position)
    {
        var before = call.Find(position);
        var after = call.Find(position, output: true);
        if (!before.Has(ParamsBytes))
        {
            writer.Address(call[position]);
            return;
        }

        var bytes = before.Bytes;
        uint flags = bytes.U32(8);
        writer.BeginStruct();
        writer.Field("flags"u8);
        writer.Flags(FlagSets.UringSetupFlags, flags);
        writer.Field("sq_thread_cpu"u8);
        writer.Hex(bytes.U32(12));
        writer.Field("sq_thread_idle"u8, bytes.U32(16));
        if ((flags & SetupAttachWq) != 0)
        {
            writer.Field("wq_fd"u8, bytes.I32(24));
        }

        if (bytes[28..SetupBytes].ContainsAnyExcept((byte)0))
        {
            writer.Field("resv"u8);
            writer.BeginArray();
            for (int at = 28; at < SetupBytes; at += 4)
            {
                writer.Item();
                writer.Hex(bytes.U32(at));
            }

            writer.EndArray();
        }

        if (call.HasSucceeded && after.Has(ParamsBytes))
            Rings(ref writer, after.Bytes);
        writer.EndStruct();
    }

    private static void Rings(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.Field("sq_entries"u8, bytes.U32(0));
        writer.Field("cq_entries"u8, bytes.U32(4));
        writer.Field("features"u8);
        writer.Flags(FlagSets.UringFeatures, bytes.U32(20));
        writer.Field("sq_off"u8);
        writer.BeginStruct();
        writer.Field("head"u8, bytes.U32(40));
        writer.Field("tail"u8, bytes.U32(44));
        writer.Field("ring_mask"u8, bytes.U32(48));
        writer.Field("ring_entries"u8, bytes.U32(52));
        writer.Field("flags"u8, bytes.U32(56));
        writer.Field("dropped"u8, bytes.U32(60));
        writer.Field("array"u8, bytes.U32(64));
        writer.Field("user_addr"u8);
        writer.Hex(bytes.U64(72));
        writer.EndStruct();
        writer.Field("cq_off"u8);
        writer.BeginStruct();
        writer.Field("head"u8, bytes.U32(80));
        writer.Field("tail"u8, bytes.U32(84));
        writer.Field("ring_mask"u8, bytes.U32(88));
        writer.Field("ring_entries"u8, bytes.U32(92));
        writer.Field("overflow"u8, bytes.U32(96));
        writer.Field("cqes"u8, bytes.U32(100));
        writer.Field("flags"u8, bytes.U32(104));
        writer.Field("user_addr"u8);
        writer.Hex(bytes.U64(112));
        writer.EndStruct();
    }

    // A signal mask, or with IORING_ENTER_EXT_ARG a structure whose pointers are shown as they are.
    private static void Wait(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        bool isExtended = ((uint)call[3] & EnterExtArg) != 0;
        if (!chunk.Has((isExtended ? ExtArgBytes : 8)))
        {
            writer.Address(call[position]);
            return;
        }

        var bytes = chunk.Bytes;
        if (!isExtended)
        {
            SignalSet.Write(ref writer, bytes.U64(0));
            return;
        }

        writer.BeginStruct();
        writer.Field("sigmask"u8);
        writer.Address(bytes.U64(0));
        writer.Field("sigmask_sz"u8, bytes.U32(8));
        writer.Field("min_wait_usec"u8, bytes.U32(12));
        writer.Field("ts"u8);
        writer.Address(bytes.U64(16));
        writer.EndStruct();
    }

    private static void Registered(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        uint op = (uint)call[1], count = (uint)call[3];
        bool isVector = op == RegisterBuffers, isKnown = isVector || op is RegisterFiles or RegisterEventfd or RegisterEventfdAsync;
        if (!chunk.IsRead || !isKnown || count == 0)
        {
            writer.Address(call[position]);
            return;
        }

        int size = isVector ? 2 * call.WordBytes : 4;
        uint index = 0;
        writer.BeginArray();
        for (var left = chunk.Bytes; index < count && index < CallOptions.ElementsMax && left.Length >= size; left = left[size..])
        {
            index++;
            writer.Item();
            if (!isVector)
            {
                writer.Number(left.I32(0));
                continue;
            }

            writer.BeginStruct();
            writer.Field("iov_base"u8);
            writer.Address(left.UWord(0, call.WordBytes));
            writer.Field("iov_len"u8, left.UWord(1, call.WordBytes));
            writer.EndStruct();
        }

        if (index < count)
            writer.More();
        writer.EndArray();
    }
}
