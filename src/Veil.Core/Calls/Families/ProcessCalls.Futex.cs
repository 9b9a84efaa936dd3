// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

internal static partial class ProcessCalls
{
    // include/uapi/linux/futex.h
    private const uint FutexCommand = 0x7f;
    private const uint FutexWait = 0, FutexWake = 1, FutexFd = 2, FutexRequeue = 3, FutexCmpRequeue = 4, FutexWakeOp = 5, FutexLockPi = 6,
        FutexUnlockPi = 7, FutexTryLockPi = 8, FutexWaitBitset = 9, FutexWakeBitset = 10, FutexWaitRequeuePi = 11, FutexCmpRequeuePi = 12,
        FutexLockPi2 = 13;

    private static readonly Argument s_waiters = new ArrayArgument(24, 1, Waiter);
    private static readonly Argument s_twoWaiters =
        new StructArgument(48, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
    {
        writer.BeginArray();
        writer.Item();
        Waiter(ref writer, bytes, call);
        writer.Item();
        Waiter(ref writer, bytes[24..], call);
        writer.EndArray();
    });

    private static readonly Argument s_wideTimeout =
        new StructArgument(16, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Times.Write(ref writer, bytes, 8, isMicro: false));

    private static readonly Argument s_timeout =
        new StructArgument(16, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Times.Write(ref writer, bytes, bytes.Length / 2, isMicro: false))
        { Size32 = 8 };

    private static IEnumerable<CallSpec> Futexes =>
    [
        Futex("futex", s_timeout),
        Futex("futex_time64", s_wideTimeout),
        new("futex_waitv", s_waiters, UInt, Hex, s_wideTimeout, Enum(FlagSets.ClockIds)),
        new("futex_wake", Address, Hex, Int, Flags(FlagSets.Futex2)),
        new("futex_wait", Address, Size, Hex, Flags(FlagSets.Futex2), s_wideTimeout, Enum(FlagSets.ClockIds)),
        new("futex_requeue", s_twoWaiters, Hex, Int, Int),
    ];

    private static CallSpec Futex(string name, Argument timeout) =>
        new(name, Address, new OwnArgument(Operation), new FutexArgument(Value, timeout), new FutexArgument(TimeoutOrValue, timeout),
            new FutexArgument(SecondWord, timeout), new FutexArgument(LastValue, timeout));

    // The flags of an operation that has none are no flags for strace: all is a number then.
    private static void Operation(ref CallWriter writer, in CallView call, int position)
    {
        const uint isPrivate = 0x80, realTime = 0x100;
        uint value = (uint)call[position], operation = value & FutexCommand;
        bool hasClock = operation is FutexWait or FutexWaitBitset or FutexWaitRequeuePi or FutexLockPi2;
        uint rest = value & ~(FutexCommand | isPrivate | (hasClock ? realTime : 0));
        if (operation > FutexLockPi2 || rest != 0)
        {
            writer.Quote();
            writer.AppendHex(value);
            writer.Remark("FUTEX_???"u8);
            writer.Quote();
            return;
        }

        if (operation != FutexFd || (value & isPrivate) == 0)
        {
            writer.Flags(FlagSets.Futex, value);
            return;
        }

        writer.Word("FUTEX_FD|FUTEX_PRIVATE_FLAG"u8);
    }

    private static void Value(ref CallWriter writer, in CallView call, int position, Argument timeout) =>
        writer.Unsigned((uint)call[position]);

    private static void TimeoutOrValue(ref CallWriter writer, in CallView call, int position, Argument timeout)
    {
        switch ((uint)call[1] & FutexCommand)
        {
            case FutexWait or FutexWaitBitset or FutexLockPi or FutexLockPi2 or FutexWaitRequeuePi:
                timeout.Write(ref writer, call, position);
                break;
            case <= FutexLockPi2:
                writer.Unsigned((uint)call[position]);
                break;
            default:
                writer.Hex(call[position]);
                break;
        }
    }

    private static void SecondWord(ref CallWriter writer, in CallView call, int position, Argument timeout)
    {
        if (((uint)call[1] & FutexCommand) <= FutexLockPi2)
            writer.Address(call[position]);
        else
            writer.Hex(call[position]);
    }

    private static void LastValue(ref CallWriter writer, in CallView call, int position, Argument timeout)
    {
        uint value = (uint)call[position];
        switch ((uint)call[1] & FutexCommand)
        {
            case FutexWaitBitset or FutexWakeBitset when value == uint.MaxValue:
                writer.Word("FUTEX_BITSET_MATCH_ANY"u8);
                break;
            case FutexCmpRequeue or FutexCmpRequeuePi:
                writer.Unsigned(value);
                break;
            case FutexWakeOp:
                WakeOperation(ref writer, value);
                break;
            default:
                writer.Hex(value);
                break;
        }
    }

    // Four fields: what is done, with what, how it is compared, with what.
    private static void WakeOperation(ref CallWriter writer, uint value)
    {
        writer.Quote();
        if ((value & 1u << 31) != 0)
            writer.Line.Append("FUTEX_OP_OPARG_SHIFT<<28|"u8);
        Operation(ref writer, FlagSets.FutexWakeOps, value >> 28 & 7, "<<28"u8);
        writer.Line.Append((byte)'|');
        writer.AppendHex(value >> 12 & 0xfff);
        writer.Line.Append("<<12|"u8);
        Operation(ref writer, FlagSets.FutexWakeComparisons, value >> 24 & 15, "<<24"u8);
        writer.Line.Append((byte)'|');
        writer.AppendHex(value & 0xfff);
        writer.Quote();
    }

    private static void Operation(ref CallWriter writer, FlagSet set, uint operation, ReadOnlySpan<byte> shift)
    {
        var name = set.NameOf(operation);
        if (!name.IsEmpty)
            writer.Line.Append(name);
        else
            writer.AppendHex(operation);
        writer.Line.Append(shift);
        if (name.IsEmpty)
            writer.Remark(set.UnknownName);
    }

    private static void Waiter(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        writer.Field("val"u8);
        writer.Hex(bytes.U64(0));
        writer.Field("uaddr"u8);
        writer.Address(bytes.U64(8));
        writer.Field("flags"u8);
        writer.Flags(FlagSets.Futex2, bytes.U32(16));
        if (bytes.U32(20) != 0)
        {
            writer.Field("__reserved"u8);
            writer.Hex(bytes.U32(20));
        }

        writer.EndStruct();
    }

    private delegate void FutexWriter(ref CallWriter writer, in CallView call, int position, Argument timeout);

    /// <summary>One of the last four arguments of <c>futex()</c>: the operation says which there are.</summary>
    private sealed class FutexArgument(FutexWriter write, Argument timeout) : Argument
    {
        public override CallReader Input(int position, CallOptions options, bool is32Bit) =>
            position == 3 ? timeout.Input(position, options, is32Bit) : default;

        public override bool IsOmitted(in CallView call, int position) => ((uint)call[1] & FutexCommand) switch
        {
            FutexWait => position > 3,
            FutexWake or FutexFd => position > 2,
            FutexRequeue or FutexWaitRequeuePi => position > 4,
            FutexLockPi or FutexLockPi2 => position != 3,
            FutexUnlockPi or FutexTryLockPi => true,
            FutexWaitBitset => position == 4,
            FutexWakeBitset => position is 3 or 4,
            _ => false,
        };

        public override void Write(ref CallWriter writer, in CallView call, int position) => write(ref writer, call, position, timeout);
    }
}
