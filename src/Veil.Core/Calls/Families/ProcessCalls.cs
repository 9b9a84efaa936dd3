// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary>Calls on processes and threads.</summary>
internal static partial class ProcessCalls
{
    // include/uapi/linux/sched.h
    private const ulong ClonePidfd = 0x1000, CloneSetTls = 0x80000, CloneParentSetTid = 0x100000, CloneChildClearTid = 0x200000,
        CloneChildSetTid = 0x1000000, CloneIntoCgroup = 0x200000000, CloneSignal = 0xff;
    private const int CloneArgsBytes = 88;
    private const int RseqBytes = 32;
    private const int UserDescBytes = 16; // arch/x86/include/uapi/asm/ldt.h

    private static readonly StructLayout s_rseq = new(StructField.UInt("cpu_id_start"), new StructField("cpu_id", 4, 4, RseqCpu),
        StructField.Address64("rseq_cs"), StructField.Flags("flags", FlagSets.RseqFlags), StructField.UInt("node_id"),
            StructField.UInt("mm_cid"),
        new StructField("slice_ctrl", 4, 4, RseqSlice));

    private static readonly Argument s_pid = Int;
    private static readonly Argument s_status =
        new StructArgument(4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
    {
        writer.BeginArray();
        writer.Item();
        WaitStatus.Write(ref writer, bytes.U32(0));
        writer.EndArray();
    })
        { IsOutput = true };

    private static readonly StructLayout s_rusage = new(StructField.Timeval("ru_utime"),
        StructField.Timeval("ru_stime"))
    { IsAbbreviated = true };

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All => [.. Births, .. Ends, .. Threads, .. Futexes, .. Prctls];

    /// <summary>What a process has used.</summary>
    public static Argument Rusage => s_rusage.Output;

