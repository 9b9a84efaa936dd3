using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Veil.Core.Events;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>
/// Writes one value of an event. What differs between the outputs (quotes, escapes, the word for "not known") is the type argument,
/// so each output gets code of its own with no test at run time.
/// </summary>
internal static class FieldWriter
{
    /// <summary>The longest name that an enrichment hands on, in bytes.</summary>
    public const int NameBytesMax = 256;

    private const byte UnknownCommMark = 0xff; // VEIL_COMM_UNKNOWN
    private const ulong UnknownEnumerator = uint.MaxValue;
    private const long ErrnoMax = 4095;
    private const long NeverReturned = long.MinValue;

    /// <summary>An upper bound of the bytes that a value takes in any output.</summary>
    public static int BytesMax(EventValue value) => value.Format switch
    {
        FieldFormat.Comm => BytesMaxOfText(value.Size),
        FieldFormat.Path or FieldFormat.PathIfAny => BytesMaxOfText(EventPart.LengthMax),
        FieldFormat.Call or FieldFormat.CallArguments => 128 * 1024,
        FieldFormat.Constant => BytesMaxOfText(value.Names![0]!.Length),
        FieldFormat.UserName or FieldFormat.ProcName => BytesMaxOfText(NameBytesMax),
        _ => 80, // numbers, and names out of our own tables
    };

    /// <summary>Appends the value.</summary>
    /// <returns>The number of characters that it shows.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
        where TStyle : struct, IValueStyle
    {
        int start = line.Length;
        switch (value.Format)
        {
            case FieldFormat.Comm:
                var comm = value.Of(view.Record);
                if (comm[0] != 0 || comm[1] != UnknownCommMark)
                    return TStyle.Text(ref line, UntilNul(comm));
                TStyle.Unknown(ref line);
                break;
            case FieldFormat.Pid:
                if (BinaryPrimitives.ReadUInt32LittleEndian(value.Of(view.Record)) is var pid && pid != uint.MaxValue)
                    line.Append(pid);
                else
                    TStyle.Unknown(ref line);
                break;
            case FieldFormat.Unsigned:
                line.Append(ReadUnsigned(value.Of(view.Record)));
                break;
            case FieldFormat.SyscallNameAndNumber:
                WriteSyscallName(ref line, value.Of(view.Record));
                line.Append((byte)'(');
                line.Append((long)SyscallNumber(value.Of(view.Record)));
                line.Append((byte)')');
                break;
            case FieldFormat.SyscallForeignArch:
                if (SyscallArchOf(value.Of(view.Record)) is var foreign && foreign != SyscallTable.Native)
                {
                    line.Append("arch="u8);
                    line.Append(SyscallTable.For(foreign).ArchNameUtf8);
                }

                break;
            case FieldFormat.SyscallName:
                TStyle.Quote(ref line);
                WriteSyscallName(ref line, value.Of(view.Record));
                TStyle.Quote(ref line);
                break;
            case FieldFormat.SyscallNumber:
                line.Append((long)SyscallNumber(value.Of(view.Record)));
                break;
            case FieldFormat.SyscallArch:
                TStyle.Quote(ref line);
                line.Append(SyscallTable.For(SyscallArchOf(value.Of(view.Record))).ArchNameUtf8);
                TStyle.Quote(ref line);
                break;
            default:
                return WriteRare<TStyle>(ref line, value, ref view);
        }

        return line.Length - start;
    }

    /// <summary>The bytes behind a value that is text.</summary>
    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => value.Format switch
    {
        FieldFormat.Comm => UntilNul(value.Of(view.Record)),
        FieldFormat.Path => value.PartOf(view.Record).Of(view.Record),
        FieldFormat.Constant => value.Names![0],
        FieldFormat.UserName => view.UserName,
        FieldFormat.ProcName => view.ProcName,
        _ => throw new InvalidOperationException($"{value.Format} is not text"),
    };

    /// <summary>The part of a fixed array that holds text.</summary>
    public static ReadOnlySpan<byte> UntilNul(ReadOnlySpan<byte> array)
    {
        int end = array.IndexOf((byte)0);
        return end < 0 ? array : array[..end];
    }

