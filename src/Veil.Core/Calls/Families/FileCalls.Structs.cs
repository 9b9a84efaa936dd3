// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;

namespace Veil.Core.Calls;

internal static partial class FileCalls
{

    private static readonly Argument s_stat = new StructArgument(144, Stat) { Size32 = 64, IsOutput = true };
    // struct __old_kernel_stat
    private static readonly Argument s_oldStat = new StructArgument(20, static (ref CallWriter writer, ReadOnlySpan<byte> bytes,
        in CallView _) => Stat(ref writer, bytes.U16(4), bytes.U16(12), bytes.U32(16)))
    { IsOutput = true };

    private static readonly Argument s_stat64 = new StructArgument(96, Stat64) { IsOutput = true };
    private static readonly Argument s_statfs = new StructArgument(120, Statfs) { Size32 = 64, IsOutput = true };
    private static readonly Argument s_timevals =
        new StructArgument(32, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
            Times.WriteMoments(ref writer, bytes, isMicro: true))
        { Size32 = 16 };

    private static readonly Argument s_timespecs = new StructArgument(32, Moments) { Size32 = 16 };
    private static readonly Argument s_offsetIn = new StructArgument(8, Bracketed64);
    private static readonly Argument s_movedOffset = new OwnArgument(MovedOffset)
    {
        Begin = new(CallRead.Fixed, 8, 8),
        End = new(CallRead.Fixed, 8, 8)
    };

    // struct file_handle: the sizes, and up to MAX_HANDLE_SZ bytes.
    private static readonly Argument s_handleOut = new OwnArgument(HandleOut)
    {
        Begin = new(CallRead.Fixed, 8, 8),
        End = new(CallRead.Sized, 8, 136)
    };
    private static readonly Argument s_handleIn = new OwnArgument(HandleIn) { Begin = new(CallRead.Sized, 8, 136) };

    private static void OpenHow(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        ulong flags = bytes.U64(0), mode = bytes.U64(8);
        writer.BeginStruct();
        writer.Field("flags"u8);
        writer.Flags(FlagSets.Open, flags);
        if (mode != 0 || FileArguments.IsCreating(flags))
        {
            writer.Field("mode"u8);
            writer.Octal(mode);
        }

        writer.Field("resolve"u8);
        writer.Flags(FlagSets.OpenResolve, bytes.U64(16));
        StructTail.Write(ref writer, call, 2, 24);
        writer.EndStruct();
    }

    private static void Stat(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        // include/uapi/asm-generic/stat.h, and x86's own two.
        switch (call.Arch)
        {
            case SyscallArch.I386:
                Stat(ref writer, bytes.U16(8), bytes.U16(16), bytes.U32(20));
                break;
            case SyscallArch.Arm64:
                Stat(ref writer, bytes.U32(16), bytes.U64(32), bytes.I64(48));
                break;
            default:
                Stat(ref writer, bytes.U32(24), bytes.U64(40), bytes.I64(48));
                break;
        }
    }

