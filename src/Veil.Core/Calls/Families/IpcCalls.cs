// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;

namespace Veil.Core.Calls;

/// <summary>Message queues, semaphores and shared memory.</summary>
internal static class IpcCalls
{
    // include/uapi/linux/ipc.h and include/uapi/linux/shm.h; without IPC_64 in the command.
    private const uint Set = 1, Stat = 2, Info = 3, MsgInfo = 12, ShmInfo = 14, SemInfo = 19;
    private const int HugeShift = 26;
    private const uint HugeMask = 0x3f;
    private const int ControlBytes = 120, StatusBytes = 104; // struct msqid64_ds and struct semid64_ds

    private static readonly CallReader s_control = new(CallRead.Fixed, ControlBytes, ControlBytes);

    private static readonly Argument s_key = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
    {
        if ((uint)call[position] == 0)
            writer.Word("IPC_PRIVATE"u8);
        else
            writer.Hex((uint)call[position]);
    });

    private static readonly Argument s_timeout =
        new StructArgument(16, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Times.Write(ref writer, bytes, bytes.Length / 2, isMicro: false))
        { Size32 = 8 };

    private static readonly Argument s_wideTimeout =
        new StructArgument(16, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Times.Write(ref writer, bytes, 8, isMicro: false));

    private static readonly StructLayout s_sembuf = new(StructField.UShort("sem_num"), StructField.Short("sem_op"),
        new StructField("sem_flg", 2, 2, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
            writer.Flags(FlagSets.SemFlags, bytes.U16(0))));

    private static readonly Argument s_sembufs = new ArrayArgument(s_sembuf.Size, 2, s_sembuf.Write);

    private static readonly StructLayout s_mqAttributes = new(
        new StructField("mq_flags", 8, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        {
            writer.Flags(FlagSets.MqFlags, bytes.UWord(0, bytes.Length));
        }),
        StructField.Long("mq_maxmsg"), StructField.Long("mq_msgsize"), StructField.Long("mq_curmsgs"));

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All =>
    [
        Ipc,
        new("shmget", s_key, Size, new OwnArgument(ShmgetFlags)),
        new("shmat", Int, Address, Flags(FlagSets.ShmFlags)) { Result = CallResult.Hex },
        new("shmdt", Address),
        new("shmctl", Int, Command(FlagSets.ShmCommands, "SHM_???"), new OwnArgument(ShmStatus) { Begin = s_control, End = s_control }),
        new("msgget", s_key, new OwnArgument(GetFlags)),
        new("msgsnd", Int, new OwnArgument(MessageIn) { Begin = s_message }, Size, Flags(FlagSets.MsgqFlags)),
        new("msgrcv", Int, new OwnArgument(MessageOut) { End = s_message }, Size, Long, Flags(FlagSets.MsgqFlags)),
        new("msgctl", Int, Command(FlagSets.MsgqCommands, "MSG_???"), new OwnArgument(QueueStatus) { Begin = s_control, End = s_control }),
        new("semget", s_key, Int, new OwnArgument(GetFlags)),
        new("semop", Int, s_sembufs, UInt),
        new("semtimedop", Int, s_sembufs, UInt, s_timeout),
        new("semtimedop_time64", Int, s_sembufs, UInt, s_wideTimeout),
        new("semctl", Int, Int, Command(FlagSets.SemCommands, "SEM_???"), new OwnArgument(SemStatus) { Begin = s_control,
            End = s_control }),
        new("mq_open", Name, Flags(FlagSets.Open), FileArguments.ModeIfCreating,
            new MqAttributesIfCreating()) { Result = CallResult.Descriptor },
        new("mq_unlink", Name),
        new("mq_timedsend", Fd, InBuffer(2), Size, UInt, s_timeout),
        new("mq_timedsend_time64", Fd, InBuffer(2), Size, UInt, s_wideTimeout),
        new("mq_timedreceive", Fd, OutBuffer, Size, Pointers.OutUInt, s_timeout),
        new("mq_timedreceive_time64", Fd, OutBuffer, Size, Pointers.OutUInt, s_wideTimeout),
        new("mq_notify", Fd, TimeCalls.SignalEvent),
        new("mq_getsetattr", Fd, s_mqAttributes.Input, s_mqAttributes.Output),
    ];

    // i386 has them behind one number, with the operation first: the other arguments stand where each needs them.
    private static CallSpec Ipc
    {
        get
        {
            var other = new CallSpec("ipc", UInt, Hex, Hex, Hex, Hex, Hex);
            CallSpec Of(string name, int[] order, params Argument[] arguments)
            {
                Argument[] all = [FileArguments.Hidden, FileArguments.Hidden, FileArguments.Hidden, FileArguments.Hidden,
                    FileArguments.Hidden, FileArguments.Hidden];
                for (int index = 0; index < order.Length; index++)
                    all[order[index]] = arguments[index];
                return new CallSpec(name, all) { Order = order };
            }

            var sembufs = new ArrayArgument(s_sembuf.Size, 2, s_sembuf.Write);
            return other with
            {
                SelectedBy = 0,
                Variants = new Dictionary<uint, CallSpec>
                {
                    [1] = Of("semop", [1, 4, 2], Int, sembufs, UInt),
                    [2] = Of("semget", [1, 2, 3], s_key, Int, new OwnArgument(GetFlags)),
                    [4] = Of("semtimedop", [1, 4, 2, 5], Int, sembufs, UInt, s_timeout),
                    [11] = Of("msgsnd", [1, 4, 2, 3], Int, new OwnArgument(MessageIn) { Begin = s_message }, Size,
                        Flags(FlagSets.MsgqFlags)),
                    [13] = Of("msgget", [1, 2], s_key, new OwnArgument(GetFlags)),
                    [22] = Of("shmdt", [4], Address),
                    [23] = Of("shmget", [1, 2, 3], s_key, Size, new OwnArgument(ShmgetFlags)),
                },
            };
        }
    }

    private static CallReader s_message => new(CallRead.Fixed, 8 + CallOptions.StringSizeDefault, 8 + CallOptions.StringSizeDefault);

    // IPC_64 is a flag beside it.
    private static OwnArgument Command(FlagSet set, string unknown)
    {
        const uint newLayout = 0x100; // IPC_64
        byte[] remark = System.Text.Encoding.UTF8.GetBytes(unknown);
        return new((ref CallWriter writer, in CallView call, int position) =>
        {
            uint command = (uint)call[position];
            writer.Quote();
            if ((command & newLayout) != 0)
                writer.Line.Append("IPC_64|"u8);
            command &= ~newLayout;
            if (set.NameOf(command) is { IsEmpty: false } name)
            {
                writer.Line.Append(name);
            }
            else
            {
                writer.AppendHex(command);
                writer.Remark(remark);
            }

            writer.Quote();
        });
    }

    private static void GetFlags(ref CallWriter writer, in CallView call, int position)
    {
        uint flags = (uint)call[position];
        writer.Quote();
        GetFlags(ref writer, FlagSets.IpcCreate, flags & ~0x1ffu, flags & 0x1ff);
        writer.Quote();
    }

    private static void ShmgetFlags(ref CallWriter writer, in CallView call, int position)
    {
        uint flags = (uint)call[position], huge = flags >> HugeShift & HugeMask;
        writer.Quote();
        uint others = flags & ~0x1ffu & ~(HugeMask << HugeShift);
        if (huge != 0)
        {
            if (others != 0)
            {
                FlagSets.ShmgetFlags.Format(ref writer.Line, others);
                writer.Line.Append((byte)'|');
            }

            writer.Line.Append((ulong)huge);
            writer.Line.Append("<<SHM_HUGE_SHIFT|"u8);
            others = 0;
        }

        GetFlags(ref writer, FlagSets.ShmgetFlags, others, flags & 0x1ff);
        writer.Quote();
    }

    private static void GetFlags(ref CallWriter writer, FlagSet set, uint flags, uint mode)
    {
        if (flags != 0)
        {
            set.Format(ref writer.Line, flags);
            writer.Line.Append((byte)'|');
        }

        writer.AppendOctal(mode, digits: 2);
    }

    private static void MessageIn(ref CallWriter writer, in CallView call, int position) =>
        Message(ref writer, call, position, call.Find(position), call[2]);

    // strace shows as much as the caller has room for.
    private static void MessageOut(ref CallWriter writer, in CallView call, int position) =>
        Message(ref writer, call, position, call.Find(position, output: true), call[2]);

    private static void Message(ref CallWriter writer, in CallView call, int position, in CallChunk chunk, ulong size)
    {
        int word = call.WordBytes;
        if (!chunk.Has(word))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginStruct();
        writer.Field("mtype"u8, chunk.Bytes.Word(0, word));
        writer.Field("mtext"u8);
        var text = chunk.Bytes[word..];
        if (size > (ulong)text.Length && !chunk.IsRead)
        {
            writer.Address(call[position] + (ulong)word);
            writer.EndStruct();
            return;
        }

        writer.String(writer.Cut(text[..(int)Math.Min((ulong)text.Length, size)]), size > (ulong)Math.Min(text.Length,
            writer.Options.StringSize));
        writer.EndStruct();
    }

    private static void ShmStatus(ref CallWriter writer, in CallView call, int position)
    {
        uint command = (uint)call[1];
        if (command is Info or ShmInfo)
        {
            ShmInfos(ref writer, call, position, command);
            return;
        }

        var bytes = StatusOf(call, position, command);
        if (!TryBegin(ref writer, call, position, bytes))
            return;
        Permissions(ref writer, "shm_perm"u8, bytes, command == Stat);
        if (command == Stat)
        {
            writer.Field("shm_segsz"u8, bytes.U64(48));
            writer.Field("shm_cpid"u8, bytes.U32(80));
            writer.Field("shm_lpid"u8, bytes.U32(84));
            writer.Field("shm_nattch"u8, bytes.U64(88));
            writer.Field("shm_atime"u8, bytes.U64(56));
            writer.Field("shm_dtime"u8, bytes.U64(64));
            writer.Field("shm_ctime"u8, bytes.U64(72));
        }

        writer.EndStruct();
    }

    private static void QueueStatus(ref CallWriter writer, in CallView call, int position)
    {
        uint command = (uint)call[1];
        if (command is Info or MsgInfo)
        {
            Numbers(ref writer, call, position, "msgpool msgmap msgmax msgmnb msgmni msgssz msgtql"u8, "msgseg"u8);
            return;
        }

        var bytes = StatusOf(call, position, command);
        if (!TryBegin(ref writer, call, position, bytes))
            return;
        Permissions(ref writer, "msg_perm"u8, bytes, command == Stat);
        if (command == Stat)
        {
            writer.Field("msg_stime"u8, bytes.U64(48));
            writer.Field("msg_rtime"u8, bytes.U64(56));
            writer.Field("msg_ctime"u8, bytes.U64(64));
            writer.Field("msg_qnum"u8, bytes.U64(80));
        }

        writer.Field("msg_qbytes"u8, bytes.U64(88));
        if (command == Stat)
        {
            writer.Field("msg_lspid"u8, bytes.U32(96));
            writer.Field("msg_lrpid"u8, bytes.U32(100));
        }

        writer.EndStruct();
    }

    private static void SemStatus(ref CallWriter writer, in CallView call, int position)
    {
        uint command = (uint)call[2];
        if (command is Info or SemInfo)
        {
            Numbers(ref writer, call, position, "semmap semmni semmns semmnu semmsl semopm semume semusz semvmx semaem"u8, default);
            return;
        }

        var bytes = StatusOf(call, position, command);
        if (!TryBegin(ref writer, call, position, bytes))
            return;
        Permissions(ref writer, "sem_perm"u8, bytes, command == Stat);
        if (command == Stat)
        {
            // x86-64 has a gap after each time: include/uapi/asm/sembuf.h
            bool hasGaps = call.Arch is SyscallArch.X64 or SyscallArch.X32;
            writer.Field("sem_otime"u8, bytes.U64(48));
            writer.Field("sem_ctime"u8, bytes.U64(hasGaps ? 64 : 56));
            writer.Field("sem_nsems"u8, bytes.U64(hasGaps ? 80 : 64));
        }

        writer.EndStruct();
    }

    // Only the layout of 64 bits is known; of IPC_STAT what the call filled, of IPC_SET what it was given.
    private static ReadOnlySpan<byte> StatusOf(scoped in CallView call, int position, uint command)
    {
        var chunk = call.Find(position, output: command == Stat);
        return command is Stat or Set && chunk.Has(StatusBytes) && !call.Is32Bit ? chunk.Bytes : default;
    }

    private static bool TryBegin(ref CallWriter writer, in CallView call, int position, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            writer.Address(call[position]);
        else
            writer.BeginStruct();
        return !bytes.IsEmpty;
    }

    // Some int in a row, and an unsigned short behind them.
    private static void Numbers(ref CallWriter writer, in CallView call, int position, ReadOnlySpan<byte> names, ReadOnlySpan<byte> last)
    {
        var chunk = call.Find(position, output: true);
        int fields = 1;
        foreach (byte value in names)
            fields += value == ' ' ? 1 : 0;
        if (!chunk.Has((4 * fields) + (last.IsEmpty ? 0 : 2)))
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginStruct();
        for (int field = 0; field < fields; field++)
        {
            int end = names.IndexOf((byte)' ');
            writer.Field(end < 0 ? names : names[..end], chunk.Bytes.I32(4 * field));
            names = end < 0 ? default : names[(end + 1)..];
        }

        if (!last.IsEmpty)
            writer.Field(last, chunk.Bytes.U16(4 * fields));
        writer.EndStruct();
    }

    private static void ShmInfos(ref CallWriter writer, in CallView call, int position, uint command)
    {
        var chunk = call.Find(position, output: true);
        int word = call.WordBytes;
        if (!chunk.Has((command == Info ? 5 : 6) * word))
        {
            writer.Address(call[position]);
            return;
        }

        var bytes = chunk.Bytes;
        writer.BeginStruct();
        if (command == Info)
        {
            writer.Field("shmmax"u8, bytes.UWord(0, word));
            writer.Field("shmmin"u8, bytes.UWord(1, word));
            writer.Field("shmmni"u8, bytes.UWord(2, word));
            writer.Field("shmseg"u8, bytes.UWord(3, word));
            writer.Field("shmall"u8, bytes.UWord(4, word));
        }
        else
        {
            writer.Field("used_ids"u8, bytes.I32(0));
            writer.Field("shm_tot"u8, bytes.UWord(1, word));
            writer.Field("shm_rss"u8, bytes.UWord(2, word));
            writer.Field("shm_swp"u8, bytes.UWord(3, word));
            writer.Field("swap_attempts"u8, bytes.UWord(4, word));
            writer.Field("swap_successes"u8, bytes.UWord(5, word));
        }

        writer.EndStruct();
    }

    // struct ipc64_perm
    private static void Permissions(ref CallWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes, bool isWhole)
    {
        writer.Field(name);
        writer.BeginStruct();
        writer.Field("uid"u8, bytes.U32(4));
        writer.Field("gid"u8, bytes.U32(8));
        writer.Field("mode"u8);
        writer.Octal(bytes.U32(20));
        if (isWhole)
        {
            writer.Field("key"u8, bytes.U32(0));
            writer.Field("cuid"u8, bytes.U32(12));
            writer.Field("cgid"u8, bytes.U32(16));
        }

        writer.EndStruct();
    }

    /// <summary>What a new queue is to be.</summary>
    private sealed class MqAttributesIfCreating : Argument
    {
        public override CallReader Input(int position, CallOptions options, bool is32Bit) => s_attributes.Input(position, options, is32Bit);

        public override bool IsOmitted(in CallView call, int position) => !FileArguments.IsCreating(call[1]);

        public override void Write(ref CallWriter writer, in CallView call, int position) => s_attributes.Write(ref writer, call, position);

        private static readonly Argument s_attributes = s_mqAttributes.Input;
    }
}
