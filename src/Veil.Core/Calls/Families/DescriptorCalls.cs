// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;
using static Veil.Core.Calls.FileArguments;

namespace Veil.Core.Calls;

/// <summary>Calls on descriptors themselves: copies, pipes, <c>fcntl</c>, notification.</summary>
internal static class DescriptorCalls
{
    // include/uapi/asm-generic/fcntl.h and include/uapi/linux/fcntl.h
    private const uint FDupFd = 0, FGetFd = 1, FSetFd = 2, FGetFl = 3, FSetFl = 4, FGetLk = 5, FSetLk = 6, FSetLkw = 7, FSetOwn = 8,
        FGetOwn = 9, FSetSig = 10, FGetSig = 11;
    private const uint FGetLk64 = 12, FSetLkw64 = 14, FSetOwnEx = 15, FGetOwnEx = 16, FGetOwnerUids = 17, FOfdGetLk = 36, FOfdSetLkw = 38;
    private const uint FSetLease = 1024, FGetLease = 1025, FNotify = 1026, FDupFdQuery = 1027, FCreatedQuery = 1028, FDupFdCloexec = 1030,
        FSetPipeSize = 1031, FGetPipeSize = 1032;
    private const uint FAddSeals = 1033, FGetSeals = 1034, FGetRwHint = 1035, FSetFileRwHint = 1038;

    private const int LockBytes = 32;

