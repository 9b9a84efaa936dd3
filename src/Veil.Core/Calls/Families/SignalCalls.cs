// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary>Calls on signals.</summary>
internal static class SignalCalls
{
    private const int SetBytes = 8;
    private const uint Restorer = 0x04000000; // SA_RESTORER

    private static readonly Argument s_signal = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
        SignalSet.WriteSignal(ref writer, (uint)call[position]));

    private static readonly StructLayout s_stack = new(StructField.Address("ss_sp"), StructField.Flags("ss_flags",
        FlagSets.SigaltstackFlags),
        StructField.ULong("ss_size"));

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        new("rt_sigaction", s_signal, new StructArgument(32, Action) { Size32 = 20 }, new StructArgument(32, Action) { Size32 = 20,
            IsOutput = true }, Size),
        new("rt_sigprocmask", Enum(FlagSets.SigprocmaskHow), Set(3), Set(3, isOutput: true), Size),
        new("rt_sigpending", new OwnArgument(Pending) { End = new(CallRead.Fixed, SetBytes, SetBytes) }, Size),
        new("rt_sigsuspend", Set(1), Size),
        new("rt_sigtimedwait", Set(3), SignalInfo.Output, Timeout(size32: 8), Size) { ResultWriter = WaitResult },
        new("rt_sigtimedwait_time64", Set(3), SignalInfo.Output, Timeout(size32: 16), Size) { ResultWriter = WaitResult },
        new("rt_sigqueueinfo", Int, s_signal, SignalInfo.Input),
        new("rt_tgsigqueueinfo", Int, Int, s_signal, SignalInfo.Input),
        new("x86_64:rt_sigreturn", new StructArgument(8, RestoredMask)),
        new("kill", Int, s_signal),
        new("sigaction", s_signal, new StructArgument(16, OldAction), new StructArgument(16, OldAction) { IsOutput = true }),
        new("sigprocmask", Enum(FlagSets.SigprocmaskHow), new StructArgument(4, OldSet), new StructArgument(4, OldSet) { IsOutput = true }),
        new("sigpending", new StructArgument(4, OldSet) { IsOutput = true }),
        new("sigsuspend", Hex, Hex, new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
            SignalSet.Write(ref writer, (uint)call[position]))),
        new("signal", s_signal, new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
            Handler(ref writer, call[position], call)))
        {
            ResultWriter = static (ref CallWriter writer, in CallView call) =>
            {
                writer.Hex((uint)call.Ret);
                if ((uint)call.Ret > 1)
                    return;
                writer.TextOnly((uint)call.Ret == 0 ? " (SIG_DFL)"u8 : " (SIG_IGN)"u8);
            },
        },
        new("sgetmask") { ResultWriter = static (ref CallWriter writer, in CallView call) => OldMask(ref writer, call, " (mask "u8) },
        new("ssetmask", new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
            SignalSet.Write(ref writer, (uint)call[position])))
        {
            ResultWriter = static (ref CallWriter writer, in CallView call) => OldMask(ref writer, call, " (old mask "u8),
        },
        new("tkill", Int, s_signal),
        new("tgkill", Int, Int, s_signal),
        new("pidfd_send_signal", Fd, s_signal, SignalInfo.Input, Flags(FlagSets.PidfdSignalFlags)),
        new("sigaltstack", s_stack.Input, s_stack.Output),
        new("signalfd", Fd, Set(2), Size) { Result = CallResult.Descriptor },
        new("signalfd4", Fd, Set(2), Size, Flags(FlagSets.SignalfdFlags)) { Result = CallResult.Descriptor },
    ];

    private static void OldMask(ref CallWriter writer, in CallView call, ReadOnlySpan<byte> label)
    {
        writer.Hex((uint)call.Ret);
        writer.TextOnly(label);
        SignalSet.Write(ref writer, (uint)call.Ret);
        writer.TextOnly(")"u8);
    }

    private static void OldSet(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
        SignalSet.Write(ref writer, bytes.U32(0));

    private static void Handler(ref CallWriter writer, ulong handler, in CallView call)
    {
        switch (handler)
        {
            case 0:
                writer.Word("SIG_DFL"u8);
                break;
            case 1:
                writer.Word("SIG_IGN"u8);
                break;
            case ulong.MaxValue:
            case uint.MaxValue when call.Is32Bit:
                writer.Word("SIG_ERR"u8);
                break;
            default:
                writer.Hex(handler);
                break;
        }
    }

    // struct old_sigaction: handler, mask, flags, restorer.
    private static void OldAction(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        uint flags = bytes.U32(8);
        writer.BeginStruct();
        writer.Field("sa_handler"u8);
        Handler(ref writer, bytes.U32(0), call);
        writer.Field("sa_mask"u8);
        SignalSet.Write(ref writer, bytes.U32(4));
        writer.Field("sa_flags"u8);
        writer.Flags(FlagSets.SigactionFlags, flags);
        if ((flags & Restorer) != 0)
        {
            writer.Field("sa_restorer"u8);
            writer.Address(bytes.U32(12));
        }

        writer.EndStruct();
    }

    // The one set that the kernel fills also where there is less room.
    private static void Pending(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: true);
        if (!chunk.Has(SetBytes) || call[1] is 0 or > SetBytes)
            writer.Address(call[position]);
        else
            SignalSet.Write(ref writer, chunk.Bytes.U64(0) & (ulong.MaxValue >> (64 - (8 * (int)call[1]))));
    }

    // strace shows no set of another size than the kernel's.
    private static OwnArgument Set(int size, bool isOutput = false) => new((ref CallWriter writer, in CallView call, int position) =>
    {
        var chunk = call.Find(position, output: isOutput);
        if (!chunk.Has(SetBytes) || call[size] != SetBytes)
            writer.Address(call[position]);
        else
            SignalSet.Write(ref writer, chunk.Bytes.U64(0));
    })
    {
        Begin = isOutput ? default : new(CallRead.Fixed, SetBytes, SetBytes),
        End = isOutput ? new(CallRead.Fixed, SetBytes, SetBytes) : default,
    };

    private static StructArgument Timeout(int size32) => new(16, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Times.Write(ref writer, bytes, bytes.Length / 2, isMicro: false))
    { Size32 = size32 };

    private static void RestoredMask(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.TextOnly("{mask="u8);
        SignalSet.Write(ref writer, bytes.U64(0));
        writer.TextOnly("}"u8);
    }

    // struct sigaction of the kernel: handler, flags, restorer, mask.
    private static void Action(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        int word = call.WordBytes;
        ulong handler = bytes.UWord(0, word), flags = bytes.UWord(1, word);
        writer.BeginStruct();
        writer.Field("sa_handler"u8);
        Handler(ref writer, handler, call);
        writer.Field("sa_mask"u8);
        SignalSet.Write(ref writer, bytes.U64(3 * word));
        writer.Field("sa_flags"u8);
        writer.Flags(FlagSets.SigactionFlags, flags);
        if ((flags & Restorer) != 0)
        {
            writer.Field("sa_restorer"u8);
            writer.Address(bytes.UWord(2, word));
        }

        writer.EndStruct();
    }

    private static void WaitResult(ref CallWriter writer, in CallView call)
    {
        writer.Number(call.Ret);
        writer.TextOnly(" ("u8);
        SignalSet.WriteSignal(ref writer, (uint)call.Ret);
        writer.TextOnly(")"u8);
    }
}
