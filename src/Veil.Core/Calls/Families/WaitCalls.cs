// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary>Calls that wait for descriptors: <c>poll</c>, <c>select</c>, <c>epoll</c>.</summary>
internal static class WaitCalls
{
    private const int FdSetBytes = 128;
    private const int PollBytes = 8;
    private const uint EpollDelete = 2;

    private static readonly Argument s_polls = new PollArgument();
    private static readonly Argument s_fdSet = new FdSetArgument();

    // x86-64 packs struct epoll_event, as i386 has it; arm64 does not.
    private static readonly Argument s_event = new OwnArgument(EventOf) { Begin = new(CallRead.Fixed, 12, 12) };
    private static readonly Argument s_events = new ArrayArgument(12, -1, Event);

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        new("poll", s_polls, UInt, Int) { ResultWriter = PollResult },
        new("ppoll", s_polls, UInt, new TimeoutArgument(isMicro: false, isOld: true), SignalSet.Argument(sizeAt: 4),
            Size) { ResultWriter = PollResult },
        new("ppoll_time64", s_polls, UInt, new TimeoutArgument(isMicro: false, isOld: false), SignalSet.Argument(sizeAt: 4),
            Size) { ResultWriter = PollResult },
        new("select", Int, s_fdSet, s_fdSet, s_fdSet, new TimeoutArgument(isMicro: true, isOld: true)) { ResultWriter = SelectResult },
        new("i386:select", Int, s_fdSet, s_fdSet, s_fdSet, new TimeoutArgument(isMicro: true, isOld: true))
        {
            ResultWriter = SelectResult,
            Packed = 5,
        },
        new("_newselect", Int, s_fdSet, s_fdSet, s_fdSet, new TimeoutArgument(isMicro: true, isOld: true)) { ResultWriter = SelectResult },
        new("pselect6", Int, s_fdSet, s_fdSet, s_fdSet, new TimeoutArgument(isMicro: false, isOld: true),
            s_maskOfSelect) { ResultWriter = SelectResult, Nested = [new(5, 0, CallRead.Fixed, 8)] },
        new("pselect6_time64", Int, s_fdSet, s_fdSet, s_fdSet, new TimeoutArgument(isMicro: false, isOld: false),
            s_maskOfSelect) { ResultWriter = SelectResult, Nested = [new(5, 0, CallRead.Fixed, 8)] },
        new("epoll_create", Int) { Result = CallResult.Descriptor },
        new("epoll_create1", Flags(FlagSets.EpollFlags)) { Result = CallResult.Descriptor },
        new("epoll_ctl", Fd, Enum(FlagSets.EpollOps), Fd, s_event),
        new("epoll_wait", Fd, s_events, Int, Int),
        new("epoll_pwait", Fd, s_events, Int, Int, SignalSet.Argument(isAddressAfterFailure: true), Size),
        new("epoll_pwait2", Fd, s_events, Int, new StructArgument(16, Time) { IsAddressAfterFailure = true },
            SignalSet.Argument(isAddressAfterFailure: true), Size),
        new("arm64:epoll_ctl", Fd, Enum(FlagSets.EpollOps), Fd, new OwnArgument(EventOf) { Begin = new(CallRead.Fixed, 16, 16) }),
        new("arm64:epoll_pwait", Fd, s_wideEvents, Int, Int, SignalSet.Argument(isAddressAfterFailure: true), Size),
        new("arm64:epoll_pwait2", Fd, s_wideEvents, Int, new StructArgument(16, Time) { IsAddressAfterFailure = true },
            SignalSet.Argument(isAddressAfterFailure: true), Size),
    ];

    /// <summary>A timeout, in whose place the kernel leaves what is left of it.</summary>
    public static Argument Timeout(bool isOld) => new TimeoutArgument(isMicro: false, isOld);

    /// <summary>What is left of it, in the brackets after a result.</summary>
    public static void WriteLeft(ref CallWriter writer, in CallView call, int position)
    {
        writer.TextOnly(" (left "u8);
        TimeoutArgument.WriteLeft(ref writer, call, position);
        writer.TextOnly(")"u8);
    }

    private static Argument s_wideEvents => new ArrayArgument(16, -1, Event);

    /// <summary>A mask with its size behind it, as <c>pselect6</c> has it.</summary>
    public static Argument MaskWithSize => s_maskOfSelect;

    private static Argument s_maskOfSelect =>
        new StructArgument(16, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
    {
        writer.BeginStruct();
        writer.Field("sigmask"u8);
        if (call.Find(5, CallChunkKind.Nested) is { IsRead: true } mask && bytes.UWord(1, call.WordBytes) == 8)
            SignalSet.Write(ref writer, mask.Bytes.U64(0));
        else
            writer.Address(bytes.UWord(0, call.WordBytes));
        writer.Field("sigsetsize"u8, bytes.UWord(1, call.WordBytes));
        writer.EndStruct();
    })
        {
            Size32 = 8,
        };

    private static void Time(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
        Times.Write(ref writer, bytes, 8, isMicro: false);

    private static void EventOf(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        if ((uint)call[1] == EpollDelete || !chunk.Has(12))
            writer.Address(call[position]);
        else
            Event(ref writer, chunk.Bytes, call);
    }

    private static void Event(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        writer.Field("events"u8);
        writer.Flags(FlagSets.EpollEvents, bytes.U32(0));
        writer.Field("data"u8);
        writer.Hex(bytes.U64(bytes.Length >= 16 ? 8 : 4));
        writer.EndStruct();
    }

    private static void PollResult(ref CallWriter writer, in CallView call)
    {
        writer.Number(call.Ret);
        if (call.Ret == 0)
        {
            writer.TextOnly(" (Timeout)"u8);
            return;
        }

        var chunk = call.Find(0, output: true);
        if (!chunk.IsRead)
            return;
        writer.TextOnly(" ("u8);
        writer.BeginArray();
        long left = call.Ret;
        for (var polls = chunk.Bytes; polls.Length >= PollBytes && left > 0; polls = polls[PollBytes..])
        {
            if (polls.U16(6) == 0)
                continue;
            left--;
            writer.Item();
            writer.BeginStruct();
            writer.Field("fd"u8, polls.I32(0));
            writer.Field("revents"u8);
            writer.Flags(FlagSets.PollEvents, polls.U16(6));
            writer.EndStruct();
        }

        if (left > 0)
            writer.More();
        writer.EndArray();
        if (call.Find(2, output: true).IsRead)
        {
            writer.TextOnly(", left "u8);
            TimeoutArgument.WriteLeft(ref writer, call, 2);
        }

        writer.TextOnly(")"u8);
    }

    // `described`: the argument whose descriptors are said too; those of a result are not.
    private static void FdSet(ref CallWriter writer, in CallView call, ReadOnlySpan<byte> bytes, int described)
    {
        int count = call.Int(0), index = 0;
        bool isFirst = true;
        writer.BeginArray();
        for (int fd = 0; fd < count && fd / 8 < bytes.Length; fd++)
        {
            if ((bytes[fd / 8] >> (fd % 8) & 1) == 0)
                continue;
            if (writer.IsJson)
                writer.Item();
            else if (!isFirst)
                writer.TextOnly(" "u8);
            isFirst = false;
            writer.Number(fd);
            if (described >= 0)
                CallDescriptor.Write(ref writer, call, described, index++);
        }

        writer.EndArray();
    }

    // Whole words of the sets count, as the kernel has it.
    private static int BytesOf(in CallView call) => (call.Int(0) + (8 * call.WordBytes) - 1) / (8 * call.WordBytes) * call.WordBytes;

    private static void SelectResult(ref CallWriter writer, in CallView call)
    {
        writer.Number(call.Ret);
        if (call.Ret == 0)
        {
            writer.TextOnly(" (Timeout)"u8);
            return;
        }

        bool isFirst = true;
        for (int position = 1; position <= 3; position++)
        {
            var chunk = call.Find(position, output: true);
            if (!chunk.Has(BytesOf(call)) || !chunk.Bytes.ContainsAnyExcept((byte)0))
                continue;
            writer.TextOnly(isFirst ? " ("u8 : ", "u8);
            isFirst = false;
            writer.TextOnly(position switch { 1 => "in "u8, 2 => "out "u8, _ => "except "u8 });
            FdSet(ref writer, call, chunk.Bytes, -1);
        }

        if (call.Find(4, output: true).IsRead)
        {
            writer.TextOnly(isFirst ? " (left "u8 : ", left "u8);
            isFirst = false;
            TimeoutArgument.WriteLeft(ref writer, call, 4);
        }

        if (!isFirst)
            writer.TextOnly(")"u8);
    }

    /// <summary>A set of descriptors.</summary>
    private sealed class FdSetArgument : Argument
    {
        public override CallReader Input(int position, CallOptions options, bool is32Bit) =>
            new(options.Descriptors == DescriptorDetail.None ? CallRead.Fixed : CallRead.DescriptorSet, FdSetBytes, FdSetBytes);

        public override CallReader Output(int position, CallOptions options, bool is32Bit) => new(CallRead.Fixed, FdSetBytes, FdSetBytes);

        public override void Write(ref CallWriter writer, in CallView call, int position)
        {
            var chunk = call.Find(position);
            if (call.Int(0) is < 0 or > 8 * FdSetBytes || !chunk.Has(BytesOf(call)))
                writer.Address(call[position]);
            else
                FdSet(ref writer, call, chunk.Bytes, position);
        }
    }

    /// <summary>An array of <c>struct pollfd</c>; what was found is part of the result in text, of the array in JSON.</summary>
    private sealed class PollArgument : Argument
    {
        private const int SizeMax = PollBytes * CallOptions.ElementsMax;

        public override CallReader Input(int position, CallOptions options, bool is32Bit) =>
            CallReader.OfDescriptors(options, PollBytes, SizeMax, count: 1);

        public override CallReader Output(int position, CallOptions options, bool is32Bit) => new(CallRead.Counted, PollBytes, SizeMax, 1);

        public override void Write(ref CallWriter writer, in CallView call, int position)
        {
            var chunk = call.Find(position);
            var found = call.Find(position, output: true);
            bool isEmpty = (uint)call[1] == 0 && call[position] != 0;
            if (!chunk.Has(PollBytes) && !isEmpty)
            {
                writer.Address(call[position]);
                return;
            }

            writer.BeginArray();
            int at = 0;
            for (; !isEmpty && at + PollBytes <= chunk.Bytes.Length; at += PollBytes)
            {
                int fd = chunk.Bytes.I32(at);
                writer.Item();
                writer.BeginStruct();
                writer.Field("fd"u8, fd);
                CallDescriptor.Write(ref writer, call, position, at / PollBytes);
                if (fd >= 0)
                {
                    writer.Field("events"u8);
                    writer.Flags(FlagSets.PollEvents, chunk.Bytes.U16(at + 4));
                    if (writer.IsJson && found.IsRead && at + PollBytes <= found.Bytes.Length)
                    {
                        writer.Field("revents"u8);
                        writer.Flags(FlagSets.PollEvents, found.Bytes.U16(at + 6));
                    }
                }

                writer.EndStruct();
            }

            if (chunk.IsPartial)
                writer.More(chunk.Address + (ulong)at);
            else if (chunk.IsTruncated)
                writer.More();
            writer.EndArray();
        }
    }

    /// <summary>A timeout, in whose place the kernel leaves what is left of it.</summary>
    private sealed class TimeoutArgument(bool isMicro, bool isOld) : Argument
    {
        public override CallReader Input(int position, CallOptions options, bool is32Bit) => Reader(is32Bit);

        public override CallReader Output(int position, CallOptions options, bool is32Bit) => Reader(is32Bit);

        public override void Write(ref CallWriter writer, in CallView call, int position)
        {
            var chunk = call.Find(position);
            if (!chunk.Has((isOld && call.Is32Bit ? 8 : 16)))
                writer.Address(call[position]);
            else
                Times.Write(ref writer, chunk.Bytes, call.WordBytes, isMicro);
        }

        public static void WriteLeft(ref CallWriter writer, in CallView call, int position)
        {
            var bytes = call.Find(position, output: true).Bytes;
            if (bytes.Length is not (8 or 16))
                return;
            bool isMicro = CallTable.Of(call).Spec.Arguments[position] is TimeoutArgument timeout && timeout.IsMicro;
            Times.Write(ref writer, bytes, bytes.Length / 2, isMicro);
        }

        private bool IsMicro => isMicro;

        private CallReader Reader(bool is32Bit)
        {
            int bytes = is32Bit && isOld ? 8 : 16;
            return new(CallRead.Fixed, bytes, bytes);
        }
    }
}