    private static readonly Argument s_fcntlArgument = new OwnArgument(FcntlArgument)
    {
        Begin = new(CallRead.Fixed, LockBytes, LockBytes),
        End = new(CallRead.Fixed, LockBytes, LockBytes),
        Omitted = static (in CallView call, int position) =>
            (uint)call[position - 1] is FGetFd or FGetFl or FGetOwn or FGetSig or FGetLease or FGetPipeSize or FGetSeals or FCreatedQuery,
    };

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        new("dup", Fd) { Result = CallResult.Descriptor },
        new("dup2", Fd, Fd) { Result = CallResult.Descriptor },
        new("dup3", Fd, Fd, Flags(FlagSets.DupFlags)) { Result = CallResult.Descriptor },
        new("pipe", s_pipe),
        new("pipe2", s_pipe, Flags(FlagSets.PipeFlags)),
        new("fcntl", Fd, Enum(FlagSets.FcntlCommands), s_fcntlArgument) { Result = CallResult.Descriptor, ResultWriter = FcntlResult },
        new("fcntl64", Fd, Enum(FlagSets.FcntlCommands), s_fcntlArgument) { Result = CallResult.Descriptor, ResultWriter = FcntlResult },
        new("flock", Fd, Flags(FlagSets.FlockOps)),
        new("eventfd", UInt) { Result = CallResult.Descriptor },
        new("eventfd2", UInt, Flags(FlagSets.EventfdFlags)) { Result = CallResult.Descriptor },
        new("inotify_init") { Result = CallResult.Descriptor },
        new("inotify_init1", Flags(FlagSets.InotifyFlags)) { Result = CallResult.Descriptor },
        new("inotify_add_watch", Fd, FilePath, Flags(FlagSets.InotifyMask)),
        new("inotify_rm_watch", Fd, Int),
        new("fanotify_init", new OwnArgument(FanotifyInit), Flags(FlagSets.Open)) { Result = CallResult.Descriptor },
        new("fanotify_mark", Fd, Flags(FlagSets.FanotifyMarkFlags), new OwnArgument(FanotifyMask), s_fanotifyFolder, FilePath),
        new("i386:fanotify_mark", Fd, Flags(FlagSets.FanotifyMarkFlags), new OwnArgument(FanotifyMask), Hidden, s_fanotifyFolder, FilePath),
    ];

    private static Argument s_pipe => new DescriptorPairArgument();

    private static Argument s_fanotifyFolder => new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
    {
        if (call.Int(position) == -1)
            writer.Word("FAN_NOFD"u8);
        else
            DirFd.Write(ref writer, call, position);
    });

    // The class is a field, which is shown also where nobody knows it.
    private static void FanotifyInit(ref CallWriter writer, in CallView call, int position)
    {
        const uint classes = 0xc;
        uint flags = (uint)call[position];
        if ((flags & classes) != classes)
        {
            writer.Flags(FlagSets.FanotifyInitFlags, flags);
            return;
        }

        writer.Quote();
        writer.AppendHex(classes);
        writer.Remark("FAN_CLASS_???"u8);
        if ((flags & ~classes) != 0)
        {
            // The set would begin with the name of no class.
            int start = writer.Line.Length;
            FlagSets.FanotifyInitFlags.Format(ref writer.Line, flags & ~classes);
            int separator = writer.Line.Written[start..].IndexOf((byte)'|');
            writer.Line.Replace(start, start + Math.Max(separator, 0), default);
        }

        writer.Quote();
    }

    private static void FanotifyMask(ref CallWriter writer, in CallView call, int position) =>
        writer.Flags(FlagSets.FanotifyMask, call.Is32Bit ? (uint)call[position] | ((ulong)(uint)call[position + 1] << 32) : call[position]);

    private static void FcntlArgument(ref CallWriter writer, in CallView call, int position)
    {
        uint command = (uint)call[position - 1];
        ulong value = call[position];
        switch (command)
        {
            case FDupFd or FDupFdCloexec or FSetPipeSize or FDupFdQuery:
                writer.Number(call.Long(position));
                break;
            case FSetFd:
                writer.Flags(FlagSets.FdFlags, (uint)value);
                break;
            case FSetFl:
                writer.Flags(FlagSets.Open, (uint)value);
                break;
            case FSetOwn:
                writer.Number((int)value);
                break;
            case FSetSig:
                SignalSet.WriteSignal(ref writer, (uint)value);
                break;
            case FSetLease:
                writer.Name(FlagSets.LockTypes, (uint)value);
                break;
            case FNotify:
                writer.Flags(FlagSets.NotifyFlags, (uint)value);
                break;
            case FAddSeals:
                writer.Flags(FlagSets.FileSeals, (uint)value);
                break;
            case >= FGetLk and <= FSetLkw or >= FGetLk64 and <= FSetLkw64 or FSetOwnEx or FGetOwnEx or FGetOwnerUids
                or (>= FOfdGetLk and <= FOfdSetLkw)
                or (>= FGetRwHint and <= FSetFileRwHint):
                FcntlStruct(ref writer, call, position, command);
                break;
            default:
                writer.Hex(value);
                break;
        }
    }

    private static void FcntlStruct(ref CallWriter writer, in CallView call, int position, uint command)
    {
        bool isGet = command is FGetLk or FGetLk64 or FOfdGetLk or FGetOwnEx or FGetOwnerUids or FGetRwHint or FGetRwHint + 2;
        var chunk = call.Find(position, output: isGet);
        int needed = command is FSetOwnEx or FGetOwnEx or FGetOwnerUids or (>= FGetRwHint and <= FSetFileRwHint) ? 8 : LockBytes;
        if (!chunk.Has(needed))
        {
            // strace has no locks of 64 bits here, and takes their argument for a number.
            if (command is (>= FGetLk64 and <= FSetLkw64 or FGetOwnerUids) && !call.Is32Bit)
                writer.Hex(call[position]);
            else
                writer.Address(call[position]);
            return;
        }

        var bytes = chunk.Bytes;
        switch (command)
        {
            case FSetOwnEx or FGetOwnEx:
                writer.BeginStruct();
                writer.Field("type"u8);
                writer.Name(FlagSets.OwnerTypes, bytes.U32(0));
                writer.Field("pid"u8, bytes.I32(4));
                writer.EndStruct();
                break;
            case FGetOwnerUids:
                writer.BeginArray();
                writer.Item();
                writer.Unsigned(bytes.U32(0));
                writer.Item();
                writer.Unsigned(bytes.U32(4));
                writer.EndArray();
                break;
            case >= FGetRwHint and <= FSetFileRwHint:
                writer.BeginArray();
                writer.Name(FlagSets.WriteHints, bytes.U64(0));
                writer.EndArray();
                break;
            default:
                FileLock(ref writer, bytes, call.Is32Bit ? (command <= FSetLkw ? 4 : 12) : 8, isGet);
                break;
        }
    }

    // struct flock: of 64 bits l_start is at 8; of i386 packed at 4, with long or with loff_t.
    private static void FileLock(ref CallWriter writer, ReadOnlySpan<byte> bytes, int kind, bool isGet)
    {
        writer.BeginStruct();
        writer.Field("l_type"u8);
        writer.Name(FlagSets.LockTypes, bytes.U16(0));
        writer.Field("l_whence"u8);
        writer.Name(FlagSets.LseekWhence, bytes.U16(2));
        writer.Field("l_start"u8, kind == 8 ? bytes.I64(8) : kind == 4 ? bytes.I32(4) : bytes.I64(4));
        writer.Field("l_len"u8, kind == 8 ? bytes.I64(16) : kind == 4 ? bytes.I32(8) : bytes.I64(12));
        if (isGet)
        {
            writer.Field("l_pid"u8, kind == 8 ? bytes.I32(24) : kind == 4 ? bytes.I32(12) : bytes.I32(20));
        }

        writer.EndStruct();
    }

    private static void FcntlResult(ref CallWriter writer, in CallView call)
    {
        uint command = (uint)call[1];
        ulong value = (ulong)call.Ret;
        switch (command)
        {
            case FGetFl:
                Explained(ref writer, value, "flags "u8, FlagSets.Open);
                break;
            case FGetFd when value != 0:
                Explained(ref writer, value, "flags "u8, FlagSets.FdFlags);
                break;
            case FGetSeals when value != 0:
                Explained(ref writer, value, "seals "u8, FlagSets.FileSeals);
                break;
            case FGetLease:
                Explained(ref writer, value, default, FlagSets.LockTypes);
                break;
            case FGetSig when value != 0:
                writer.Number(call.Ret);
                writer.TextOnly(" ("u8);
                SignalSet.WriteSignal(ref writer, (uint)value);
                writer.TextOnly(")"u8);
                break;
            default:
                writer.Number(call.Ret);
                if (command is FDupFd or FDupFdCloexec)
                    CallDescriptor.Write(ref writer, call, CallView.ReturnArg);
                break;
        }
    }

    private static void Explained(ref CallWriter writer, ulong value, ReadOnlySpan<byte> what, FlagSet set)
    {
        writer.Hex(value);
        writer.TextOnly(" ("u8);
        writer.TextOnly(what);
        writer.Flags(set, value);
        writer.TextOnly(")"u8);
    }
}
