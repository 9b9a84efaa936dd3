// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>What comes with a signal: a <c>siginfo_t</c>. That of 64-bit processes is the kernel's own <c>struct kernel_siginfo</c>
/// too.</summary>
internal static class SignalInfo
{
    /// <summary>Bytes of it that mean something.</summary>
    public const int SizeBytes = 48;

    // include/uapi/asm-generic/siginfo.h
    private const int SiTimer = -2, SiSigio = -5, SiTkill = -6, SiUser = 0;
    private const int Ill = 4, Trap = 5, Bus = 7, Fpe = 8, Segv = 11, Chld = 17, Io = 29, Sys = 31; // the same on x86 and arm64
    private const int SegvBounds = 3, SegvKey = 4, BusLeast = 4, BusMost = 5, ChildExited = 1;

    /// <summary>An argument that the call reads.</summary>
    public static Argument Input { get; } = new StructArgument(SizeBytes, Write);

    /// <summary>An argument that the call fills.</summary>
    public static Argument Output { get; } = new StructArgument(SizeBytes, Write) { IsOutput = true };

    /// <summary>Writes it as strace does: <c>{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=…}</c>.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="bytes">The structure.</param>
    /// <param name="word">Bytes of an address and of <c>long</c> in it.</param>
    public static void Write(ref CallWriter writer, ReadOnlySpan<byte> bytes, int word)
    {
        int signal = bytes.I32(0), error = bytes.I32(4), code = bytes.I32(8);
        if (signal == 0)
        {
            writer.BeginStruct();
            writer.EndStruct();
            return;
        }

        writer.BeginStruct();
        writer.Field("si_signo"u8);
        SignalSet.WriteSignal(ref writer, (uint)signal);
        writer.Field("si_code"u8);
        WriteCode(ref writer, signal, code);
        if (error != 0)
        {
            writer.Field("si_errno"u8);
            if (Errno.NameUtf8(error) is { IsEmpty: false } name)
                writer.Word(name);
            else
                writer.Number(error);
        }

        // What the signal brings is behind the three numbers, aligned to a word.
        var rest = bytes[(word == 8 ? 16 : 12)..];
        if (code <= SiUser)
            WriteSent(ref writer, rest, code, word);
        else
            WriteRaised(ref writer, rest, signal, code, word);
        writer.EndStruct();
    }