    private static void Stat64(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
        Stat(ref writer, bytes.U32(16), bytes.U64(32), bytes.I64(44));

    private static void Stat(ref CallWriter writer, uint mode, ulong device, long size)
    {
        writer.BeginStruct();
        writer.Field("st_mode"u8);
        FileArguments.TypedMode(ref writer, mode);
        if ((mode & 0xf000) is 0x2000 or 0x6000)
        {
            writer.Field("st_rdev"u8);
            FileArguments.Device(ref writer, device);
        }
        else
        {
            writer.Field("st_size"u8, size);
        }

        writer.More();
        writer.EndStruct();
    }

    private static void StatxFlags(ref CallWriter writer, in CallView call, int position)
    {
        const uint syncs = 0x6000; // AT_STATX_SYNC_TYPE, whose 0 has a name
        uint flags = (uint)call[position];
        if ((flags & syncs) != 0)
        {
            writer.Flags(FlagSets.AtStatx, flags);
            return;
        }

        writer.Quote();
        writer.Line.Append("AT_STATX_SYNC_AS_STAT"u8);
        if (flags != 0)
        {
            writer.Line.Append((byte)'|');
            FlagSets.AtStatx.Format(ref writer.Line, flags);
        }

        writer.Quote();
    }

    private static void Statx(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        writer.Field("stx_mask"u8);
        writer.Flags(FlagSets.StatxMask, bytes.U32(0));
        writer.Field("stx_attributes"u8);
        writer.Flags(FlagSets.StatxAttributes, bytes.U64(8));
        writer.Field("stx_mode"u8);
        FileArguments.TypedMode(ref writer, bytes.U16(28));
        writer.Field("stx_size"u8, bytes.U64(40));
        writer.More();
        writer.EndStruct();
    }

    // All fields are words, but f_fsid, which is two int.
    private static void Statfs(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        int word = call.WordBytes;
        StatfsHead(ref writer, bytes.UWord(0, word), bytes.UWord(1, word));
        for (int field = 0; field < 5; field++)
            StatfsCount(ref writer, field, bytes.UWord(2 + field, word));
        StatfsTail(ref writer, bytes[(7 * word)..], word);
    }

    private static void Statfs64(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        StatfsHead(ref writer, bytes.U32(0), bytes.U32(4));
        for (int field = 0; field < 5; field++)
            StatfsCount(ref writer, field, bytes.U64(8 + (8 * field)));
        StatfsTail(ref writer, bytes[48..], 4);
    }

    private static void StatfsHead(ref CallWriter writer, ulong type, ulong blockSize)
    {
        writer.BeginStruct();
        writer.Field("f_type"u8);
        writer.Name(FlagSets.StatfsTypes, (uint)type);
        writer.Field("f_bsize"u8, blockSize);
    }

    private static void StatfsCount(ref CallWriter writer, int field, ulong value)
    {
        writer.Field(field switch { 0 => "f_blocks"u8, 1 => "f_bfree"u8, 2 => "f_bavail"u8, 3 => "f_files"u8, _ => "f_ffree"u8 }, value);
    }

    private static void StatfsTail(ref CallWriter writer, ReadOnlySpan<byte> bytes, int word)
    {
        writer.Field("f_fsid"u8);
        writer.BeginStruct();
        writer.Field("val"u8);
        writer.BeginArray();
        writer.Item();
        writer.Hex(bytes.U32(0));
        writer.Item();
        writer.Hex(bytes.U32(4));
        writer.EndArray();
        writer.EndStruct();
        writer.Field("f_namelen"u8, bytes[8..].UWord(0, word));
        writer.Field("f_frsize"u8, bytes[8..].UWord(1, word));
        writer.Field("f_flags"u8);
        writer.Flags(FlagSets.StatfsFlags, bytes[8..].UWord(2, word));
        writer.EndStruct();
    }

    private static void Utimbuf(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        for (int index = 0; index < 2; index++)
        {
            long seconds = bytes.Word(index, call.WordBytes);
            writer.Field(index == 0 ? "actime"u8 : "modtime"u8, seconds);
            Times.Remark(ref writer, seconds, 0, 9);
        }

        writer.EndStruct();
    }

    private static void Moments(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) =>
        Times.WriteMoments(ref writer, bytes, isMicro: false);

    private static void Bracketed(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginArray();
        writer.Number(bytes.I32(0));
        writer.EndArray();
    }

    private static void Bracketed64(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginArray();
        writer.Number(bytes.I64(0));
        writer.EndArray();
    }

    private static void HighOffset(ref CallWriter writer, in CallView call, int position) =>
        writer.Number((long)(((ulong)(uint)call[position] << 32) | (uint)call[position + 1]));

    // [2 => 7]: where it was, and where it is after the call.
    private static void MovedOffset(ref CallWriter writer, in CallView call, int position)
    {
        var before = call.Find(position);
        var after = call.Find(position, output: true);
        if (!before.Has(8))
        {
            writer.Address(call[position]);
            return;
        }

        // i386's sendfile has one of 4 bytes.
        bool isShort = call.Is32Bit && call.Number == 187;
        writer.BeginArray();
        writer.Item();
        writer.Number(isShort ? before.Bytes.I32(0) : before.Bytes.I64(0));
        if (call.Ret > 0 && after.Has(8))
        {
            if (writer.IsJson)
                writer.Item();
            writer.TextOnly(" => "u8);
            writer.Number(isShort ? after.Bytes.I32(0) : after.Bytes.I64(0));
        }

        writer.EndArray();
    }

    private static void XattrArgs(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        bool isGet = call.Find(4, CallChunkKind.Nested, output: true).Exists;
        var value = call.Find(4, CallChunkKind.Nested, output: isGet);
        int size = (int)Math.Min(isGet ? (ulong)Math.Max(call.Ret, 0) : bytes.U32(8), int.MaxValue);
        writer.BeginStruct();
        writer.Field("value"u8);
        if (value.IsRead && size > 0 && bytes.U32(8) != 0)
            writer.String(writer.Cut(value.Bytes[..Math.Min(size, value.Bytes.Length)]), size > Math.Min(value.Bytes.Length,
                writer.Options.StringSize));
        else
            writer.Address(bytes.U64(0));
        writer.Field("size"u8, bytes.U32(8));
        writer.Field("flags"u8);
        writer.Flags(FlagSets.XattrFlags, bytes.U32(12));
        StructTail.Write(ref writer, call, 4, 16);
        writer.EndStruct();
    }

    private static void FileAttributes(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        bool isGet = call.Find(2, output: true).Exists;
        writer.BeginStruct();
        writer.Field("fa_xflags"u8);
        writer.Flags(FlagSets.FileXflags, bytes.U64(0));
        writer.Field("fa_extsize"u8, bytes.U32(8));
        if (isGet)
        {
            writer.Field("fa_nextents"u8, bytes.U32(12));
        }

        writer.Field("fa_projid"u8, bytes.U32(16));
        writer.Field("fa_cowextsize"u8, bytes.U32(20));
        StructTail.Write(ref writer, call, 2, 24);
        writer.EndStruct();
    }

    // include/uapi/asm-generic/hugetlb_encode.h
    private static void MemfdFlags(ref CallWriter writer, in CallView call, int position)
    {
        const int hugeShift = 26;
        const uint hugeMask = 0x3f;
        uint flags = (uint)call[position], huge = flags >> hugeShift, others = flags & ~(hugeMask << hugeShift);
        writer.Quote();
        if (others != 0 || huge == 0)
            FlagSets.MemfdFlags.Format(ref writer.Line, others);
        if (huge != 0)
        {
            if (others != 0)
                writer.Line.Append((byte)'|');
            writer.Line.Append((ulong)huge);
            writer.Line.Append("<<MFD_HUGE_SHIFT"u8);
        }
        else if (others != 0 && FlagSets.MemfdFlags.NameOf(others & (~others + 1)).IsEmpty && (others & 0x1f) == 0)
        {
            writer.Remark("MFD_???"u8);
        }

        writer.Quote();
    }

    private static void HandleIn(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        if (!chunk.Has(8))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginStruct();
        writer.Field("handle_bytes"u8, chunk.Bytes.U32(0));
        HandleRest(ref writer, chunk.Bytes);
        writer.EndStruct();
    }

    private static void HandleOut(ref CallWriter writer, in CallView call, int position)
    {
        var before = call.Find(position);
        var after = call.Find(position, output: true);
        if (!before.Has(8))
        {
            writer.Address(call[position]);
            return;
        }

        const int overflow = -75; // EOVERFLOW: it says how much room it needs
        bool isFilled = !call.HasFailed && after.Has(8);
        uint room = before.Bytes.U32(0);
        writer.BeginStruct();
        writer.Field("handle_bytes"u8);
        if (!isFilled || !writer.IsJson)
            writer.Unsigned(room);
        if (call.Ret == overflow && after.Has(4) && after.Bytes.U32(0) != room && !writer.IsJson)
        {
            writer.TextOnly(" => "u8);
            writer.Unsigned(after.Bytes.U32(0));
        }

        if (isFilled)
        {
            uint size = after.Bytes.U32(0);
            if (writer.IsJson)
            {
                writer.Unsigned(size);
            }
            else if (size != room)
            {
                writer.TextOnly(" => "u8);
                writer.Unsigned(size);
            }

            HandleRest(ref writer, after.Bytes);
        }

        writer.EndStruct();
    }

    private static void HandleRest(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        var handle = bytes[8..];
        uint size = bytes.U32(0);
        writer.Field("handle_type"u8, bytes.I32(4));
        writer.Field("f_handle"u8);
        if ((uint)handle.Length < Math.Min(size, 128))
        {
            writer.Word("???"u8);
            return;
        }

        if (size < (uint)handle.Length)
            handle = handle[..(int)size];
        FileArguments.HexString(ref writer, writer.Cut(handle), handle.Length > writer.Options.StringSize || size > (uint)handle.Length);
    }

    private static void Entries(ref CallWriter writer, in CallView call, int position)
    {
        writer.Address(call[position]);
        var chunk = call.Find(position, CallChunkKind.Number, output: true);
        if (writer.IsJson || !call.HasSucceeded || (call.Ret != 0 && !chunk.IsRead))
            return;
        ulong entries = call.Ret == 0 ? 0 : chunk.Bytes.U64(0);
        writer.TextOnly(" /* "u8);
        writer.Unsigned(entries);
        writer.TextOnly(entries == 1 ? " entry */"u8 : " entries */"u8);
    }
}