    private static IEnumerable<CallSpec> Births =>
    [
        new("fork"),
        new("vfork"),
        new("clone", new OwnArgument(CloneFlags), Address, s_parentTid, Address, Address) { TextWriter = Clone },
        new("i386:clone", new OwnArgument(CloneFlags), Address, s_parentTid, Address, Address) { TextWriter = Clone },
        new("clone3", new OwnArgument(Clone3)
        {
            Begin = new(CallRead.Counted, 1, CloneArgsBytes, 1),
        }, Size),
        new("execve", FilePath, new OwnArgument(Strings) { Begin = s_strings },
            new OwnArgument(Environment) { Begin = new(CallRead.Number) }),
        new("execveat", DirFd, FilePath, new OwnArgument(Strings) { Begin = s_strings },
            new OwnArgument(Environment) { Begin = new(CallRead.Number) },
            Flags(FlagSets.AtExec)),
        new("unshare", new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
            writer.Flags(FlagSets.UnshareFlags, call[position]))),
        new("setns", Fd, Flags(FlagSets.SetnsTypes)),
        new("pidfd_open", s_pid, Flags(FlagSets.PidfdFlags)) { Result = CallResult.Descriptor },
        new("pidfd_getfd", Fd, Int, Hex) { Result = CallResult.Descriptor },
        new("kcmp", s_pid, s_pid, Enum(FlagSets.KcmpTypes), s_kcmpIndex, s_kcmpIndex),
        new("personality", new OwnArgument(Personality)) { ResultWriter = PersonalityResult },
    ];

    private static IEnumerable<CallSpec> Ends =>
    [
        new("exit", Int) { Result = CallResult.Never },
        new("exit_group", Int) { Result = CallResult.Never },
        new("wait4", s_pid, new UnlessNothing(s_status), s_waitOptions, new UnlessNothing(s_rusage.Output)),
        new("waitpid", s_pid, new UnlessNothing(s_status), s_waitOptions),
        new("waitid", Enum(FlagSets.WaitidTypes), s_pid, SignalInfo.Output, s_waitOptions, s_rusage.Output),
    ];

    private static IEnumerable<CallSpec> Threads =>
    [
        new("set_tid_address", Address),
        new("set_robust_list", Address, Size),
        new("get_robust_list", s_pid, Pointers.OutAddress, Pointers.OutSize),
        new("rseq", new StructArgument(RseqBytes, Rseq), UInt, Flags(FlagSets.RseqFlags), Hex),
        new("arch_prctl", Enum(FlagSets.ArchPrctl), s_archArgument),
        new("getpgid", s_pid),
        new("getsid", s_pid),
        new("setpgid", s_pid, s_pid),
        new("set_thread_area", new OwnArgument(ThreadArea) { Begin = s_userDesc, End = s_userDesc }) { ResultWriter = ThreadAreaResult },
        new("get_thread_area", new StructArgument(UserDescBytes, UserDesc) { IsOutput = true }),
        new("modify_ldt", Int, new OwnArgument(Ldt) { Begin = s_userDesc, End = s_userDesc }, Size) { ResultWriter = LdtResult },
        new("iopl", Int),
        new("ioperm", Hex, Hex, Int),
    ];

    private static CallReader s_userDesc => new(CallRead.Fixed, UserDescBytes, UserDescBytes);

    private static Argument s_parentTid => Pointers.OutInt;

    private static Argument s_waitOptions => Flags(FlagSets.WaitOptions);

    private static CallReader s_strings => new(CallRead.Strings, 1, CallOptions.Current.StringSize);

    private static readonly Argument s_kcmpIndex = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
    {
        if ((uint)call[2] == 0)
            writer.Unsigned(call[position]);
        else
            writer.Hex(call[position]);
    })
    {
        // KCMP_FILE and KCMP_EPOLL_TFD have both, the other known ones none.
        Omitted = static (in CallView call, int position) => (uint)call[2] is >= 1 and <= 6,
    };

    private static readonly Argument s_archArgument = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
    {
        // arch/x86/include/uapi/asm/prctl.h: ARCH_GET_FS, ARCH_GET_GS, ARCH_GET_XCOMP_SUPP, ARCH_GET_XCOMP_PERM, ARCH_GET_XCOMP_GUEST_PERM
        uint option = (uint)call[0];
        var chunk = call.Find(position, output: true);
        if (option is 0x1003 or 0x1004 or 0x1021 or 0x1022 or 0x1024 && chunk.Has(8))
        {
            writer.BeginArray();
            writer.Item();
            if (option >= 0x1021)
                Features(ref writer, chunk.Bytes.U64(0));
            else
                writer.Address(chunk.Bytes.U64(0));
            writer.EndArray();
        }
        else if (option is 0x1023 or 0x1025)
        {
            // ARCH_REQ_XCOMP_PERM, ARCH_REQ_XCOMP_GUEST_PERM
            writer.Quote();
            writer.AppendHex(call[position]);
            writer.Remark(call[position] < 20 ? Feature((int)call[position]) : "XFEATURE_???"u8);
            writer.Quote();
        }
        else
        {
            writer.Hex(call[position]);
        }
    })
    {
        End = new(CallRead.Fixed, 8, 8),
        Omitted = static (in CallView call, int position) => (uint)call[0] is 0x1011, // ARCH_GET_CPUID
    };

    // arch/x86/include/asm/fpu/types.h
    private static ReadOnlySpan<byte> Feature(int number) => number switch
    {
        0 => "XFEATURE_FP"u8,
        1 => "XFEATURE_SSE"u8,
        2 => "XFEATURE_YMM"u8,
        3 => "XFEATURE_BNDREGS"u8,
        4 => "XFEATURE_BNDCSR"u8,
        5 => "XFEATURE_OPMASK"u8,
        6 => "XFEATURE_ZMM_Hi256"u8,
        7 => "XFEATURE_Hi16_ZMM"u8,
        8 => "XFEATURE_PT_UNIMPLEMENTED_SO_FAR"u8,
        9 => "XFEATURE_PKRU"u8,
        10 => "XFEATURE_PASID"u8,
        11 => "XFEATURE_CET_USER"u8,
        12 => "XFEATURE_CET_KERNEL"u8,
        15 => "XFEATURE_LBR"u8,
        17 => "XFEATURE_XTILE_CFG"u8,
        18 => "XFEATURE_XTILE_DATA"u8,
        _ => "XFEATURE_???"u8,
    };

    // Names for several bits come first.
    private static void Features(ref CallWriter writer, ulong mask)
    {
        writer.Quote();
        writer.AppendHex(mask);
        if (mask == 0 || writer.IsJson)
        {
            writer.Quote();
            return;
        }

        writer.TextOnly(" /* "u8);
        bool isFirst = true;
        Take(ref writer, ref mask, 0x3, "XFEATURE_MASK_FPSSE"u8, ref isFirst);
        Take(ref writer, ref mask, 0x4, "XFEATURE_MASK_YMM"u8, ref isFirst);
        Take(ref writer, ref mask, 0xe0, "XFEATURE_MASK_AVX512"u8, ref isFirst);
        Take(ref writer, ref mask, 0x18, "XFEATURE_MASK_BNDREGS|XFEATURE_MASK_BNDCSR"u8, ref isFirst);
        Take(ref writer, ref mask, 0x200, "XFEATURE_MASK_PKRU"u8, ref isFirst);
        Take(ref writer, ref mask, 0x60000, "XFEATURE_MASK_XTILE"u8, ref isFirst);
        if (mask != 0)
        {
            writer.TextOnly(isFirst ? ""u8 : "|"u8);
            writer.AppendHex(mask);
        }

        writer.TextOnly(" */"u8);
        writer.Quote();
    }

    private static void Take(ref CallWriter writer, ref ulong mask, ulong bits, ReadOnlySpan<byte> name, ref bool isFirst)
    {
        if ((mask & bits) != bits)
            return;
        mask &= ~bits;
        writer.TextOnly(isFirst ? ""u8 : "|"u8);
        writer.TextOnly(name);
        isFirst = false;
    }

    private static void CloneFlags(ref CallWriter writer, in CallView call, int position) =>
        CloneFlags(ref writer, call[position] & uint.MaxValue);

    private static void CloneFlags(ref CallWriter writer, ulong flags)
    {
        ulong signal = flags & CloneSignal;
        writer.Quote();
        if (flags != signal)
        {
            FlagSets.CloneFlags.Format(ref writer.Line, flags & ~CloneSignal);
            if (signal != 0)
                writer.Line.Append((byte)'|');
        }

        if (signal != 0 && FlagSets.Signals.NameOf(signal) is { IsEmpty: false } name)
            writer.Line.Append(name);
        else if (signal != 0 || flags == 0)
            writer.Line.Append(signal);
        writer.Quote();
    }

    // strace has the stack first, and of the rest only what the flags ask for.
    private static void Clone(ref CallWriter writer, in CallView call)
    {
        // x86-64 has the last two the other way round.
        bool isX64 = call.Arch is SyscallArch.X64 or SyscallArch.X32;
        ulong flags = call[0], tls = call[isX64 ? 4 : 3], childTid = call[isX64 ? 3 : 4];
        writer.TextOnly("child_stack="u8);
        writer.Address(call[1]);
        writer.TextOnly(", flags="u8);
        CloneFlags(ref writer, call, 0);
        if ((flags & (CloneParentSetTid | ClonePidfd)) != 0)
        {
            writer.TextOnly(", parent_tid="u8);
            s_parentTid.Write(ref writer, call, 2);
        }

        if ((flags & CloneSetTls) != 0)
        {
            writer.TextOnly(", tls="u8);
            writer.Hex(tls);
        }

        if ((flags & (CloneChildSetTid | CloneChildClearTid)) != 0)
        {
            writer.TextOnly(", child_tidptr="u8);
            writer.Address(childTid);
        }
    }

    private static void Clone3(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        var bytes = chunk.Bytes;
        if (!chunk.IsRead || bytes.Length < 64)
        {
            writer.Address(call[position]);
            return;
        }

        ulong flags = bytes.U64(0);
        writer.BeginStruct();
        writer.Field("flags"u8);
        writer.Flags(FlagSets.CloneFlags, flags);
        if ((flags & ClonePidfd) != 0)
            Word(ref writer, "pidfd"u8, bytes, 8);
        if ((flags & (CloneChildSetTid | CloneChildClearTid)) != 0)
            Word(ref writer, "child_tid"u8, bytes, 16);
        if ((flags & CloneParentSetTid) != 0)
            Word(ref writer, "parent_tid"u8, bytes, 24);
        writer.Field("exit_signal"u8);
        ulong signal = bytes.U64(32);
        if (signal is > 0 and <= 64)
            SignalSet.WriteSignal(ref writer, (uint)signal);
        else
            writer.Unsigned(signal);
        Word(ref writer, "stack"u8, bytes, 40);
        writer.Field("stack_size"u8);
        writer.Hex(bytes.U64(48));
        if ((flags & CloneSetTls) != 0)
            Word(ref writer, "tls"u8, bytes, 56);
        if (bytes.Length >= 80 && (bytes.U64(64) != 0 || bytes.U64(72) != 0))
        {
            Word(ref writer, "set_tid"u8, bytes, 64);
            writer.Field("set_tid_size"u8, bytes.U64(72));
        }

        if (bytes.Length >= 88 && (flags & CloneIntoCgroup) != 0)
        {
            writer.Field("cgroup"u8, bytes.U64(80));
        }

        writer.EndStruct();
        // The kernel writes to the caller's word what it returns.
        if (!writer.IsJson && call.HasSucceeded && (flags & (CloneParentSetTid | ClonePidfd)) == CloneParentSetTid)
        {
            writer.TextOnly(" => {parent_tid=["u8);
            writer.Number(call.Ret);
            writer.TextOnly("]}"u8);
        }
    }

    private static void Word(ref CallWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes, int at)
    {
        writer.Field(name);
        writer.Address(bytes.U64(at));
    }

    private static void Strings(ref CallWriter writer, in CallView call, int position)
    {
        const int fault = -14;
        var first = call.Find(position);
        // An array without a string leaves nothing, and so does one that could not be read.
        if (call[position] == 0 || IsEndOfArray(first) || (!first.Exists && (!call.HasFailed || call.Ret == fault)))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        for (int index = 0; call.Find(position, index: index) is { Exists: true } chunk; index++)
        {
            if (index >= CallOptions.ElementsMax)
            {
                writer.More();
                break;
            }

            writer.Item();
            if (IsEndOfArray(chunk))
            {
                writer.TextOnly("... /* "u8);
                writer.Address(chunk.Address);
                writer.TextOnly(" */"u8);
                break;
            }

            if (chunk.IsRead)
                writer.String(chunk.Bytes, chunk.IsTruncated);
            else
                writer.Address(chunk.Address);
        }

        writer.EndArray();
    }

    private static bool IsEndOfArray(in CallChunk chunk) =>
        chunk.Exists && !chunk.IsRead && (chunk.Marks & CallChunkMarks.Detailed) != CallChunkMarks.None;

    private static void Environment(ref CallWriter writer, in CallView call, int position)
    {
        writer.Address(call[position]);
        var chunk = call.Find(position, CallChunkKind.Number);
        if (writer.IsJson || !chunk.Has(8))
            return;
        ulong number = chunk.Bytes.U64(0);
        writer.TextOnly(" /* "u8);
        writer.Unsigned(number);
        if (chunk.IsTruncated)
            writer.TextOnly("+"u8);
        writer.TextOnly(number == 1 ? " var */"u8 : " vars */"u8);
    }

    private static void Rseq(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        s_rseq.WriteFields(ref writer, bytes, call);
        writer.Field("__reserved"u8, 0);
        writer.EndStruct();
    }

    private static void RseqCpu(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        switch (bytes.I32(0))
        {
            case -1:
                writer.Word("RSEQ_CPU_ID_UNINITIALIZED"u8);
                break;
            case -2:
                writer.Word("RSEQ_CPU_ID_REGISTRATION_FAILED"u8);
                break;
            default:
                writer.Unsigned(bytes.U32(0));
                break;
        }
    }

    private static void RseqSlice(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        writer.Field("request"u8, bytes[0]);
        writer.Field("granted"u8, bytes[1]);
        writer.Field("__reserved"u8, bytes.U16(2));
        writer.EndStruct();
    }

    private static void ThreadArea(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        if (!chunk.Has(UserDescBytes))
            writer.Address(call[position]);
        else
            UserDesc(ref writer, chunk.Bytes, call);
    }

    private static void UserDesc(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        uint bits = bytes.U32(12);
        writer.BeginStruct();
        writer.Field("entry_number"u8, bytes.I32(0));
        writer.Field("base_addr"u8);
        Padded(ref writer, bytes.U32(4));
        writer.Field("limit"u8);
        Padded(ref writer, bytes.U32(8));
        Bits(ref writer, "seg_32bit"u8, bits & 1);
        Bits(ref writer, "contents"u8, bits >> 1 & 3);
        Bits(ref writer, "read_exec_only"u8, bits >> 3 & 1);
        Bits(ref writer, "limit_in_pages"u8, bits >> 4 & 1);
        Bits(ref writer, "seg_not_present"u8, bits >> 5 & 1);
        Bits(ref writer, "useable"u8, bits >> 6 & 1);
        if (!call.Is32Bit)
            Bits(ref writer, "lm"u8, bits >> 7 & 1);
        writer.EndStruct();
    }

    // printf's %#08x
    private static void Padded(ref CallWriter writer, uint value)
    {
        writer.Quote();
        if (value != 0)
            writer.Line.Append("0x"u8);
        writer.Line.AppendHex(value, digits: value == 0 ? 8 : 6);
        writer.Quote();
    }

    // 0 and 2 fill it, 1 and 0x11 take it.
    private static void Ldt(ref CallWriter writer, in CallView call, int position)
    {
        bool isFilled = (uint)call[0] is 0 or 2;
        var chunk = call.Find(position, output: isFilled);
        if ((uint)call[0] is not (0 or 1 or 2 or 0x11) || call[2] != UserDescBytes || !chunk.Has(UserDescBytes))
            writer.Address(call[position]);
        else
            UserDesc(ref writer, chunk.Bytes, call);
    }

    // Its errors are of 32 bits.
    private static void LdtResult(ref CallWriter writer, in CallView call)
    {
        writer.Unsigned((ulong)call.Ret);
        int error = -(int)call.Ret;
        if (call.Ret is <= uint.MaxValue - 4095 or > uint.MaxValue || Errno.NameUtf8(error).IsEmpty)
            return;
        writer.TextOnly(" "u8);
        writer.TextOnly(Errno.NameUtf8(error));
        writer.TextOnly(" ("u8);
        writer.TextOnly(ErrnoText.Of(error));
        writer.TextOnly(")"u8);
    }

    private static void Bits(ref CallWriter writer, ReadOnlySpan<byte> name, uint value)
    {
        writer.Field(name, value);
    }

    // Of an entry that was to be chosen the kernel writes which it is.
    private static void ThreadAreaResult(ref CallWriter writer, in CallView call)
    {
        var asked = call.Find(0);
        var given = call.Find(0, output: true);
        writer.Number(call.Ret);
        if (!asked.Has(4) || asked.Bytes.I32(0) != -1 || !given.Has(4))
            return;
        writer.TextOnly(" (entry_number="u8);
        writer.Number(given.Bytes.I32(0));
        writer.TextOnly(")"u8);
    }

    private static void Personality(ref CallWriter writer, in CallView call, int position) => Personality(ref writer, (uint)call[position]);

    private static void Personality(ref CallWriter writer, uint value)
    {
        const uint asItIs = 0xffffffff, typeMask = 0xff;
        if (value == asItIs)
        {
            writer.Hex(value);
            return;
        }

        writer.Quote();
        var type = FlagSets.Personalities.NameOf(value & typeMask);
        if (type.IsEmpty)
        {
            writer.AppendHex(value & typeMask);
            writer.Remark("PER_???"u8);
            if ((value & ~typeMask) != 0)
            {
                int start = writer.Line.Length;
                FlagSets.PersonalityFlags.Format(ref writer.Line, value & ~typeMask);
                int separator = writer.Line.Written[start..].IndexOf((byte)'|');
                writer.Line.Replace(start, start + Math.Max(separator, 0), default);
            }
        }
        else
        {
            FlagSets.PersonalityFlags.Format(ref writer.Line, value);
        }

        writer.Quote();
    }

    private static void PersonalityResult(ref CallWriter writer, in CallView call)
    {
        writer.Hex((ulong)call.Ret);
        writer.TextOnly(" ("u8);
        Personality(ref writer, (uint)call.Ret);
        writer.TextOnly(")"u8);
    }

    /// <summary>An argument that the call fills, unless it returned 0 because there was nothing to tell.</summary>
    private sealed class UnlessNothing(Argument inner) : Argument
    {
        public override CallReader Output(int position, CallOptions options, bool is32Bit) => inner.Output(position, options, is32Bit);

        public override void Write(ref CallWriter writer, in CallView call, int position)
        {
            if (call.Ret == 0)
                writer.Address(call[position]);
            else
                inner.Write(ref writer, call, position);
        }
    }
}