    private static void Write(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
        Write(ref writer, bytes, call.WordBytes);

    // Behind two ids and a status; times of 64 bits are aligned.
    private static int TimesOffset(int word) => word == 8 ? 16 : 12;

    private static void WriteCode(ref CallWriter writer, int signal, int code)
    {
        var name = SignalNames.CodeUtf8(signal, code);
        if (name.IsEmpty)
            writer.Hex((uint)code);
        else
            writer.Word(name);
    }

    // By a process.
    private static void WriteSent(ref CallWriter writer, ReadOnlySpan<byte> info, int code, int word)
    {
        switch (code)
        {
            case SiTimer:
                writer.Field("si_timerid"u8);
                writer.Hex(info.U32(0));
                writer.Field("si_overrun"u8, info.I32(4));
                WriteValue(ref writer, info, word);
                break;
            case SiSigio:
                WriteBand(ref writer, info, word);
                break;
            default:
                WriteSender(ref writer, info);
                if (code is not (SiUser or SiTkill) && info[8..].UWord(0, word) != 0)
                    WriteValue(ref writer, info, word);
                break;
        }
    }

    // By the kernel.
    private static void WriteRaised(ref CallWriter writer, ReadOnlySpan<byte> info, int signal, int code, int word)
    {
        switch (signal)
        {
            case Chld:
                WriteSender(ref writer, info);
                writer.Field("si_status"u8);
                if (code == ChildExited)
                    writer.Number(info.I32(8));
                else
                    SignalSet.WriteSignal(ref writer, info.U32(8));
                WriteClock(ref writer, "si_utime"u8, info[TimesOffset(word)..].Word(0, word));
                WriteClock(ref writer, "si_stime"u8, info[TimesOffset(word)..].Word(1, word));
                break;
            case Ill or Trap or Bus or Fpe or Segv:
                WriteFault(ref writer, info, signal, code, word);
                break;
            case Io:
                // POLL_IN to POLL_HUP
                if (code <= 6)
                    WriteBand(ref writer, info, word);
                break;
            case Sys:
                WriteCall(ref writer, info, word);
                break;
            default:
                if (info.U64(0) != 0)
                    WriteSender(ref writer, info);
                if (info[8..].UWord(0, word) != 0)
                    WriteValue(ref writer, info, word);
                break;
        }
    }

    private static void WriteFault(ref CallWriter writer, ReadOnlySpan<byte> info, int signal, int code, int word)
    {
        WriteAddress(ref writer, "si_addr"u8, info.UWord(0, word));
        switch (signal, code)
        {
            case (Segv, SegvBounds):
                WriteAddress(ref writer, "si_lower"u8, info.UWord(2, word));
                WriteAddress(ref writer, "si_upper"u8, info.UWord(3, word));
                break;
            case (Segv, SegvKey):
                writer.Field("si_pkey"u8, info.U32(2 * word));
                break;
            case (Bus, BusLeast or BusMost):
                writer.Field("si_addr_lsb"u8);
                writer.Hex(info.U16(word));
                break;
        }
    }

    private static void WriteCall(ref CallWriter writer, ReadOnlySpan<byte> info, int word)
    {
        int number = info.I32(word);
        uint audit = info.U32(word + 4);
        WriteAddress(ref writer, "si_call_addr"u8, info.UWord(0, word));
        writer.Field("si_syscall"u8);
        // include/uapi/linux/audit.h
        SyscallArch? arch = audit switch
        {
            0xc000003e => SyscallArch.X64,
            0x40000003 => SyscallArch.I386,
            0xc00000b7 => SyscallArch.Arm64,
            0x40000028 => SyscallArch.Arm,
            _ => null,
        };
        var name = arch is { } table ? SyscallTable.For(table).NameUtf8(number) : default;
        if (!name.IsEmpty && arch == SyscallTable.Native)
        {
            writer.Quote();
            writer.Line.Append("__NR_"u8);
            writer.Line.Append(name);
            writer.Quote();
        }
        else
        {
            writer.Unsigned((uint)number);
            if (!name.IsEmpty)
                writer.Remark(name);
        }

        writer.Field("si_arch"u8);
        switch (arch)
        {
            case SyscallArch.X64:
                writer.Word("AUDIT_ARCH_X86_64"u8);
                break;
            case SyscallArch.I386:
                writer.Word("AUDIT_ARCH_I386"u8);
                break;
            case SyscallArch.Arm64:
                writer.Word("AUDIT_ARCH_AARCH64"u8);
                break;
            case SyscallArch.Arm:
                writer.Word("AUDIT_ARCH_ARM"u8);
                break;
            default:
                writer.Quote();
                writer.AppendHex(audit);
                writer.Remark("AUDIT_ARCH_???"u8);
                writer.Quote();
                break;
        }
    }

    private static void WriteSender(ref CallWriter writer, ReadOnlySpan<byte> info)
    {
        writer.Field("si_pid"u8, info.I32(0));
        writer.Field("si_uid"u8, info.U32(4));
    }

    private static void WriteValue(ref CallWriter writer, ReadOnlySpan<byte> info, int word)
    {
        writer.Field("si_int"u8, info.I32(8));
        WriteAddress(ref writer, "si_ptr"u8, info[8..].UWord(0, word));
    }

    private static void WriteBand(ref CallWriter writer, ReadOnlySpan<byte> info, int word)
    {
        writer.Field("si_band"u8, info.Word(0, word));
        writer.Field("si_fd"u8, info.I32(word));
    }

    private static void WriteAddress(ref CallWriter writer, ReadOnlySpan<byte> field, ulong address)
    {
        writer.Field(field);
        writer.Address(address);
    }

    // Ticks of 1/100 s, with the seconds as a remark.
    private static void WriteClock(ref CallWriter writer, ReadOnlySpan<byte> field, long ticks)
    {
        writer.Field(field, ticks);
        if (ticks <= 0 || writer.IsJson)
            return;
        writer.TextOnly(" /* "u8);
        writer.Line.Append(ticks / 100);
        writer.Line.Append((byte)'.');
        writer.Line.AppendPadded((uint)(ticks % 100), 2);
        writer.TextOnly(" s */"u8);
    }
}
