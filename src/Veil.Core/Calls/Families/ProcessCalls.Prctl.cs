// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

internal static partial class ProcessCalls
{
    // include/uapi/linux/prctl.h, and TASK_COMM_LEN
    private const uint GetDumpable = 3, GetSecureBits = 27, MceKillGet = 34, GetSpeculation = 52;
    private const int NameBytes = 16;

    private static readonly OwnArgument s_signalOut = new(static (ref CallWriter writer, in CallView call, int position) =>
        Pointed(ref writer, call, position, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
            SignalSet.WriteSignal(ref writer, bytes.U32(0))));

    private static readonly OwnArgument s_tscOut = new(static (ref CallWriter writer, in CallView call, int position) =>
        Pointed(ref writer, call, position, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
            writer.Name(FlagSets.PrctlTsc, bytes.U32(0))));

    private static readonly OwnArgument s_intOut = new(static (ref CallWriter writer, in CallView call, int position) =>
        Pointed(ref writer, call, position, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
            writer.Unsigned(bytes.U32(0))));

    private static readonly OwnArgument s_addressOut = new(static (ref CallWriter writer, in CallView call, int position) =>
        Pointed(ref writer, call, position, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
            writer.Address(bytes.UWord(0, call.WordBytes))));

    private static readonly OwnArgument s_nameOut = new(static (ref CallWriter writer, in CallView call, int position) =>
    {
        var chunk = call.Find(position, output: true);
        if (!chunk.IsRead)
        {
            writer.Address(call[position]);
            return;
        }

        int end = chunk.Bytes.IndexOf((byte)0);
        writer.String(end < 0 ? chunk.Bytes : chunk.Bytes[..end], false);
    });

    private static readonly OwnArgument s_stringIn = new(static (ref CallWriter writer, in CallView call, int position) =>
    {
        var chunk = call.Find(position);
        if (chunk.IsRead)
            writer.String(chunk.Bytes, chunk.IsTruncated);
        else
            writer.Address(call[position]);
    });

    private static readonly OwnArgument s_signalIn = new(static (ref CallWriter writer, in CallView call, int position) =>
        SignalSet.WriteSignal(ref writer, (uint)call[position]));

    private static readonly OwnArgument s_dumpable = new(static (ref CallWriter writer, in CallView call, int position) =>
        Dumpable(ref writer, call[position]));

