// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

internal static partial class KernelCalls
{
    // include/uapi/linux/ptrace.h and arch/x86/include/asm/ptrace-abi.h
    private const uint TraceMe = 0, PeekText = 1, PeekUser = 3, PokeUser = 6, Continue = 7, Kill = 8, SingleStep = 9, GetRegs = 12,
        SetFpRegs = 15,
        Attach = 16, Detach = 17, GetFpxRegs = 18, SetFpxRegs = 19, SystemCallStop = 24, SetOptions = 0x4200, GetEventMessage = 0x4201,
        GetSignalInfo = 0x4202, SetSignalInfo = 0x4203, GetRegSet = 0x4204, SetRegSet = 0x4205, Seize = 0x4206, Interrupt = 0x4207,
            Listen = 0x4208,
        GetSignalMask = 0x420a, OldSetOptions = 21, SystemEmulation = 31, SystemEmulationStep = 32, SingleBlock = 33,
        SeccompGetFilter = 0x420c, SeccompGetMetadata = 0x420d, SetCallInfo = 0x4212, SetSignalMask = 0x420b, GetCallInfo = 0x420e;

    // struct user_regs_struct of x86-64, in its order.
    private static readonly string[] s_registers =
    [
        "R15", "R14", "R13", "R12", "RBP", "RBX", "R11", "R10", "R9", "R8", "RAX", "RCX", "RDX", "RSI", "RDI", "ORIG_RAX", "RIP", "CS",
            "EFLAGS", "RSP",
        "SS", "FS_BASE", "GS_BASE", "DS", "ES", "FS", "GS",
    ];

    private static readonly byte[][] s_registerNames = [.. s_registers.Select(System.Text.Encoding.UTF8.GetBytes)];