    private static int WriteRare<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
        where TStyle : struct, IValueStyle
    {
        int start = line.Length;
        switch (value.Format)
        {
            case FieldFormat.Call:
                Calls.CallText.Write(ref line, new Calls.CallView(view.Record, value.Offset), Calls.CallOptions.Current);
                break;
            case FieldFormat.CallArguments:
                Calls.CallText.WriteJson(ref line, new Calls.CallView(view.Record, value.Offset), Calls.CallOptions.Current with { IsJson = true });
                break;
            case FieldFormat.Constant:
                return TStyle.Text(ref line, value.Names![0]);
            case FieldFormat.Path or FieldFormat.PathIfAny:
                var part = value.PartOf(view.Record);
                if (!part.IsAbsent)
                    return TStyle.Path(ref line, part, view.Record);
                if (value.Format == FieldFormat.Path)
                    TStyle.Unknown(ref line);
                break;
            case FieldFormat.Enumerator:
                WriteEnumerator<TStyle>(ref line, value, ReadUnsigned(value.Of(view.Record)));
                break;
            case FieldFormat.Boolean:
                line.Append(ReadUnsigned(value.Of(view.Record)) != 0 ? "true"u8 : "false"u8);
                break;
            case FieldFormat.TruncatedMark:
                line.Append(ReadUnsigned(value.Of(view.Record)) != 0 ? "truncated"u8 : []);
                break;
            case FieldFormat.Hexadecimal:
                TStyle.Quote(ref line);
                line.Append("0x"u8);
                line.AppendHex(ReadUnsigned(value.Of(view.Record)));
                TStyle.Quote(ref line);
                break;
            case FieldFormat.IpAddress:
                TStyle.Quote(ref line);
                IpText.Append(ref line, value.Of(view.Record));
                TStyle.Quote(ref line);
                break;
            case FieldFormat.Signed:
                line.Append(ReadSigned(value.Of(view.Record)));
                break;
            case FieldFormat.UnsignedOrUnknown:
                if (ReadUnsigned(value.Of(view.Record)) is var known && known != ulong.MaxValue)
                    line.Append(known);
                else
                    TStyle.Unknown(ref line);
                break;
            case FieldFormat.UnsignedOrNone:
                if (ReadUnsigned(value.Of(view.Record)) is var some && some != 0)
                    line.Append(some);
                else
                    TStyle.Unknown(ref line);
                break;
            case FieldFormat.Duration:
                if (ReadUnsigned(value.Of(view.Record)) is var duration && duration != ulong.MaxValue)
                    DurationText.Append(ref line, duration);
                else
                    TStyle.Unknown(ref line);
                break;
            case FieldFormat.Return:
                if (ReadSigned(value.Of(view.Record)) is var ret && HasResult(ret))
                    line.Append(ret);
                else
                    TStyle.Unknown(ref line);
                break;
            case FieldFormat.ReturnForPeople:
                WriteReturnForPeople<TStyle>(ref line, ReadSigned(value.Of(view.Record)));
                break;
            case FieldFormat.ErrnoName:
                if (ErrnoOf(value.Of(view.Record)) is var named && named != 0)
                {
                    TStyle.Quote(ref line);
                    WriteErrnoName(ref line, named);
                    TStyle.Quote(ref line);
                }
                else if (ReadSigned(value.Of(view.Record)) == NeverReturned)
                {
                    TStyle.Unknown(ref line);
                }
                else
                {
                    TStyle.NoError(ref line);
                }

                break;
            case FieldFormat.ErrnoNumber:
                if (ReadSigned(value.Of(view.Record)) == NeverReturned)
                    TStyle.Unknown(ref line);
                else
                    line.Append((long)ErrnoOf(value.Of(view.Record)));
                break;
            case FieldFormat.ErrnoNameAndNumber:
                WriteErrnoForPeople<TStyle>(ref line, ReadSigned(value.Of(view.Record)));
                break;
            case FieldFormat.Time:
                TStyle.Quote(ref line);
                TStyle.Time(ref line, view.WallTimeNs);
                TStyle.Quote(ref line);
                break;
            case FieldFormat.Absent:
                TStyle.Unknown(ref line);
                break;
            case FieldFormat.UserName:
                return WriteName<TStyle>(ref line, view.UserName);
            case FieldFormat.ProcName:
                return WriteName<TStyle>(ref line, view.ProcName);
            default:
                throw new InvalidOperationException($"no writer for {value.Format}");
        }

        return line.Length - start;
    }

