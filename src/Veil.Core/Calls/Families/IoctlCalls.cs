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

    private const int IfreqNameBytes = 16, IfreqBytes = 40; // include/uapi/linux/if.h

    private static readonly Argument s_intIn = new StructArgument(4, Bracketed);
    private static readonly Argument s_intOut = new StructArgument(4, Bracketed) { IsOutput = true };
    private static readonly Argument s_long64Out = new StructArgument(8, Bracketed64) { IsOutput = true };
    private static readonly Argument s_termioOut = new StructArgument(18, Termio) { IsOutput = true };
    private static readonly Argument s_termioIn = new StructArgument(18, Termio);
    private static readonly StructLayout s_fsxIn = new(StructField.Flags("fsx_xflags", FlagSets.FileXflags), StructField.UInt("fsx_extsize"),
        StructField.Gap(4), StructField.Hex("fsx_projid"), StructField.UInt("fsx_cowextsize"));
    private static readonly StructLayout s_fsxOut = new(StructField.Flags("fsx_xflags", FlagSets.FileXflags),
        StructField.UInt("fsx_extsize"), StructField.UInt("fsx_nextents"), StructField.Hex("fsx_projid"),
        StructField.UInt("fsx_cowextsize"));
    private static readonly StructLayout s_cloneRange = new(new StructField("src_fd", 8, 8, static (ref CallWriter writer,
        ReadOnlySpan<byte> bytes, in CallView _) => writer.Number(bytes.I64(0))), StructField.U64("src_offset"),
        StructField.U64("src_length"), StructField.U64("dest_offset"));
    private static readonly StructLayout s_trim = new(StructField.Hex64("start"), StructField.U64("len"), StructField.U64("minlen"));

    // Requests whose argument is not looked at.
    private static readonly uint[] s_plain =
    [
        FioCloexec, FioNotCloexec, TiocExclusive, TiocNotExclusive, TiocNotTty, 0x541d, 0x5427, 0x5428, 0x5437, // TIOCCONS, TIOC?BRK, TIOCVHANGUP
        0xc0045878, 0x1261, 0x125f, 0x4c82, 0x4c01, 0x7001, 0x7002, 0x7003, 0x7004, 0x700f, 0x7010, // FITHAW, BLKFLSBUF, BLKRRPART, LOOP_, RTC_
        0xb701, 0xb702, 0xb703, 0xb704,
    ];

    private static readonly Dictionary<uint, Argument> s_arguments = new()
    {
        [0x5405] = s_termioOut,
        [0x5406] = s_termioIn,
        [0x5407] = s_termioIn,
        [0x5408] = s_termioIn, // TCGETA, TCSETA
        [0x5425] = Int, // TCSBRKP
        [0x5412] = new OwnArgument(PushedBack) { Begin = new(CallRead.Fixed, 1, 1) }, // TIOCSTI
        [0x5418] = new StructArgument(4, Modem),
        [0x5415] = new StructArgument(4, Modem) { IsOutput = true }, // TIOCMSET, TIOCMGET
        [0x5416] = new StructArgument(4, Modem),
        [0x5417] = new StructArgument(4, Modem), // TIOCMBIS, TIOCMBIC
        [0x5419] = s_intOut,
        [0x541a] = s_intIn, // TIOCGSOFTCAR, TIOCSSOFTCAR
        [0x5420] = s_intIn,
        [0x5423] = s_intIn,
        [0x5424] = s_intOut, // TIOCPKT, TIOCSETD, TIOCGETD
        [0x80045438] = s_intOut,
        [0x80045439] = s_intOut,
        [0x80045440] = s_intOut, // TIOCGPKT, TIOCGPTLCK, TIOCGEXCL
        [0x4020940d] = s_cloneRange.Input,
        [0xc0185879] = s_trim.Input, // FICLONERANGE, FITRIM
        [0x801c581f] = s_fsxOut.Output,
        [0x401c5820] = s_fsxIn.Input, // FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR
        [0x81009431] = new OutStringArgument(), // FS_IOC_GETFSLABEL
        [0x125d] = s_intIn,
        [0x125e] = s_intOut,
        [0x1268] = s_intOut,
        [0x127b] = s_intOut, // BLKROSET, BLKROGET, BLKSSZGET, BLKPBSZGET
        [0x1260] = new StructArgument(8, BracketedWord) { Size32 = 4, IsOutput = true },
        [0x80081272] = s_long64Out, // BLKGETSIZE
        [0x1277] = new StructArgument(16, Range),
        [0x127d] = new StructArgument(16, Range),
        [0x127f] = new StructArgument(16, Range),
        [0x4c00] = Int,
        [0x4c80] = Int,
        [0x4c81] = Int, // LOOP_SET_FD, LOOP_CTL_ADD, LOOP_CTL_REMOVE
        [0x8901] = s_intIn,
        [0x8902] = s_intIn,
        [0x8903] = s_intOut,
        [0x8904] = s_intOut, // FIOSETOWN, SIOCSPGRP and what reads them
        [0x4008700c] = Size, // RTC_IRQP_SET
        [0x89a0] = Name,
        [0x89a1] = Name, // SIOCBRADDBR, SIOCBRDELBR
        [0x2400] = s_group,
        [0x2401] = s_group,
        [0x2403] = s_group,
        [0x2402] = Int,
        [0x2405] = Int, // PERF_EVENT_IOC_
        [0x80082407] = s_long64Out,
        [0x40082404] = new StructArgument(8, Bracketed64),
        [0x40082406] = Arguments.String,
        [0x40042408] = Int,
        [0x40042409] = Int,
    };

    // Requests on interfaces, with the field of struct ifreq that they use.
    private static readonly Dictionary<uint, (string Field, IfreqKind Kind, bool IsGet)> s_interfaces = new()
    {
        [0x8910] = ("ifr_ifindex", IfreqKind.NameOf, true),
        [0x8913] = ("ifr_flags", IfreqKind.Flags, true),
        [0x8914] = ("ifr_flags", IfreqKind.Flags, false),
        [0x8915] = ("ifr_addr", IfreqKind.Address, true),
        [0x8916] = ("ifr_addr", IfreqKind.Address, false),
        [0x8917] = ("ifr_dstaddr", IfreqKind.Address, true),
        [0x8918] = ("ifr_dstaddr", IfreqKind.Address, false),
        [0x8919] = ("ifr_broadaddr", IfreqKind.Address, true),
        [0x891a] = ("ifr_broadaddr", IfreqKind.Address, false),
        [0x891b] = ("ifr_netmask", IfreqKind.Address, true),
        [0x891c] = ("ifr_netmask", IfreqKind.Address, false),
        [0x891d] = ("ifr_metric", IfreqKind.Number, true),
        [0x891e] = ("ifr_metric", IfreqKind.Number, false),
        [0x8921] = ("ifr_mtu", IfreqKind.Number, true),
        [0x8922] = ("ifr_mtu", IfreqKind.Number, false),
        [0x8923] = ("ifr_newname", IfreqKind.Text, false),
        [0x8927] = ("ifr_hwaddr", IfreqKind.Hardware, true),
        [0x8924] = ("ifr_hwaddr", IfreqKind.Hardware, false),
        [0x8937] = ("ifr_hwaddr", IfreqKind.Hardware, false),
        [0x8931] = ("ifr_hwaddr", IfreqKind.Hardware, false),
        [0x8932] = ("ifr_hwaddr", IfreqKind.Hardware, false),
        [0x8929] = ("ifr_slave", IfreqKind.Text, true),
        [0x8930] = ("ifr_slave", IfreqKind.Text, false),
        [0x8933] = ("ifr_ifindex", IfreqKind.Number, true),
        [0x8942] = ("ifr_qlen", IfreqKind.Number, true),
        [0x8943] = ("ifr_qlen", IfreqKind.Number, false),
    };

    private enum IfreqKind
    {
        Number,
        Flags,
        Address,
        Hardware,
        Text,
        NameOf,
    }

    /// <summary>It.</summary>
    public static IEnumerable<CallSpec> All
    {
        get
        {
            var request = new OwnArgument(Request);
            var other = new CallSpec("ioctl", Fd, request, new OwnArgument(Argument)
            {
                Begin = new(CallRead.Fixed, FilledBytes, FilledBytes),
                End = new(CallRead.Fixed, FilledBytes, FilledBytes),
            });
            var variants = new Dictionary<uint, CallSpec>();
            foreach (uint plain in s_plain)
                variants[plain] = other with { Arguments = [Fd, request, FileArguments.Hidden] };
            foreach (var (value, argument) in s_arguments)
                variants[value] = other with { Arguments = [Fd, request, argument] };
            var interfaces = new OwnArgument(Interface)
            {
                Begin = new(CallRead.Fixed, IfreqBytes, IfreqBytes),
                End = new(CallRead.Fixed, IfreqBytes, IfreqBytes),
            };
            foreach (uint value in s_interfaces.Keys)
                variants[value] = other with { Arguments = [Fd, request, interfaces] };
            variants[0xb703] = variants[0xb703] with { ResultWriter = NamespaceType };
            yield return other with { SelectedBy = 1, Variants = variants };
        }
    }

    private static Argument s_group => new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
    {
        if (call[position] == 1)
            writer.Word("PERF_IOC_FLAG_GROUP"u8);
        else
            writer.Hex(call[position]);
    });

    // NS_GET_NSTYPE
    private static void NamespaceType(ref CallWriter writer, in CallView call)
    {
        writer.Number(call.Ret);
        writer.TextOnly(" ("u8);
        writer.Flags(FlagSets.SetnsTypes, (ulong)call.Ret);
        writer.TextOnly(")"u8);
    }

    private static void Bracketed(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) => Number(ref writer, bytes.I32(0));

    private static void Bracketed64(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginArray();
        writer.Unsigned(bytes.U64(0));
        writer.EndArray();
    }

    private static void BracketedWord(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginArray();
        writer.Unsigned(bytes.UWord(0, call.WordBytes));
        writer.EndArray();
    }

    private static void Range(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginArray();
        writer.Item();
        writer.Unsigned(bytes.U64(0));
        writer.Item();
        writer.Unsigned(bytes.U64(8));
        writer.EndArray();
    }

    private static void PushedBack(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        if (chunk.Has(1))
            writer.String(chunk.Bytes[..1], false);
        else
            writer.Address(call[position]);
    }

    private static void Modem(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginArray();
        Bits(ref writer, bytes.U32(0), "TIOCM_LE TIOCM_DTR TIOCM_RTS TIOCM_ST TIOCM_SR TIOCM_CTS TIOCM_CAR TIOCM_RNG TIOCM_DSR - - - - "u8 +
            "TIOCM_OUT1 TIOCM_OUT2 TIOCM_LOOP"u8);
        writer.EndArray();
    }

    // struct termio: the flags have 16 bits.
    private static void Termio(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        Span<byte> wide = stackalloc byte[TermiosBytes];
        wide.Clear();
        for (int flags = 0; flags < 4; flags++)
            bytes.Slice(2 * flags, 2).CopyTo(wide[(4 * flags)..]);
        Termios(ref writer, wide);
    }

    private static void Interface(ref CallWriter writer, in CallView call, int position)
    {
        var (name, kind, isGet) = s_interfaces[(uint)call[1]];
        var before = call.Find(position);
        var after = call.Find(position, output: true);
        int size = call.Is32Bit ? 32 : IfreqBytes;
        if (!before.Has(size) || (isGet && call.HasSucceeded && !after.Has(size)))
        {
            writer.Address(call[position]);
            return;
        }

        bool isFilled = isGet && call.HasSucceeded;
        var bytes = isFilled ? after.Bytes : before.Bytes;
        writer.BeginStruct();
        if (kind == IfreqKind.NameOf)
        {
            writer.Field("ifr_ifindex"u8, before.Bytes.I32(IfreqNameBytes));
            if (isFilled)
                Text(ref writer, "ifr_name"u8, bytes[..IfreqNameBytes]);
            writer.EndStruct();
            return;
        }

        Text(ref writer, "ifr_name"u8, bytes[..IfreqNameBytes]);
        if (!isGet || isFilled)
            InterfaceValue(ref writer, System.Text.Encoding.ASCII.GetBytes(name), kind, bytes[IfreqNameBytes..size]);
        writer.EndStruct();
    }

    private static void InterfaceValue(ref CallWriter writer, ReadOnlySpan<byte> field, IfreqKind kind, ReadOnlySpan<byte> value)
    {
        switch (kind)
        {
            case IfreqKind.Flags:
                writer.Field(field);
                writer.Flags(FlagSets.InterfaceFlags, value.U16(0));
                break;
            case IfreqKind.Address:
                writer.Field(field);
                SocketAddress.Write(ref writer, value[..16]);
                break;
            case IfreqKind.Hardware:
                // As many bytes as an address of the link has; of a kind that is not known seven.
                int bytes = value.U16(0) is 1 or 772 ? 6 : 7;
                writer.Field(field);
                writer.BeginStruct();
                writer.Field("sa_family"u8);
                writer.Name(FlagSets.ArpHardware, value.U16(0));
                writer.Field("sa_data"u8);
                writer.Quote();
                for (int index = 0; index < bytes; index++)
                {
                    if (index > 0)
                        writer.Line.Append((byte)':');
                    writer.Line.AppendHex(value[2 + index], digits: 2);
                }

                writer.Quote();
                writer.EndStruct();
                break;
            case IfreqKind.Text:
                Text(ref writer, field, value[..IfreqNameBytes]);
                break;
            default:
                writer.Field(field, value.I32(0));
                break;
        }
    }

    private static void Text(ref CallWriter writer, ReadOnlySpan<byte> field, ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        writer.Field(field);
        writer.String(end < 0 ? bytes[..^1] : bytes[..end], end < 0);
    }

    private static void Request(ref CallWriter writer, in CallView call, int position)
    {
        uint request = (uint)call[position];
        // Those of include/uapi/linux/fs.h that the generated table has not, or that btrfs has as its own.
        var name = request switch
        {
            0x802c542a => "TCGETS2"u8,
            0x402c542b => "TCSETS2"u8,
            0x402c542c => "TCSETSW2"u8,
            0x402c542d => "TCSETSF2"u8,
            0x4c00 => "LOOP_SET_FD"u8,
            0x4c01 => "LOOP_CLR_FD"u8,
            0x4c02 => "LOOP_SET_STATUS"u8,
            0x4c03 => "LOOP_GET_STATUS"u8,
            0x4c04 => "LOOP_SET_STATUS64"u8,
            0x4c05 => "LOOP_GET_STATUS64"u8,
            0x4c06 => "LOOP_CHANGE_FD"u8,
            0x4c07 => "LOOP_SET_CAPACITY"u8,
            0x4c08 => "LOOP_SET_DIRECT_IO"u8,
            0x4c09 => "LOOP_SET_BLOCK_SIZE"u8,
            0x4c0a => "LOOP_CONFIGURE"u8,
            0x4c80 => "LOOP_CTL_ADD"u8,
            0x4c81 => "LOOP_CTL_REMOVE"u8,
            0x4c82 => "LOOP_CTL_GET_FREE"u8,
            TcSets => "SNDCTL_TMR_START or TCSETS"u8,
            TcSetsWait => "SNDCTL_TMR_STOP or TCSETSW"u8,
            TcSetsFlush => "SNDCTL_TMR_CONTINUE or TCSETSF"u8,
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
            case TcGets or 0x802c542a when after.Has(TermiosBytes):
                Termios(ref writer, after.Bytes);
                break;
            case TcSets or TcSetsWait or TcSetsFlush or (>= 0x402c542b and <= 0x402c542d) when before.Has(TermiosBytes):
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
                Choose(ref writer, call[position], "TCIFLUSH TCOFLUSH TCIOFLUSH"u8, 3);
                break;
            case TcXonc:
                Choose(ref writer, call[position], "TCOOFF TCOON TCIOFF TCION"u8, 4);
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

    private static void Choose(ref CallWriter writer, ulong value, ReadOnlySpan<byte> names, uint count)
    {
        writer.Quote();
        if (value < count)
        {
            Choice(ref writer, (uint)value, names);
        }
        else
        {
            writer.AppendHex(value);
            writer.Remark("TC???"u8);
        }

        writer.Quote();
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
    private static void Termios(ref CallWriter writer, scoped ReadOnlySpan<byte> bytes)
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
