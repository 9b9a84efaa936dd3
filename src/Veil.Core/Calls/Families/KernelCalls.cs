// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;
using static Veil.Core.Calls.FileArguments;

namespace Veil.Core.Calls;

/// <summary>Calls on the kernel's own services: what the machine is, random numbers, security modules, keys, <c>bpf</c>, <c>perf</c>,
/// <c>ptrace</c>.</summary>
internal static partial class KernelCalls
{
    // include/uapi/linux/utsname.h
    private const int NameBytes = 65;

    private static readonly StructLayout s_sysinfo = new(StructField.Long("uptime"), new StructField("loads", 24, 12, Loads),
        StructField.ULong("totalram"),
        StructField.ULong("freeram"), StructField.ULong("sharedram"), StructField.ULong("bufferram"), StructField.ULong("totalswap"),
        StructField.ULong("freeswap"), StructField.UShort("procs"), StructField.ULong("totalhigh"), StructField.ULong("freehigh"),
        StructField.UInt("mem_unit"));

    private static readonly Argument s_uname = new StructArgument(2 * NameBytes, Uname) { IsOutput = true };
    private static readonly Argument s_hostName = new OwnArgument(HostName)
    {
        Begin = new(CallRead.Counted, 1,
        CallOptions.StringSizeDefault, 1)
    };

    private static readonly StructLayout s_seccompSizes = new(StructField.UShort("seccomp_notif"), StructField.UShort("seccomp_notif_resp"),
        StructField.UShort("seccomp_data"));

    private static readonly StructLayout s_program = new(StructField.UShort("len"), StructField.Address("filter"));
    private static readonly StructLayout s_ruleset = new(StructField.Flags64("handled_access_fs", FlagSets.LandlockFs),
        StructField.Flags64("handled_access_net", FlagSets.LandlockNet), StructField.Flags64("scoped", FlagSets.LandlockScope));

    private static readonly StructLayout s_pathRule = new(StructField.Flags64("allowed_access", FlagSets.LandlockFs),
        StructField.Int("parent_fd"));
    private static readonly StructLayout s_portRule = new(StructField.Flags64("allowed_access", FlagSets.LandlockNet),
        StructField.U64("port"));

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All => [.. Aio, .. Machine, .. Security, .. Tracing];

    private static IEnumerable<CallSpec> Machine =>
    [
        new("getrandom", new OwnArgument(Random) { End = new(CallRead.Result, 1, CallOptions.StringSizeDefault) }, Size,
            Flags(FlagSets.GetrandomFlags)),
        new("sysinfo", s_sysinfo.Output),
        new("uname", s_uname),
        new("sethostname", s_hostName, UInt),
        new("setdomainname", s_hostName, UInt),
        new("syslog", new OwnArgument(SyslogAction), new OwnArgument(SyslogBuffer)
        {
            End = new(CallRead.Result, 1, CallOptions.StringSizeDefault),
            Omitted = static (in CallView call, int _) => (uint)call[0] is 9 or 10,
        }, new OwnArgument(SyslogLength) { Omitted = static (in CallView call, int _) => (uint)call[0] is 9 or 10 }),
        new("acct", FilePath),
        new("swapon", FilePath, new OwnArgument(SwapFlags)),
        new("swapoff", FilePath),
        new("reboot", Enum(FlagSets.RebootMagic), Enum(FlagSets.RebootMagic), Enum(FlagSets.RebootCommands), new OwnArgument(RebootArgument)
        {
            Begin = new(CallRead.String, SizeMax: CallOptions.StringSizeDefault),
            Omitted = static (in CallView call, int _) => (uint)call[2] != RebootRestart2,
        }),
        new("init_module", Address, Size, Arguments.String),
        new("finit_module", Fd, Arguments.String, Flags(FlagSets.ModuleInitFlags)),
        new("delete_module", Arguments.String, Flags(FlagSets.ModuleDeleteFlags)),
        new("kexec_file_load", Fd, Fd, Size, s_kexecLine, Flags(FlagSets.KexecFileFlags)),
        new("sysfs", Hex, Hex, Hex),
        new("ustat", new OwnArgument(static (ref CallWriter writer, in CallView call, int position) => Device(ref writer,
            (uint)call[position])), Address),
        new("uselib", FilePath),
        new("lookup_dcookie", Size, OutBuffer, Size),
    ];

