// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary><c>ioctl</c>: the names of all requests, the arguments of the common ones.</summary>
internal static class IoctlCalls
{
    private const uint TcGets = 0x5401, TcSets = 0x5402, TcSetsWait = 0x5403, TcSetsFlush = 0x5404, TcSendBreak = 0x5409, TcXonc = 0x540a,
        TcFlush = 0x540b;
    private const uint TiocExclusive = 0x540c, TiocNotExclusive = 0x540d, TiocControlling = 0x540e, TiocGetGroup = 0x540f,
        TiocSetGroup = 0x5410;
    private const uint TiocOutputQueue = 0x5411, TiocGetSize = 0x5413, TiocSetSize = 0x5414, FioRead = 0x541b, FioNonBlocking = 0x5421,
        TiocNotTty = 0x5422;
    private const uint TiocGetSession = 0x5429, FioNotCloexec = 0x5450, FioCloexec = 0x5451, FioAsync = 0x5452;
    private const uint TiocPtyNumber = 0x80045430, TiocPtyLock = 0x40045431, FiClone = 0x40049409, GetFileFlags = 0x80086601,
        SetFileFlags = 0x40086602;
    private const int TermiosBytes = 36, FilledBytes = 36;

    /// <summary>It.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        new("ioctl", Fd, new OwnArgument(Request), new OwnArgument(Argument)
        {
            Begin = new(CallRead.Fixed, FilledBytes, FilledBytes),
            End = new(CallRead.Fixed, FilledBytes, FilledBytes),
            Omitted = static (in CallView call, int _) =>
                (uint)call[1] is FioCloexec or FioNotCloexec or TiocExclusive or TiocNotExclusive or TiocNotTty,
        }),
    ];

    private static void Request(ref CallWriter writer, in CallView call, int position)
    {
        uint request = (uint)call[position];
        // Those of include/uapi/linux/fs.h that the generated table has not, or that btrfs has as its own.
        var name = request switch
        {
            1 => "FIBMAP"u8,
            2 => "FIGETBSZ"u8,
            GetFileFlags => "FS_IOC_GETFLAGS"u8,
            SetFileFlags => "FS_IOC_SETFLAGS"u8,
            FiClone => "BTRFS_IOC_CLONE or FICLONE"u8,
            0x4020940d => "BTRFS_IOC_CLONE_RANGE or FICLONERANGE"u8,
            0xc0189436 => "BTRFS_IOC_FILE_EXTENT_SAME or FIDEDUPERANGE"u8,
            _ => FlagSets.IoctlRequests.NameOf(request),
        };
        if (!name.IsEmpty)
        {
            writer.Word(name);
            return;
        }

        // include/uapi/asm-generic/ioctl.h: direction, size, type and number.
        writer.Quote();
        writer.Line.Append("_IOC("u8);
        writer.Line.Append((request >> 30) switch
        {
            0 => "_IOC_NONE"u8,
            1 => "_IOC_WRITE"u8,
            2 => "_IOC_READ"u8,
            _ => "_IOC_READ|_IOC_WRITE"u8
        });
        writer.Line.Append(", "u8);
        writer.AppendHex((request >> 8) & 0xff);
        writer.Line.Append(", "u8);
        writer.AppendHex(request & 0xff);
        writer.Line.Append(", "u8);
        writer.AppendHex((request >> 16) & 0x3fff);
        writer.Line.Append((byte)')');
        writer.Quote();
    }

    private static void Argument(ref CallWriter writer, in CallView call, int position)
    {
        uint request = (uint)call[1];
        var before = call.Find(position);
        var after = call.Find(position, output: true);
        switch (request)
        {
            case TcGets when after.Has(TermiosBytes):
                Termios(ref writer, after.Bytes);
                break;
            case TcSets or TcSetsWait or TcSetsFlush when before.Has(TermiosBytes):
                Termios(ref writer, before.Bytes);
                break;
            case TiocGetSize when after.Has(8):
                WindowSize(ref writer, after.Bytes);
                break;
            case TiocSetSize when before.Has(8):
                WindowSize(ref writer, before.Bytes);
                break;
            case TiocGetGroup or TiocOutputQueue or FioRead or TiocGetSession or TiocPtyNumber when after.Has(4):
                Number(ref writer, after.Bytes.I32(0));
                break;
            case TiocSetGroup or FioNonBlocking or FioAsync or TiocPtyLock when before.Has(4):
                Number(ref writer, before.Bytes.I32(0));
                break;
            case GetFileFlags when after.Has(4):
                FileFlags(ref writer, after.Bytes.U32(0));
                break;
            case SetFileFlags when before.Has(4):
                FileFlags(ref writer, before.Bytes.U32(0));
                break;
            case TcFlush:
                writer.Word((uint)call[position] switch { 0 => "TCIFLUSH"u8, 1 => "TCOFLUSH"u8, 2 => "TCIOFLUSH"u8, _ => "TC???FLUSH"u8 });
                break;
            case TcXonc:
                writer.Word((uint)call[position] switch
                {
                    0 => "TCOOFF"u8,
                    1 => "TCOON"u8,
                    2 => "TCIOFF"u8,
                    3 => "TCION"u8,
                    _ => "TC???"u8
                });
                break;
            case FiClone or TcSendBreak or TiocControlling:
                writer.Number(call.Int(position));
                break;
            case (>= TcGets and <= TcSetsFlush) or TiocGetSize or TiocSetSize or TiocGetGroup or TiocSetGroup or TiocOutputQueue or FioRead
                or FioNonBlocking
                or FioAsync or TiocGetSession or TiocPtyNumber or TiocPtyLock or GetFileFlags or SetFileFlags:
                writer.Address(call[position]);
                break;
            default:
                writer.Hex(call[position]);
                break;
        }
    }

    private static void Number(ref CallWriter writer, int value)
    {
        writer.BeginArray();
        writer.Number(value);
        writer.EndArray();
    }

    private static void WindowSize(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.BeginStruct();
        writer.Field("ws_row"u8, bytes.U16(0));
        writer.Field("ws_col"u8, bytes.U16(2));
        writer.Field("ws_xpixel"u8, bytes.U16(4));
        writer.Field("ws_ypixel"u8, bytes.U16(6));
        writer.EndStruct();
    }

    private static void FileFlags(ref CallWriter writer, uint flags)
    {
        writer.BeginArray();
        Bits(ref writer, flags, "FS_SECRM_FL FS_UNRM_FL FS_COMPR_FL FS_SYNC_FL FS_IMMUTABLE_FL FS_APPEND_FL FS_NODUMP_FL "u8 +
            "FS_NOATIME_FL FS_DIRTY_FL FS_COMPRBLK_FL FS_NOCOMP_FL FS_ENCRYPT_FL FS_INDEX_FL FS_IMAGIC_FL FS_JOURNAL_DATA_FL "u8 +
            "FS_NOTAIL_FL FS_DIRSYNC_FL FS_TOPDIR_FL FS_HUGE_FILE_FL FS_EXTENT_FL FS_VERITY_FL FS_EA_INODE_FL FS_EOFBLOCKS_FL "u8 +
            "FS_NOCOW_FL - FS_DAX_FL - - FS_INLINE_DATA_FL FS_PROJINHERIT_FL FS_CASEFOLD_FL FS_RESERVED_FL"u8);
        writer.EndArray();
    }

    // include/uapi/asm-generic/termbits.h
    private static void Termios(ref CallWriter writer, ReadOnlySpan<byte> bytes)
    {
        uint output = bytes.U32(4), control = bytes.U32(8), local = bytes.U32(12);
        writer.BeginStruct();
        writer.Field("c_iflag"u8);
        Bits(ref writer, bytes.U32(0), "IGNBRK BRKINT IGNPAR PARMRK INPCK ISTRIP INLCR IGNCR ICRNL IUCLC IXON IXANY IXOFF IMAXBEL IUTF8"u8);
        writer.Field("c_oflag"u8);
        writer.Quote();
        Choice(ref writer, (output >> 8) & 1, "NL0 NL1"u8);
        Choice(ref writer, (output >> 9) & 3, "|CR0 |CR1 |CR2 |CR3"u8);
        Choice(ref writer, (output >> 11) & 3, "|TAB0 |TAB1 |TAB2 |TAB3"u8);
        Choice(ref writer, (output >> 13) & 1, "|BS0 |BS1"u8);
        Choice(ref writer, (output >> 14) & 1, "|VT0 |VT1"u8);
        Choice(ref writer, (output >> 15) & 1, "|FF0 |FF1"u8);
        Rest(ref writer, output & 0xffff00ff, "OPOST OLCUC ONLCR OCRNL ONOCR ONLRET OFILL OFDEL"u8, hasBefore: true);
        writer.Quote();
        writer.Field("c_cflag"u8);
        writer.Quote();
        Choice(
            ref writer,
            (control & 0xf) + ((control & 0x1000) != 0 ? 16u : 0),
            "B0 B50 B75 B110 B134 B150 B200 B300 B600 B1200 B1800 B2400 B4800 B9600 B19200 B38400 BOTHER B57600 B115200 B230400 "u8 +
                "B460800 B500000 B576000 B921600 B1000000 B1152000 B1500000 B2000000 B2500000 B3000000 B3500000 B4000000"u8);
        Choice(ref writer, (control >> 4) & 3, "|CS5 |CS6 |CS7 |CS8"u8);
        Rest(
            ref writer,
            control & ~0x103fu,
            "- - - - - - CSTOPB CREAD PARENB PARODD HUPCL CLOCAL - - - - - - - - - - - - - - - - - ADDRB CMSPAR CRTSCTS"u8,
            hasBefore: true);
        writer.Quote();
        writer.Field("c_lflag"u8);
        writer.Quote();
        // strace has IEXTEN before the echoes that came later.
        Rest(ref writer, local & 0x1ff, "ISIG ICANON XCASE ECHO ECHOE ECHOK ECHONL NOFLSH TOSTOP"u8, hasBefore: false);
        Rest(ref writer, local & 0x8000, "- - - - - - - - - - - - - - - IEXTEN"u8, (local & 0x1ff) != 0);
        Rest(ref writer, local & ~0x81ffu, "- - - - - - - - - ECHOCTL ECHOPRT ECHOKE FLUSHO - PENDIN - EXTPROC"u8, (local & 0x81ff) != 0);
        if (local == 0)
            writer.Line.Append((byte)'0');
        writer.Quote();
        writer.More();
        writer.EndStruct();
    }

    // Names of bits from bit 0 on, with blanks between them and "-" for a bit that has none.
    private static void Bits(ref CallWriter writer, uint value, ReadOnlySpan<byte> names)
    {
        writer.Quote();
        if (value == 0)
            writer.Line.Append((byte)'0');
        Rest(ref writer, value, names, hasBefore: false);
        writer.Quote();
    }

    private static void Rest(ref CallWriter writer, uint value, ReadOnlySpan<byte> names, bool hasBefore)
    {
        for (int bit = 0; value >> bit != 0 && !names.IsEmpty; bit++)
        {
            var name = TakeName(ref names);
            if (((value >> bit) & 1) != 0 && name is not [(byte)'-'])
            {
                if (hasBefore)
                    writer.Line.Append((byte)'|');
                hasBefore = true;
                writer.Line.Append(name);
                value &= ~(1u << bit);
            }

            if (bit == 31)
                break;
        }

        if (value == 0)
            return;
        if (hasBefore)
            writer.Line.Append((byte)'|');
        writer.AppendHex(value);
    }

    private static void Choice(ref CallWriter writer, uint value, ReadOnlySpan<byte> names)
    {
        ReadOnlySpan<byte> name = default;
        for (uint index = 0; index <= value; index++)
            name = TakeName(ref names);
        writer.Line.Append(name);
    }

    private static ReadOnlySpan<byte> TakeName(scoped ref ReadOnlySpan<byte> names)
    {
        int end = names.IndexOf((byte)' ');
        var name = end < 0 ? names : names[..end];
        names = end < 0 ? default : names[(end + 1)..];
        return name;
    }
}
