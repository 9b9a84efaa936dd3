// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;
using static Veil.Core.Calls.FileArguments;

namespace Veil.Core.Calls;

/// <summary>Calls on mounts and quotas.</summary>
internal static class MountCalls
{
    private const uint SetFlag = 0, SetString = 1, SetBinary = 2, SetPath = 3, SetPathEmpty = 4, SetFd = 5, CommandsEnd = 9; // FSCONFIG_
    private const ulong MagicMask = 0xffff0000, Magic = 0xc0ed0000; // MS_MGC_VAL
    private const ulong Remount = 0x20, Bind = 0x1000, Move = 0x2000, Propagation = 0x1e0000; // MS_
    private const ulong AtimeMask = 0x70; // MOUNT_ATTR__ATIME
    private const uint QuotaSync = 0x800001, QuotaOn = 0x800002;

    private static readonly CallReader s_string = new(CallRead.String, SizeMax: 4094);

    private static readonly Argument s_request = new StructArgument(24,
        static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) => Request(ref writer, bytes, call));

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        new("mount", FilePath, FilePath, new MountString(Remount | Bind | Move | Propagation), new OwnArgument(MountFlags),
            new MountString(Bind | Move | Propagation)),
        new("umount", FilePath),
        new("umount2", FilePath, Flags(FlagSets.UmountFlags)),
        new("fsopen", Arguments.String, Flags(FlagSets.FsopenFlags)) { Result = CallResult.Descriptor },
        new("fsconfig", Fd, Enum(FlagSets.FsconfigCommands), new OwnArgument(ConfigKey) { Begin = s_string },
            new OwnArgument(ConfigValue) { Begin = s_string }, new OwnArgument(ConfigAux)),
        new("fsmount", Fd, Flags(FlagSets.FsmountFlags), new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
            MountAttributes(ref writer, (uint)call[position]))) { Result = CallResult.Descriptor },
        new("fspick", DirFd, FilePath, Flags(FlagSets.FspickFlags)) { Result = CallResult.Descriptor },
        new("move_mount", DirFd, FilePath, DirFd, FilePath, Flags(FlagSets.MoveMountFlags)),
        new("open_tree", DirFd, FilePath, Flags(FlagSets.OpenTreeFlags)) { Result = CallResult.Descriptor },
        new("open_tree_attr", DirFd, FilePath, Flags(FlagSets.OpenTreeFlags), new StructArgument(32, Attributes) { SizeArg = 4 },
            Size) { Result = CallResult.Descriptor },
        new("mount_setattr", DirFd, FilePath, Flags(FlagSets.AtMountSetattr), new StructArgument(32, Attributes) { SizeArg = 4 }, Size),
        new("statmount", s_request, Address, Size, Flags(FlagSets.StatmountFlags)),
        new("listmount", s_request, new ArrayArgument(8, -1, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
            writer.Hex(bytes.U64(0))), Size, Flags(FlagSets.ListmountFlags)),
        new("quotactl", new OwnArgument(QuotaCommand), FilePath, new OwnArgument(QuotaId) { Omitted = IsSync },
            new OwnArgument(QuotaAddress) { Begin = s_string, Omitted = IsSync }),
        new("quotactl_fd", Fd, new OwnArgument(QuotaCommand), new OwnArgument(QuotaId) { Omitted = IsSync }, Address),
    ];

    private static void MountFlags(ref CallWriter writer, in CallView call, int position)
    {
        ulong flags = call[position];
        if ((flags & MagicMask) != Magic)
        {
            writer.Flags(FlagSets.MountFlags, flags);
            return;
        }

        writer.Quote();
        writer.Line.Append("MS_MGC_VAL"u8);
        if ((flags & ~MagicMask) != 0)
        {
            writer.Line.Append((byte)'|');
            FlagSets.MountFlags.Format(ref writer.Line, flags & ~MagicMask);
        }

        writer.Quote();
    }

    // strace takes a string for none where the kernel does not look at it.
    private sealed class MountString(ulong ignoring) : Argument
    {
        public override CallReader Input(int position, CallOptions options, bool is32Bit) =>
            new(CallRead.String, SizeMax: options.StringSize);

        public override void Write(ref CallWriter writer, in CallView call, int position)
        {
            var chunk = call.Find(position);
            if (chunk.IsRead && (call[3] & ignoring) == 0)
                writer.String(chunk);
            else
                writer.Address(call[position]);
        }
    }

    private static void MountAttributes(ref CallWriter writer, ulong value)
    {
        // Two bits and one between them that no kernel uses: all three are one value.
        writer.Quote();
        if ((value & AtimeMask) == AtimeMask)
        {
            int start = writer.Line.Length;
            FlagSets.MountAttrs.Format(ref writer.Line, value & 0xf);
            writer.Line.Append((value & 0xf) == 0 ? ""u8 : "|"u8);
            if ((value & 0xf) == 0)
                writer.Line.Truncate(start);
            writer.Line.Append("MOUNT_ATTR__ATIME"u8);
            if ((value & ~(AtimeMask | 0xf)) != 0)
            {
                writer.Line.Append((byte)'|');
                FlagSets.MountAttrs.Format(ref writer.Line, value & ~(AtimeMask | 0xf));
            }
        }
        else
        {
            FlagSets.MountAttrs.Format(ref writer.Line, value);
        }

        writer.Quote();
    }

    private static void ConfigKey(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        if (chunk.IsRead && (uint)call[1] < CommandsEnd)
            writer.String(chunk);
        else
            writer.Address(call[position]);
    }

    private static void ConfigValue(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        uint command = (uint)call[1], size = (uint)call[4];
        if (chunk.IsRead && command == SetString)
            writer.String(chunk);
        else if (chunk.IsRead && command is SetPath or SetPathEmpty)
            writer.String(chunk.Bytes, chunk.IsTruncated);
        else if (command == SetBinary && (uint)chunk.Bytes.Length >= size && chunk.IsRead)
            HexString(ref writer, writer.Cut(chunk.Bytes[..(int)size]), size > (uint)writer.Options.StringSize);
        else
            writer.Address(call[position]);
    }

    private static void ConfigAux(ref CallWriter writer, in CallView call, int position)
    {
        if ((uint)call[1] is SetPath or SetPathEmpty or SetFd)
            DirFd.Write(ref writer, call, position);
        else
            writer.Number(call.Int(position));
    }

    private static void Attributes(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        writer.Field("attr_set"u8);
        MountAttributes(ref writer, bytes.U64(0));
        writer.Field("attr_clr"u8);
        MountAttributes(ref writer, bytes.U64(8));
        writer.Field("propagation"u8);
        writer.Name(FlagSets.MountPropagation, bytes.U64(16));
        writer.Field("userns_fd"u8, (int)bytes.U64(24));
        writer.EndStruct();
    }

    private static void Request(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        writer.Field("size"u8, bytes.U32(0));
        writer.Field("mnt_ns_fd"u8, bytes.U32(4));
        writer.Field("mnt_id"u8);
        writer.Hex(bytes.U64(8));
        writer.Field("param"u8);
        // The mask of statmount (457), the last mount of listmount.
        if (call.Number == 457)
            writer.Flags(FlagSets.StatmountMask, bytes.U64(16));
        else
            writer.Hex(bytes.U64(16));
        writer.EndStruct();
    }

    // QCMD(): the command is above the type.
    private static void QuotaCommand(ref CallWriter writer, in CallView call, int position)
    {
        uint command = (uint)call[position];
        writer.Quote();
        writer.Line.Append("QCMD("u8);
        FlagSets.QuotaCommands.Format(ref writer.Line, command >> 8);
        writer.Line.Append(", "u8);
        FlagSets.QuotaTypes.Format(ref writer.Line, command & 0xff);
        writer.Line.Append((byte)')');
        writer.Quote();
    }

    private static uint QuotaCommandOf(in CallView call, int position) => (uint)call[position == 2 && call.Number == 443 ? 1 : 0] >> 8;

    private static bool IsSync(in CallView call, int position) => QuotaCommandOf(call, position) == QuotaSync;

    private static void QuotaId(ref CallWriter writer, in CallView call, int position)
    {
        if (QuotaCommandOf(call, position) == QuotaOn)
            writer.Name(FlagSets.QuotaFormats, (uint)call[position]);
        else
            Id.Write(ref writer, call, position);
    }

    private static void QuotaAddress(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position);
        if (chunk.IsRead && QuotaCommandOf(call, position) == QuotaOn)
            writer.String(chunk.Bytes, chunk.IsTruncated);
        else
            writer.Address(call[position]);
    }
}
