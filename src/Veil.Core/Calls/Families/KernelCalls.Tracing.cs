// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;
using static Veil.Core.Calls.FileArguments;

namespace Veil.Core.Calls;

internal static partial class KernelCalls
{
    // include/uapi/linux/bpf.h
    private const int BpfBytes = 152;
    private const int BpfNameBytes = 16;

    // include/uapi/linux/ptrace.h and arch/x86/include/asm/ptrace-abi.h
    private const uint TraceMe = 0, PeekText = 1, PeekUser = 3, PokeUser = 6, Continue = 7, Kill = 8, SingleStep = 9, GetRegs = 12,
        SetFpRegs = 15,
        Attach = 16, Detach = 17, GetFpxRegs = 18, SetFpxRegs = 19, SystemCallStop = 24, SetOptions = 0x4200, GetEventMessage = 0x4201,
        GetSignalInfo = 0x4202, SetSignalInfo = 0x4203, GetRegSet = 0x4204, SetRegSet = 0x4205, Seize = 0x4206, Interrupt = 0x4207,
            Listen = 0x4208,
        GetSignalMask = 0x420a, SetSignalMask = 0x420b, GetCallInfo = 0x420e;

    // struct user_regs_struct of x86-64, in its order.
    private static readonly string[] s_registers =
    [
        "R15", "R14", "R13", "R12", "RBP", "RBX", "R11", "R10", "R9", "R8", "RAX", "RCX", "RDX", "RSI", "RDI", "ORIG_RAX", "RIP", "CS",
            "EFLAGS", "RSP",
        "SS", "FS_BASE", "GS_BASE", "DS", "ES", "FS", "GS",
    ];

    private static readonly byte[][] s_registerNames = [.. s_registers.Select(System.Text.Encoding.UTF8.GetBytes)];

    private static readonly StructLayout s_mapElement = new(StructField.Int("map_fd"), StructField.Address64("key"),
        StructField.Address64("value"),
        Wide("flags", FlagSets.BpfElemFlags));

    private static readonly StructLayout s_mapKey = new(StructField.Int("map_fd"), StructField.Address64("key"));
    private static readonly StructLayout s_mapNext = new(StructField.Int("map_fd"), StructField.Address64("key"),
        StructField.Address64("next_key"));
    private static readonly StructLayout s_nextId = new(StructField.UInt("start_id"), StructField.UInt("next_id"));
    private static readonly StructLayout s_object = new(StructField.Address64("pathname"), StructField.Int("bpf_fd"));
    private static readonly StructLayout s_attachment = new(StructField.Int("target_fd"), StructField.Int("attach_bpf_fd"),
        StructField.Enum("attach_type", FlagSets.BpfAttachTypes), StructField.Hex("attach_flags"));

    private static readonly StructLayout s_mapAttributes = new(StructField.Enum("map_type", FlagSets.BpfMapTypes),
        StructField.UInt("key_size"),
        StructField.UInt("value_size"), StructField.UInt("max_entries"), StructField.Flags("map_flags", FlagSets.BpfMapFlags),
        StructField.Int("inner_map_fd"), StructField.Gap(4), ObjectName("map_name"), StructField.UInt("map_ifindex"),
            StructField.Int("btf_fd"),
        StructField.UInt("btf_key_type_id"), StructField.UInt("btf_value_type_id"), StructField.UInt("btf_vmlinux_value_type_id"),
        StructField.U64("map_extra"));

    private static readonly StructLayout s_programAttributes = new(StructField.Enum("prog_type", FlagSets.BpfProgTypes),
        StructField.UInt("insn_cnt"),
        StructField.Address64("insns"), StructField.Address64("license"), StructField.UInt("log_level"), StructField.UInt("log_size"),
        StructField.Address64("log_buf"), new StructField("kern_version", 4, 4, KernelVersion), StructField.Flags("prog_flags",
            FlagSets.BpfLoadFlags),
        ObjectName("prog_name"), StructField.UInt("prog_ifindex"), StructField.Enum("expected_attach_type", FlagSets.BpfAttachTypes),
        StructField.Int("prog_btf_fd"), StructField.UInt("func_info_rec_size"), StructField.Address64("func_info"),
            StructField.UInt("func_info_cnt"),
        StructField.UInt("line_info_rec_size"), StructField.Address64("line_info"), StructField.UInt("line_info_cnt"),
        StructField.UInt("attach_btf_id"), StructField.Int("attach_prog_fd"));