    private static IEnumerable<CallSpec> Security =>
    [
        new("seccomp", Enum(FlagSets.SeccompOps), new OwnArgument(SeccompFlags), new OwnArgument(SeccompArgument)
        {
            Begin = new(CallRead.Fixed, 16, 16),
            End = new(CallRead.Fixed, 6, 6),
        }),
        new("landlock_create_ruleset", new OwnArgument(Ruleset) { Begin = new(CallRead.Counted, 1, s_ruleset.Size, 1) }, Size,
            Flags(FlagSets.LandlockFlags)) { Result = CallResult.Descriptor },
        new("landlock_add_rule", Fd, Enum(FlagSets.LandlockRules), new OwnArgument(LandlockRule) { Begin = new(CallRead.Fixed, 16, 16) },
            OnlyFlag("LANDLOCK_ADD_RULE_QUIET")),
        new("landlock_restrict_self", Fd, Flags(FlagSets.LandlockRestrictFlags)),
        new("add_key", Arguments.String, Arguments.String, InBuffer(3), Size, new OwnArgument(Key)),
        new("request_key", Arguments.String, Arguments.String, Arguments.String, new OwnArgument(Key)),
        Keyctls,
        new("lsm_get_self_attr", Enum(FlagSets.LsmAttrs), Address, s_lsmSize, Flags(FlagSets.LsmFlags)),
        new("lsm_set_self_attr", Enum(FlagSets.LsmAttrs), new StructArgument(32, LsmContext) { SizeArg = 2 }, UInt, Hex),
        new("lsm_list_modules", new OwnArgument(LsmModules) { End = new(CallRead.Pointed, 1, 8 * CallOptions.ElementsMax, 1) },
            s_lsmSize, Hex),
    ];

    private const uint RebootRestart2 = 0xa1b2c3d4; // LINUX_REBOOT_CMD_RESTART2

    private static OwnArgument s_kexecLine => new(static (ref CallWriter writer, in CallView call, int position) =>
        Buffer(ref writer, call, position, output: false))
    { Begin = new(CallRead.Counted, 1, CallOptions.StringSizeDefault, 2) };

    private static Argument s_lsmSize => new LengthArgument(isShownAlone: true);

    private static void LsmContext(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        writer.Field("id"u8);
        if (FlagSets.LsmIds.NameOf(bytes.U64(0)) is { IsEmpty: false } name)
            writer.Word(name);
        else
            writer.Hex(bytes.U64(0));
        writer.Field("flags"u8);
        writer.Hex(bytes.U64(8));
        writer.Field("len"u8, bytes.U64(16));
        writer.Field("ctx_len"u8, bytes.U64(24));
        writer.EndStruct();
    }

    private static void LsmModules(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: true);
        if (!chunk.IsRead)
        {
            writer.Address(call[position]);
            return;
        }

        writer.BeginArray();
        var ids = chunk.Bytes;
        for (long left = call.Ret; left > 0 && ids.Length >= 8; left--, ids = ids[8..])
        {
            writer.Item();
            writer.Name(FlagSets.LsmIds, ids.U64(0));
        }