    private static void WriteEnumerator<TStyle>(ref LineWriter line, EventValue value, ulong number)
        where TStyle : struct, IValueStyle
    {
        if (number < (ulong)value.Names!.Length && value.Names[number] is { } name)
        {
            TStyle.Quote(ref line);
            line.Append(name);
            TStyle.Quote(ref line);
            return;
        }

        if (number == UnknownEnumerator)
            TStyle.Unknown(ref line);
        else
            line.Append(number);
    }

    private static int BytesMaxOfText(int bytes) => (bytes * Escaping.MaxGrowth) + (bytes * 2) + 64; // the text, its exact bytes in hex, their key

    private static int WriteName<TStyle>(ref LineWriter line, ReadOnlySpan<byte> name)
        where TStyle : struct, IValueStyle
    {
        if (!name.IsEmpty)
            return TStyle.Text(ref line, name);
        int start = line.Length;
        TStyle.Unknown(ref line);
        return line.Length - start;
    }

    private static void WriteReturnForPeople<TStyle>(ref LineWriter line, long ret)
        where TStyle : struct, IValueStyle
    {
        if (!HasResult(ret))
        {
            TStyle.Unknown(ref line);
        }
        else if (ret is < -ErrnoMax or > uint.MaxValue)
        {
            // Nobody counts that far: it is an address (mmap, brk).
            line.Append("0x"u8);
            line.AppendHex((ulong)ret);
        }
        else
        {
            line.Append(ret);
        }
    }

    private static void WriteErrnoForPeople<TStyle>(ref LineWriter line, long ret)
        where TStyle : struct, IValueStyle
    {
        if (ret == NeverReturned)
        {
            TStyle.Unknown(ref line);
        }
        else if (ErrnoOf(ret) is var errno && errno != 0)
        {
            WriteErrnoName(ref line, errno);
            line.Append((byte)'(');
            line.Append((long)errno);
            line.Append((byte)')');
        }
        else
        {
            line.Append((byte)'0');
        }
    }

    private static void WriteSyscallName(ref LineWriter line, ReadOnlySpan<byte> syscall)
    {
        int number = SyscallNumber(syscall);
        var name = SyscallTable.For(SyscallArchOf(syscall)).NameUtf8(number);
        if (!name.IsEmpty)
        {
            line.Append(name);
            return;
        }

        line.Append("syscall_"u8);
        line.Append((long)number);
    }

    private static void WriteErrnoName(ref LineWriter line, int errno)
    {
        var name = Errno.NameUtf8(errno);
        if (!name.IsEmpty)
        {
            line.Append(name);
            return;
        }

        line.Append("errno_"u8);
        line.Append((long)errno);
    }

    // Of a call that ended in the middle of a restart only the kernel saw a result, as strace has it: ? ERESTARTSYS.
    private static bool HasResult(long ret) => ret >= 0 || (ret != NeverReturned && !Errno.IsRestart(-ret));

    private static int ErrnoOf(ReadOnlySpan<byte> ret) => ErrnoOf(ReadSigned(ret));

    private static int ErrnoOf(long ret) => ret is >= -ErrnoMax and < 0 ? (int)-ret : 0;

    // struct veil_syscall: a number, and the table that it indexes.
    private static int SyscallNumber(ReadOnlySpan<byte> syscall) => BinaryPrimitives.ReadInt32LittleEndian(syscall);

    private static SyscallArch SyscallArchOf(ReadOnlySpan<byte> syscall) => (SyscallArch)syscall[4];

    private static ulong ReadUnsigned(ReadOnlySpan<byte> value) => value.Length switch
    {
        4 => BinaryPrimitives.ReadUInt32LittleEndian(value),
        8 => BinaryPrimitives.ReadUInt64LittleEndian(value),
        2 => BinaryPrimitives.ReadUInt16LittleEndian(value),
        1 => value[0],
        _ => throw new InvalidOperationException($"no integer has {value.Length} bytes"),
    };

    private static long ReadSigned(ReadOnlySpan<byte> value) => value.Length switch
    {
        8 => BinaryPrimitives.ReadInt64LittleEndian(value),
        4 => BinaryPrimitives.ReadInt32LittleEndian(value),
        2 => BinaryPrimitives.ReadInt16LittleEndian(value),
        1 => (sbyte)value[0],
        _ => throw new InvalidOperationException($"no integer has {value.Length} bytes"),
    };
}