    private static IEnumerable<CallSpec> Tracing =>
    [
        new("bpf", Enum(FlagSets.BpfCommands), new OwnArgument(BpfAttributes)
        {
            Begin = new(CallRead.Counted, 1, BpfBytes, 2),
            End = new(CallRead.Counted, 1, BpfBytes, 2),
        }, UInt, Hidden, Hidden)
        { Result = CallResult.Descriptor },
        new("perf_event_open", new OwnArgument(PerfAttributes) { Begin = new(CallRead.Fixed, 64, 64) }, Int, Int, Int,
            Flags(FlagSets.PerfOpenFlags))
        { Result = CallResult.Descriptor },
        new("ptrace", Enum(FlagSets.PtraceRequests), new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
            writer.Number(call.Int(position))) { Omitted = static (in CallView call, int _) => (uint)call[0] == TraceMe },
            new OwnArgument(PtraceAddress) { Omitted = HasNoAddress },
            new OwnArgument(PtraceData)
            {
                Begin = new(CallRead.Fixed, 16, 16),
                End = new(CallRead.Fixed, 8, 8),
                Omitted = static (in CallView call, int _) => (uint)call[0] is TraceMe or Attach or Kill or Interrupt or Listen,
            }),
    ];

    private static StructField Wide(string name, FlagSet set) =>
        new(name, 8, 8, (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Flags(set, bytes.U64(0)));

    private static StructField ObjectName(string name) =>
        new(name, BpfNameBytes, BpfNameBytes, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
    {
        int end = bytes.IndexOf((byte)0);
        writer.String(end < 0 ? bytes : bytes[..end], false);
    })
        { IsText = true };

    private static void KernelVersion(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        uint version = bytes.U32(0);
        writer.Quote();
        writer.Line.Append("KERNEL_VERSION("u8);
        writer.Line.Append((ulong)(version >> 16));
        writer.Line.Append(", "u8);
        writer.Line.Append((ulong)(version >> 8 & 0xff));
        writer.Line.Append(", "u8);
        writer.Line.Append((ulong)(version & 0xff));
        writer.Line.Append((byte)')');
        writer.Quote();
    }

    private static void BpfAttributes(ref CallWriter writer, in CallView call, int position)
    {
        // The kernel fills in what the next identifier is; of the others it is shown what they were given.
        var chunk = (uint)call[0] is 11 or 12 or 23 or 31 ? call.FindAny(position) : call.Find(position);
        var layout = (uint)call[0] switch
        {
            0 => s_mapAttributes,
            1 or 2 or 21 => s_mapElement, // BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_LOOKUP_AND_DELETE_ELEM
            3 => s_mapKey,
            4 => s_mapNext,
            5 => s_programAttributes,
            6 or 7 => s_object,
            8 or 9 => s_attachment,
            11 or 12 or 23 or 31 => s_nextId, // BPF_PROG_GET_NEXT_ID and its like
            _ => null,
        };
        if (!chunk.Has(4))
        {
            writer.Address(call[position]);
        }
        else if (layout is not null)
        {
            // What lies behind the structure of a command has to be 0.
            writer.BeginStruct();
            layout.WriteFields(ref writer, chunk.Bytes, call);
            if (chunk.Bytes.Length > layout.Size && chunk.Bytes[layout.Size..].ContainsAnyExcept((byte)0))
                writer.More();
            writer.EndStruct();
        }
        else
        {
            BpfIds(ref writer, call, position, chunk.Bytes);
        }
    }

    private static void BpfIds(ref CallWriter writer, in CallView call, int position, ReadOnlySpan<byte> bytes)
    {
        var name = (uint)call[0] switch { 13 => "prog_id"u8, 14 => "map_id"u8, 19 => "btf_id"u8, 30 => "link_id"u8, _ => default };
        const int idBytes = 12, infoBytes = 16;
        const uint infoByDescriptor = 15;
        if ((uint)call[0] == infoByDescriptor && bytes.Length >= infoBytes)
        {
            writer.BeginStruct();
            writer.Field("info"u8);
            writer.BeginStruct();
            writer.Field("bpf_fd"u8, bytes.I32(0));
            writer.Field("info_len"u8, bytes.U32(4));
            writer.Field("info"u8);
            writer.Address(bytes.U64(8));
            writer.EndStruct();
            writer.EndStruct();
        }
        else if (!name.IsEmpty && bytes.Length >= idBytes)
        {
            writer.BeginStruct();
            writer.Field(name, bytes.U32(0));
            writer.Field("open_flags"u8);
            writer.Flags(FlagSets.BpfMapFlags, bytes.U32(8));
            writer.EndStruct();
        }
        else
        {
            writer.Address(call[position]);
        }
    }

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
        if (type == 0)
            writer.Name(FlagSets.PerfHardware, bytes.U64(8));
        else if (type == 1)
            writer.Name(FlagSets.PerfSoftware, bytes.U64(8));
        else
            writer.Hex(bytes.U64(8));
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
            writer.Unsigned(size);
            return;
        }

        writer.Quote();
        writer.Line.Append("PERF_ATTR_SIZE_VER"u8);
        writer.Line.Append((ulong)version);
        writer.Quote();
    }

    private static bool HasNoAddress(in CallView call, int position) => (uint)call[0] is TraceMe or Attach or Kill or Interrupt or Listen
        or (>= GetRegs and <= SetFpRegs) or GetFpxRegs or SetFpxRegs;

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
            case GetSignalMask or SetSignalMask or GetCallInfo:
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
            case Continue or SingleStep or Detach or SystemCallStop:
                SignalSet.WriteSignal(ref writer, (uint)call[position]);
                break;
            case SetOptions or Seize:
                writer.Flags(FlagSets.PtraceOptions, (uint)call[position]);
                break;
            case GetRegSet or SetRegSet when chunk.Has(16):
                writer.BeginStruct();
                writer.Field("iov_base"u8);
                writer.Address(chunk.Bytes.UWord(0, call.WordBytes));
                writer.Field("iov_len"u8, chunk.Bytes.UWord(1, call.WordBytes));
                writer.EndStruct();
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