    // What an option takes beside itself. An option that is not here takes four words.
    private static readonly Dictionary<uint, Argument[]> s_options = new()
    {
        [1] = [s_signalIn], // PR_SET_PDEATHSIG
        [2] = [s_signalOut], // PR_GET_PDEATHSIG
        [GetDumpable] = [],
        [4] = [s_dumpable], // PR_SET_DUMPABLE
        [5] = [s_intOut], // PR_GET_UNALIGN
        [6] = [Flags(FlagSets.PrctlUnalign)], // PR_SET_UNALIGN
        [9] = [s_intOut], // PR_GET_FPEMU
        [10] = [Size], // PR_SET_FPEMU
        [11] = [s_intOut], // PR_GET_FPEXC
        [12] = [Size], // PR_SET_FPEXC
        [19] = [s_intOut], // PR_GET_ENDIAN
        [20] = [Size], // PR_SET_ENDIAN
        [7] = [], // PR_GET_KEEPCAPS
        [8] = [Size], // PR_SET_KEEPCAPS
        [13] = [], // PR_GET_TIMING
        [14] = [Size], // PR_SET_TIMING
        [15] = [s_stringIn], // PR_SET_NAME
        [16] = [s_nameOut], // PR_GET_NAME
        [21] = [], // PR_GET_SECCOMP
        [23] = [LongEnum(FlagSets.Capabilities)], // PR_CAPBSET_READ
        [24] = [LongEnum(FlagSets.Capabilities)], // PR_CAPBSET_DROP
        [25] = [s_tscOut], // PR_GET_TSC
        [26] = [Enum(FlagSets.PrctlTsc)], // PR_SET_TSC
        [GetSecureBits] = [],
        [28] = [LongFlags(FlagSets.Securebits)], // PR_SET_SECUREBITS
        [29] = [Long], // PR_SET_TIMERSLACK
        [30] = [], // PR_GET_TIMERSLACK
        [31] = [], // PR_TASK_PERF_EVENTS_DISABLE
        [32] = [], // PR_TASK_PERF_EVENTS_ENABLE
        [33] = [LongEnum(FlagSets.PrctlMceKill), Either(static (in CallView call) => call[1] == 1, Enum(FlagSets.PrctlMceKillPolicy), Hex),
            Hex, Hex], // PR_MCE_KILL
        [35] = [LongEnum(FlagSets.PrctlSetMm), Hex, Hex, Hex], // PR_SET_MM
        [36] = [Size], // PR_SET_CHILD_SUBREAPER
        [37] = [s_intOut], // PR_GET_CHILD_SUBREAPER
        [38] = [Size, Hex, Hex, Hex], // PR_SET_NO_NEW_PRIVS
        [40] = [s_addressOut], // PR_GET_TID_ADDRESS
        [41] = [Size, Hex, Hex, Hex], // PR_SET_THP_DISABLE
        [45] = [Flags(FlagSets.PrctlFpMode)], // PR_SET_FP_MODE
        [46] = [], // PR_GET_FP_MODE
        [47] = [LongEnum(FlagSets.PrctlCapAmbient), Either(static (in CallView call) => call[1] is >= 1 and <= 3,
            Enum(FlagSets.Capabilities),
            Hex), Hex, Hex], // PR_CAP_AMBIENT
        [51] = [], // PR_SVE_GET_VL
        [GetSpeculation] = [LongEnum(FlagSets.PrctlSpeculation)],
        [53] = [LongEnum(FlagSets.PrctlSpeculation), Either(static (in CallView call) => call[1] <= 2, Enum(FlagSets.PrctlSpeculationFlags),
            Hex)], // PR_SET_SPECULATION_CTRL
        [54] = [LongFlags(FlagSets.PrctlPacKeys), Hex, Hex, Hex], // PR_PAC_RESET_KEYS
        [57] = [Size, Hex, Hex, Hex], // PR_SET_IO_FLUSHER
        // PR_SET_SYSCALL_USER_DISPATCH
        [59] = [LongEnum(FlagSets.PrctlUserDispatch), Hex, Hex, Either(static (in CallView call) => call[1] <= 2, Address, Hex)],
        [62] = [Enum(FlagSets.PrctlSchedCore), Int, new OwnArgument(PidType), Hex], // PR_SCHED_CORE
        [65] = [Flags(FlagSets.PrctlMdwe), Hex, Hex, Hex], // PR_SET_MDWE
        [0x53564d41] = [Enum(FlagSets.PrctlTimerSlackVma), Hex, Either(static (in CallView call) => call[1] == 0, Size, Hex),
            Either(static (in CallView call) => call[1] == 0, s_stringIn, Hex)], // PR_SET_VMA
        [0x59616d61] = [new OwnArgument(Ptracer)], // PR_SET_PTRACER
    };

    private static readonly Argument[] s_words = [Hex, Hex, Hex, Hex];

    private static IEnumerable<CallSpec> Prctls =>
    [
        new("prctl", Enum(FlagSets.PrctlOptions), PrctlArgument(new(CallRead.String, SizeMax: NameBytes - 1), new(CallRead.Fixed,
            NameBytes, NameBytes)),
            PrctlArgument(default, default), PrctlArgument(default, default), PrctlArgument(new(CallRead.String, SizeMax: 80), default))
        { ResultWriter = PrctlResult },
    ];

    private delegate bool CallTest(in CallView call);

