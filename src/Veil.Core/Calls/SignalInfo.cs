// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

/// <summary>A <c>siginfo_t</c>.</summary>
internal static class SignalInfo
{
    /// <summary>Bytes of it that are read.</summary>
    public const int SizeBytes = 64;

    // include/uapi/asm-generic/siginfo.h
    private const int User = 0, Timer = -2, ThreadKill = -6;
    private const uint Ill = 4, Trap = 5, Bus = 7, Fpe = 8, Segv = 11, Child = 17, Io = 29, Sys = 31;
    private const int ChildExited = 1;

    /// <summary>An argument that the call reads.</summary>
    public static Argument Input { get; } = new StructArgument(SizeBytes, Write);

    /// <summary>An argument that the call fills.</summary>
    public static Argument Output { get; } = new StructArgument(SizeBytes, Write) { IsOutput = true };

    /// <summary>Writes it.</summary>
    public static void Write(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) => Write(ref writer, bytes, call.Is32Bit ? 4 : 8);

    /// <summary>The same, where a word has 4 or 8 bytes.</summary>
    public static void Write(ref CallWriter writer, ReadOnlySpan<byte> bytes, int word)
    {
        uint signal = bytes.U32(0);
        int code = bytes.I32(8), error = bytes.I32(4);
        writer.BeginStruct();
        if (signal != 0)
        {
            writer.Field("si_signo"u8);
            SignalSet.WriteSignal(ref writer, signal);
            writer.Field("si_code"u8);
            Code(ref writer, signal, code);
            if (error != 0)
            {
                writer.Field("si_errno"u8);
                if (error > 0 && Errno.NameUtf8(error) is { IsEmpty: false } name)
                    writer.Word(name);
                else
                    writer.Number(error);
            }

            // What the signal brings is behind the three numbers, aligned to a word.
            Rest(ref writer, bytes[(word == 8 ? 16 : 12)..], signal, code, word);
        }

        writer.EndStruct();
    }

    private static void Code(ref CallWriter writer, uint signal, int code)
    {
        var set = signal switch
        {
            _ when code is <= 0 or 0x80 => FlagSets.SiginfoCodes,
            Child => FlagSets.SigchldCodes,
            Segv => FlagSets.SigsegvCodes,
            Bus => FlagSets.SigbusCodes,
            Fpe => FlagSets.SigfpeCodes,
            Ill => FlagSets.SigillCodes,
            Trap => FlagSets.SigtrapCodes,
            Io => FlagSets.SigpollCodes,
            _ => FlagSets.SiginfoCodes,
        };
        if (signal == Sys && code == 1)
            writer.Word("SYS_SECCOMP"u8);
        else if (set.NameOf((uint)code) is { IsEmpty: false } name)
            writer.Word(name);
        else
            writer.Hex((uint)code);
    }

    private static void Rest(ref CallWriter writer, ReadOnlySpan<byte> bytes, uint signal, int code, int word)
    {
        switch (signal)
        {
            case var _ when code == Timer:
                writer.Field("si_timerid"u8);
                writer.Hex(bytes.U32(0));
                writer.Field("si_overrun"u8);
                writer.Number(bytes.I32(4));
                Value(ref writer, bytes, word);
                break;
            case Child when code > 0:
                Sender(ref writer, bytes);
                writer.Field("si_status"u8);
                if (code == ChildExited)
                    writer.Number(bytes.I32(8));
                else
                    SignalSet.WriteSignal(ref writer, bytes.U32(8));
                writer.Field("si_utime"u8);
                writer.Unsigned(bytes[(word == 8 ? 16 : 12)..].UWord(0, word));
                writer.Field("si_stime"u8);
                writer.Unsigned(bytes[(word == 8 ? 16 : 12)..].UWord(1, word));
                break;
            case Ill or Trap or Bus or Fpe or Segv when code > 0:
                writer.Field("si_addr"u8);
                writer.Address(bytes.UWord(0, word));
                break;
            case Io when code > 0:
                writer.Field("si_band"u8);
                writer.Number(bytes.Word(0, word));
                writer.Field("si_fd"u8);
                writer.Number(bytes.I32(word));
                break;
            case Sys when code > 0:
                writer.Field("si_call_addr"u8);
                writer.Address(bytes.UWord(0, word));
                writer.Field("si_syscall"u8);
                SystemCall(ref writer, bytes.U32(word), bytes.U32(word + 4));
                writer.Field("si_arch"u8);
                Arch(ref writer, bytes.U32(word + 4));
                break;
            default:
                Sender(ref writer, bytes);
                if (code is not (User or ThreadKill))
                    Value(ref writer, bytes, word);
                break;
        }
    }

    private static void Sender(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.Field("si_pid"u8);
        writer.Number(bytes.I32(0));
        writer.Field("si_uid"u8);
        writer.Unsigned(bytes.U32(4));
    }

    private static void Value(ref CallWriter writer, ReadOnlySpan<byte> bytes, int word)
    {
        ulong value = bytes[8..].UWord(0, word);
        if (value == 0)
            return;
        writer.Field("si_int"u8);
        writer.Number((int)value);
        writer.Field("si_ptr"u8);
        writer.Address(value);
    }

    // include/uapi/linux/audit.h
    private static void Arch(ref CallWriter writer, uint arch)
    {
        switch (arch)
        {
            case 0xc000003e:
                writer.Word("AUDIT_ARCH_X86_64"u8);
                break;
            case 0x40000003:
                writer.Word("AUDIT_ARCH_I386"u8);
                break;
            case 0xc00000b7:
                writer.Word("AUDIT_ARCH_AARCH64"u8);
                break;
            default:
                writer.Hex(arch);
                break;
        }
    }

    private static void SystemCall(ref CallWriter writer, uint number, uint arch)
    {
        var table = SyscallTable.For(arch switch { 0x40000003 => SyscallArch.I386, 0xc00000b7 => SyscallArch.Arm64, _ => SyscallArch.X64 });
        var name = table.NameUtf8((int)number);
        if (name.IsEmpty)
        {
            writer.Hex(number);
            return;
        }

        writer.Quote();
        writer.Line.Append("__NR_"u8);
        writer.Line.Append(name);
        writer.Quote();
    }
}