        writer.EndArray();
    }

    // A word of flags of which only the first has a name.
    internal static OwnArgument OnlyFlag(string name)
    {
        byte[] text = System.Text.Encoding.UTF8.GetBytes(name);
        return new((ref CallWriter writer, in CallView call, int position) =>
        {
            if ((uint)call[position] == 1)
                writer.Word(text);
            else
                writer.Hex((uint)call[position]);
        });
    }

    private static void Buffer(ref CallWriter writer, in CallView call, int position, bool output)
    {
        var chunk = call.Find(position, output: output);
        if (!chunk.IsRead)
            writer.Address(call[position]);
        else
            writer.String(chunk.Bytes, chunk.IsTruncated);
    }

    private static void HostName(ref CallWriter writer, in CallView call, int position)
    {
        const uint nameMax = 64; // __NEW_UTS_LEN
        if ((uint)call[1] > nameMax)
            writer.Address(call[position]);
        else
            Buffer(ref writer, call, position, output: false);
    }

    private static void Random(ref CallWriter writer, in CallView call, int position)
    {
        var chunk = call.Find(position, output: true);
        if (chunk.IsRead || (call.HasSucceeded && call.Ret == 0))
            HexString(ref writer, chunk.Bytes, chunk.IsTruncated);
        else
            writer.Address(call[position]);
    }

    private static void Loads(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginArray();
        for (int index = 0; index < 3; index++)
        {
            writer.Item();
            writer.Unsigned(bytes.UWord(index, bytes.Length / 3));
        }

        writer.EndArray();
    }

    private static void Uname(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call)
    {
        writer.BeginStruct();
        for (int index = 0; index < 2; index++)
        {
            var name = bytes.Slice(index * NameBytes, NameBytes);
            int end = name.IndexOf((byte)0);
            writer.Field(index == 0 ? "sysname"u8 : "nodename"u8);
            writer.String(end < 0 ? name : name[..end], false);
        }

        writer.More();
        writer.EndStruct();
    }

    private static void SyslogAction(ref CallWriter writer, in CallView call, int position)
    {
        var name = FlagSets.SyslogActions.NameOf((uint)call[position]);
        if (writer.IsJson && !name.IsEmpty)
        {
            writer.Word(name);
            return;
        }

        writer.Number(call.Int(position));
        writer.Remark(name.IsEmpty ? "SYSLOG_ACTION_???"u8 : name);
    }

    private static void SyslogBuffer(ref CallWriter writer, in CallView call, int position)
    {
        // SYSLOG_ACTION_READ and its like fill it.
        var chunk = call.Find(position, output: true);
        if ((uint)call[0] is 2 or 3 or 4 && (chunk.IsRead || (call.Ret == 0 && call[position] != 0)))
            writer.String(chunk.Bytes, chunk.IsTruncated);
        else
            writer.Address(call[position]);
    }

    private static void SyslogLength(ref CallWriter writer, in CallView call, int position)
    {
        const uint consoleLevel = 8;
        writer.Number(call.Int(position));
        if ((uint)call[0] != consoleLevel)
            return;
        writer.Remark((uint)call[position] switch
        {
            0 => "LOGLEVEL_EMERG"u8,
            1 => "LOGLEVEL_ALERT"u8,
            2 => "LOGLEVEL_CRIT"u8,
            3 => "LOGLEVEL_ERR"u8,
            4 => "LOGLEVEL_WARNING"u8,
            5 => "LOGLEVEL_NOTICE"u8,
            6 => "LOGLEVEL_INFO"u8,
            7 => "LOGLEVEL_DEBUG"u8,
            _ => "LOGLEVEL_???"u8,
        });
    }

    private static void SwapFlags(ref CallWriter writer, in CallView call, int position)
    {
        const uint priority = 0x7fff;
        uint flags = (uint)call[position];
        writer.Quote();
        if ((flags & ~priority) != 0)
        {
            FlagSets.SwapFlags.Format(ref writer.Line, flags & ~priority);
            writer.Line.Append((byte)'|');
        }

        writer.Line.Append((ulong)(flags & priority));
        writer.Quote();
    }

    private static void RebootArgument(ref CallWriter writer, in CallView call, int position) =>
        Buffer(ref writer, call, position, output: false);

    private static void SeccompFlags(ref CallWriter writer, in CallView call, int position)
    {
        if ((uint)call[0] == 1)
            writer.Flags(FlagSets.SeccompFilterFlags, (uint)call[position]);
        else
            writer.Hex((uint)call[position]);
    }

    private static void SeccompArgument(ref CallWriter writer, in CallView call, int position)
    {
        // SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL, SECCOMP_GET_NOTIF_SIZES
        var chunk = call.Find(position, output: (uint)call[0] == 3);
        if (!chunk.Has(s_seccompSizes.Size))
        {
            if ((uint)call[0] <= 3)
                writer.Address(call[position]);
            else
                writer.Hex(call[position]);
            return;
        }

        switch ((uint)call[0])
        {
            case 1 when chunk.Bytes.Length >= (call.Is32Bit ? s_program.Size32 : s_program.Size):
                s_program.Write(ref writer, chunk.Bytes, call);
                break;
            case 2:
                writer.BeginArray();
                writer.Item();
                writer.Name(FlagSets.SeccompActions, chunk.Bytes.U32(0));
                writer.EndArray();
                break;
            case 3:
                s_seccompSizes.Write(ref writer, chunk.Bytes, call);
                break;
            default:
                writer.Hex(call[position]);
                break;
        }
    }

    private static void Ruleset(ref CallWriter writer, in CallView call, int position)
    {
        const int oldestBytes = 8;
        var chunk = call.Find(position);
        if (!chunk.Has(oldestBytes))
            writer.Address(call[position]);
        else
            s_ruleset.Write(ref writer, chunk.Bytes, call);
    }

    private static void LandlockRule(ref CallWriter writer, in CallView call, int position)
    {
        const uint pathBeneath = 1, netPort = 2;
        var chunk = call.Find(position);
        if (!chunk.Has(16) || (uint)call[1] is not (pathBeneath or netPort))
            writer.Address(call[position]);
        else
            ((uint)call[1] == pathBeneath ? s_pathRule : s_portRule).Write(ref writer, chunk.Bytes, call);
    }
}