    private static OwnArgument Either(CallTest test, Argument first, Argument second) =>
        new((ref CallWriter writer, in CallView call, int position) =>
        (test(call) ? first : second).Write(ref writer, call, position));

    private static OwnArgument PrctlArgument(CallReader begin, CallReader end) =>
        new(static (ref CallWriter writer, in CallView call, int position) =>
        ArgumentsOf(call)[position - 1].Write(ref writer, call, position))
        {
            Begin = begin,
            End = end,
            Omitted = static (in CallView call, int position) => position > ArgumentsOf(call).Length,
        };

    private static Argument[] ArgumentsOf(in CallView call)
    {
        // PR_SET_SECCOMP has a filter, or nothing.
        if ((uint)call[0] == 22)
            return call[1] switch { 1 => s_seccompMode, 2 => s_seccompFilter, _ => s_seccompOther };
        return s_options.GetValueOrDefault((uint)call[0], s_words);
    }

    private static readonly Argument[] s_seccompMode = [Enum(FlagSets.SeccompModes)];
    private static readonly Argument[] s_seccompFilter = [Enum(FlagSets.SeccompModes), Hex];
    private static readonly Argument[] s_seccompOther = [Enum(FlagSets.SeccompModes), Hex, Hex, Hex];

    private static void Pointed(ref CallWriter writer, in CallView call, int position, StructWriter write)
    {
        var chunk = call.Find(position, output: true);
        if (!chunk.Has(8))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        writer.Item();
        write(ref writer, chunk.Bytes, call);
        writer.EndArray();
    }

    private static void Dumpable(ref CallWriter writer, ulong value)
    {
        switch (value)
        {
            case 0:
                writer.Word("SUID_DUMP_DISABLE"u8);
                break;
            case 1:
                writer.Word("SUID_DUMP_USER"u8);
                break;
            case 2:
                writer.Word("SUID_DUMP_ROOT"u8);
                break;
            default:
                writer.Quote();
                writer.AppendHex(value);
                writer.Remark("SUID_DUMP_???"u8);
                writer.Quote();
                break;
        }
    }

    private static void PidType(ref CallWriter writer, in CallView call, int position)
    {
        writer.Quote();
        writer.AppendHex(call[position]);
        switch (call[position])
        {
            case 0:
                writer.Remark("PIDTYPE_PID"u8);
                break;
            case 1:
                writer.Remark("PIDTYPE_TGID"u8);
                break;
            case 2:
                writer.Remark("PIDTYPE_PGID"u8);
                break;
            default:
                writer.Remark("PIDTYPE_???"u8);
                break;
        }

        writer.Quote();
    }

    private static void Ptracer(ref CallWriter writer, in CallView call, int position)
    {
        if (call.Long(position) == -1)
            writer.Word("PR_SET_PTRACER_ANY"u8);
        else
            writer.Number(call.Int(position));
    }

    private static void PrctlResult(ref CallWriter writer, in CallView call)
    {
        ulong value = (ulong)call.Ret;
        switch ((uint)call[0])
        {
            case GetDumpable:
                writer.Unsigned(value);
                writer.TextOnly(" ("u8);
                Dumpable(ref writer, value);
                writer.TextOnly(")"u8);
                break;
            case MceKillGet:
                writer.Unsigned(value);
                writer.TextOnly(" ("u8);
                writer.Name(FlagSets.PrctlMceKillPolicy, value);
                writer.TextOnly(")"u8);
                break;
            case GetSecureBits when value != 0:
                writer.Hex(value);
                writer.TextOnly(" ("u8);
                writer.Flags(FlagSets.Securebits, value);
                writer.TextOnly(")"u8);
                break;
            case GetSpeculation when value != 0:
                writer.Hex(value);
                writer.TextOnly(" ("u8);
                writer.Flags(FlagSets.PrctlSpeculationFlags, value);
                writer.TextOnly(")"u8);
                break;
            default:
                writer.Number(call.Ret);
                break;
        }
    }
}