    private static IEnumerable<CallSpec> Tracing =>
    [
        Bpf,
        new("perf_event_open", new OwnArgument(PerfAttributes) { Begin = new(CallRead.Fixed, 64, 64) }, Int, Int, Int,
            LongFlags(FlagSets.PerfOpenFlags))
        { Result = CallResult.Descriptor },
        new("ptrace", new OwnArgument(PtraceRequest), new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
            writer.Number(call.Int(position))) { Omitted = static (in CallView call, int _) => (uint)call[0] == TraceMe },
            new OwnArgument(PtraceAddress) { Omitted = HasNoAddress },
            new OwnArgument(PtraceData)
            {
                Begin = new(CallRead.Fixed, SignalInfo.SizeBytes, SignalInfo.SizeBytes),
                End = new(CallRead.Fixed, 8, 8),
                Omitted = static (in CallView call, int _) => (uint)call[0] is TraceMe or Attach or Kill or Interrupt or Listen,
            }),
    ];

    // The first 64 bytes of struct perf_event_attr, which strace abbreviates.
    private static void PerfAttributes(ref CallWriter writer, in CallView call, int position)
    {
        const int oldestBytes = 64;
        const ulong freq = 1 << 10;
        var bytes = call.Find(position).Bytes;
        if (bytes.Length < oldestBytes || bytes.U32(4) is > 0 and < oldestBytes)
        {
            writer.Address(call[position]);
            return;
        }

        uint type = bytes.U32(0);
        ulong bits = bytes.U64(40);
        writer.BeginStruct();
        writer.Field("type"u8);
        writer.Name(FlagSets.PerfTypes, type);
        writer.Field("size"u8);
        PerfSize(ref writer, bytes.U32(4));
        writer.Field("config"u8);
        PerfConfig(ref writer, type, bytes.U64(8));
        writer.Field((bits & freq) != 0 ? "sample_freq"u8 : "sample_period"u8, bytes.U64(16));
        writer.Field("sample_type"u8);
        writer.Flags(FlagSets.PerfSample, bytes.U64(24));
        writer.Field("read_format"u8);
        writer.Flags(FlagSets.PerfReadFormat, bytes.U64(32));
        for (int bit = 0; bit < 15; bit++)
        {
            // The first is shown also where it is 0.
            if (bit > 0 && (bits >> bit & 1) == 0)
                continue;
            writer.Field(PerfBit(bit), bits >> bit & 1);
        }

        uint skid = (uint)(bits >> 15 & 3);
        writer.Field("precise_ip"u8, skid);
        writer.Remark(skid switch
        {
            0 => "arbitrary skid"u8,
            1 => "constant skid"u8,
            2 => "requested to have 0 skid"u8,
            _ => "must have 0 skid"u8,
        });
        writer.More();
        writer.EndStruct();
    }

    private static void PerfConfig(ref CallWriter writer, uint type, ulong config)
    {
        switch (type)
        {
            case 0: // PERF_TYPE_HARDWARE; above 32 bits is the device
                writer.Quote();
                if (config >> 32 != 0)
                {
                    writer.AppendHex(config >> 32);
                    writer.Line.Append("<<32|"u8);
                }

                PerfName(ref writer, FlagSets.PerfHardware, config & uint.MaxValue, "PERF_COUNT_HW_???"u8);
                writer.Quote();
                break;
            case 1: // PERF_TYPE_SOFTWARE
                writer.Name(FlagSets.PerfSoftware, config);
                break;
            case 2: // PERF_TYPE_TRACEPOINT
                writer.Unsigned(config);
                break;
            case 3: // PERF_TYPE_HW_CACHE
                writer.Quote();
                if (config >> 32 != 0)
                {
                    writer.AppendHex(config >> 32);
                    writer.Line.Append("<<32|"u8);
                }

                if ((config >> 24 & 0xff) != 0)
                {
                    writer.AppendHex(config >> 24 & 0xff);
                    writer.Line.Append("<<24|"u8);
                }

                PerfName(ref writer, FlagSets.PerfCacheResults, config >> 16 & 0xff, "PERF_COUNT_HW_CACHE_RESULT_???"u8);
                writer.Line.Append("<<16|"u8);
                PerfName(ref writer, FlagSets.PerfCacheOps, config >> 8 & 0xff, "PERF_COUNT_HW_CACHE_OP_???"u8);
                writer.Line.Append("<<8|"u8);
                PerfName(ref writer, FlagSets.PerfCaches, config & 0xff, "PERF_COUNT_HW_CACHE_???"u8);
                writer.Quote();
                break;
            default:
                writer.Hex(config);
                break;
        }
    }

    private static void PerfName(ref CallWriter writer, FlagSet set, ulong value, ReadOnlySpan<byte> unknown)
    {
        if (set.NameOf(value) is { IsEmpty: false } name)
        {
            writer.Line.Append(name);
            return;
        }

        writer.AppendHex(value);
        writer.Remark(unknown);
    }

    private static ReadOnlySpan<byte> PerfBit(int bit) => bit switch
    {
        0 => "disabled"u8,
        1 => "inherit"u8,
        2 => "pinned"u8,
        3 => "exclusive"u8,
        4 => "exclude_user"u8,
        5 => "exclude_kernel"u8,
        6 => "exclude_hv"u8,
        7 => "exclude_idle"u8,
        8 => "mmap"u8,
        9 => "comm"u8,
        10 => "freq"u8,
        11 => "inherit_stat"u8,
        12 => "enable_on_exec"u8,
        13 => "task"u8,
        _ => "watermark"u8,
    };

    private static void PerfSize(ref CallWriter writer, uint size)
    {
        ReadOnlySpan<byte> sizes = [64, 72, 80, 96, 104, 112, 120, 128, 136, 144];
        int version = size <= byte.MaxValue ? sizes.IndexOf((byte)size) : -1;
        if (version < 0)
        {
            writer.Quote();
            writer.AppendHex(size);
            writer.Remark("PERF_ATTR_SIZE_???"u8);
            writer.Quote();
            return;
        }

        writer.Quote();
        writer.Line.Append("PERF_ATTR_SIZE_VER"u8);
        writer.Line.Append((ulong)version);
        writer.Quote();
    }

    private static bool HasNoAddress(in CallView call, int position) => (uint)call[0] is TraceMe or Attach or Kill or Interrupt or Listen
        or (>= GetRegs and <= SetFpRegs);

    private static void PtraceRequest(ref CallWriter writer, in CallView call, int position)
    {
        // Two names that the headers have otherwise, and one that they have no more.
        switch ((uint)call[position])
        {
            case PeekUser:
                writer.Word("PTRACE_PEEKUSER"u8);
                break;
            case PokeUser:
                writer.Word("PTRACE_POKEUSER"u8);
                break;
            case OldSetOptions:
                writer.Word("PTRACE_OLDSETOPTIONS"u8);
                break;
            default:
                writer.Name(FlagSets.PtraceRequests, (uint)call[position]);
                break;
        }
    }

    private static void PtraceAddress(ref CallWriter writer, in CallView call, int position)
    {
        ulong address = call[position];
        switch ((uint)call[0])
        {
            case PeekUser or PokeUser when call.Arch == SyscallArch.X64 && address % 8 == 0 && address / 8 < (ulong)s_registerNames.Length:
                writer.Quote();
                writer.Line.Append("8*"u8);
                writer.Line.Append(s_registerNames[address / 8]);
                writer.Quote();
                break;
            case GetRegSet or SetRegSet:
                RegisterSet(ref writer, address);
                break;
            case GetSignalMask or SetSignalMask or GetCallInfo or SeccompGetFilter or SeccompGetMetadata or SetCallInfo:
                writer.Unsigned(address);
                break;
            default:
                if (FlagSets.PtraceRequests.NameOf((uint)call[0]).IsEmpty)
                    writer.Hex(address);
                else
                    writer.Address(address);
                break;
        }
    }

    // include/uapi/linux/elf.h
    private static void RegisterSet(ref CallWriter writer, ulong set)
    {
        switch (set)
        {
            case 1:
                writer.Word("NT_PRSTATUS"u8);
                break;
            case 2:
                writer.Word("NT_FPREGSET"u8);
                break;
            case 0x202:
                writer.Word("NT_X86_XSTATE"u8);
                break;
            case 0x401:
                writer.Word("NT_ARM_TLS"u8);
                break;
            default:
                writer.Hex(set);
                break;
        }
    }

    private static void PtraceData(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        switch ((uint)call[0])
        {
            case Continue or SingleStep or Detach or SystemCallStop or SystemEmulation or SystemEmulationStep or SingleBlock:
                SignalSet.WriteSignal(ref writer, (uint)call[position]);
                break;
            case SetOptions or Seize or OldSetOptions:
                writer.Flags(FlagSets.PtraceOptions, (uint)call[position]);
                break;
            case GetRegSet or SetRegSet when chunk.Has(16):
                writer.BeginStruct();
                writer.Field("iov_base"u8);
                writer.Address(chunk.Bytes.UWord(0, call.WordBytes));
                writer.Field("iov_len"u8, chunk.Bytes.UWord(1, call.WordBytes));
                writer.EndStruct();
                break;
            case SetSignalInfo when chunk.Has(SignalInfo.SizeBytes):
                SignalInfo.Write(ref writer, chunk.Bytes, call.WordBytes);
                break;
            case SetSignalMask when chunk.Has(8):
                SignalSet.Write(ref writer, chunk.Bytes.U64(0));
                break;
            case (>= PeekText and <= PeekUser) or GetEventMessage when call.Find(position, output: true) is
            {
                IsRead: true,
                Bytes.Length: >= 8
            } filled:
                writer.BeginArray();
                writer.Item();
                if ((uint)call[0] == GetEventMessage)
                    writer.Unsigned(filled.Bytes.UWord(0, call.WordBytes));
                else
                    writer.Hex(filled.Bytes.UWord(0, call.WordBytes));
                writer.EndArray();
                break;
            case GetSignalInfo or SetSignalInfo or GetEventMessage or GetRegSet or SetRegSet or GetSignalMask or SetSignalMask
                or GetCallInfo or (>= PeekText and <= PeekUser) or (>= GetRegs and <= SetFpRegs) or GetFpxRegs or SetFpxRegs:
                writer.Address(call[position]);
                break;
            default:
                writer.Hex(call[position]);
                break;
        }
    }
}
