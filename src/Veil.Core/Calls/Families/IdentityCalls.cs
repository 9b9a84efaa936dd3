// SPDX-License-Identifier: GPL-3.0-only
using System.Numerics;
using Veil.Core.Kernel;
using static Veil.Core.Calls.Arguments;
using static Veil.Core.Calls.FileArguments;

namespace Veil.Core.Calls;

/// <summary>Calls on users, capabilities, limits and scheduling.</summary>
internal static class IdentityCalls
{
    private const int CapabilityBytes = 12; // struct __user_cap_data_struct
    private const uint CapabilityVersion1 = 0x19980330;
    private const int CpuSetBytes = 128;
    private const int AttrBytes = 56, AttrFirstBytes = 48, AttrParameters = 16; // struct sched_attr
    private const uint ResetOnFork = 0x40000000;

    private static readonly Argument s_idOut = Pointers.OutUInt;

    private static readonly Argument s_policy = new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
        Policy(ref writer, (uint)call[position]));

    private static readonly StructLayout s_capHeader = new(StructField.Enum("version", FlagSets.CapVersions), StructField.Int("pid"));
    private static readonly StructLayout s_rlimit = new(Limit("rlim_cur"), Limit("rlim_max"));
    private static readonly StructLayout s_rlimit64 = new(Limit64("rlim_cur"), Limit64("rlim_max"));
    private static readonly StructLayout s_param = new(StructField.Int("sched_priority"));
    // Of struct sched_attr, what is from AttrParameters on.
    private static readonly StructLayout s_attrParameters = new(StructField.Int("sched_nice"), StructField.UInt("sched_priority"),
        StructField.U64("sched_runtime"), StructField.U64("sched_deadline"), StructField.U64("sched_period"));

    /// <summary>Them.</summary>
    public static IEnumerable<CallSpec> All => [.. Users, .. Limits, .. Scheduling];

    private static Argument s_shortIdOut => Pointers.Output(2, 2, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        writer.Unsigned(bytes.U16(0)));

    private static IEnumerable<CallSpec> Users =>
    [
        new("i386:setuid", ShortId),
        new("i386:setgid", ShortId),
        new("i386:setfsuid", ShortId),
        new("i386:setfsgid", ShortId),
        new("i386:setreuid", ShortId, ShortId),
        new("i386:setregid", ShortId, ShortId),
        new("i386:setresuid", ShortId, ShortId, ShortId),
        new("i386:setresgid", ShortId, ShortId, ShortId),
        new("i386:getresuid", s_shortIdOut, s_shortIdOut, s_shortIdOut),
        new("i386:getresgid", s_shortIdOut, s_shortIdOut, s_shortIdOut),
        .. WithWide("setuid", Id),
        .. WithWide("setgid", Id),
        .. WithWide("setreuid", Id, Id),
        .. WithWide("setregid", Id, Id),
        .. WithWide("setresuid", Id, Id, Id),
        .. WithWide("setresgid", Id, Id, Id),
        .. WithWide("setfsuid", Id),
        .. WithWide("setfsgid", Id),
        new("getresuid", s_idOut, s_idOut, s_idOut),
        new("getresgid", s_idOut, s_idOut, s_idOut),
        new("getresuid32", s_idOut, s_idOut, s_idOut),
        new("getresgid32", s_idOut, s_idOut, s_idOut),
        new("setgroups", Int, s_groups),
        new("setgroups32", Int, s_groups),
        new("getgroups", Int, s_groupsOut),
        new("getgroups32", Int, s_groupsOut),
        new("capget", s_capHeader.Input, new OwnArgument(CapabilitiesOut) { End = s_capabilities }),
        new("capset", s_capHeader.Input, new OwnArgument(CapabilitiesIn) { Begin = s_capabilities }),
    ];

    private static IEnumerable<CallSpec> Limits =>
    [
        new("prlimit64", Int, Enum(FlagSets.Rlimits), s_rlimit64.Input, s_rlimit64.Output),
        new("getrlimit", Enum(FlagSets.Rlimits), s_rlimit.Output),
        new("ugetrlimit", Enum(FlagSets.Rlimits), s_rlimit.Output),
        new("setrlimit", Enum(FlagSets.Rlimits), s_rlimit.Input),
        new("getrusage", Enum(FlagSets.RusageWho), ProcessCalls.Rusage),
        new("getpriority", Enum(FlagSets.PriorityWhich), Int),
        new("setpriority", Enum(FlagSets.PriorityWhich), Int, Int),
        new("ioprio_get", Enum(FlagSets.IoprioWhich), Int) { ResultWriter = IoPriorityResult },
        new("ioprio_set", Enum(FlagSets.IoprioWhich), Int, new OwnArgument(static (ref CallWriter writer, in CallView call, int position) =>
            IoPriority(ref writer, (uint)call[position]))),
    ];

    private static IEnumerable<CallSpec> Scheduling =>
    [
        new("sched_getaffinity", Int, Size, new OwnArgument(CpuSetOut) { End = new(CallRead.Result, 1, CpuSetBytes) }),
        new("sched_setaffinity", Int, Size, new OwnArgument(CpuSetIn) { Begin = new(CallRead.Counted, 1, CpuSetBytes, 1) }),
        new("sched_getscheduler", Int) { ResultWriter = SchedulerResult },
        new("sched_setscheduler", Int, s_policy, s_param.Input),
        new("sched_getparam", Int, s_param.Output),
        new("sched_setparam", Int, s_param.Input),
        new("sched_get_priority_max", s_policy),
        new("sched_get_priority_min", s_policy),
        new("sched_rr_get_interval", Int, Interval(size32: 8)),
        new("sched_rr_get_interval_time64", Int, Interval(size32: 16)),
        new("sched_getattr", Int, new OwnArgument(AttributesOut) { End = new(CallRead.Counted, 1, AttrBytes, 2) }, UInt,
            KernelCalls.OnlyFlag("SCHED_GETATTR_FLAG_DL_DYNAMIC")),
        new("sched_setattr", Int, new OwnArgument(AttributesIn) { Begin = new(CallRead.Fixed, AttrBytes, AttrBytes) }, Hex),
        new("getcpu", Pointers.OutUInt, Pointers.OutUInt, Address),
    ];

    private static ArrayArgument s_groups => new(4, 0, Group);

    private static ArrayArgument s_groupsOut => new(4, -1, Group);

    private static CallReader s_capabilities => new(CallRead.Fixed, 2 * CapabilityBytes, 2 * CapabilityBytes);

    // i386 has a second call of the same for ids of 32 bits.
    private static IEnumerable<CallSpec> WithWide(string name, params Argument[] arguments) =>
        [new(name, arguments), new(name + "32", arguments)];

    private static StructArgument Interval(int size32) => new(16, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Times.Write(ref writer, bytes, bytes.Length / 2, isMicro: false))
    { Size32 = size32, IsOutput = true };

    private static StructField Limit(string name) =>
        new(name, 8, 4, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Limit(ref writer, bytes.Length == 4 && bytes.U32(0) == uint.MaxValue ? ulong.MaxValue : bytes.UWord(0, bytes.Length),
            bytes.Length == 4));

    private static StructField Limit64(string name) =>
        new(name, 8, 8, static (ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView _) =>
        Limit(ref writer, bytes.U64(0), is32Bit: false));

    private static void Limit(ref CallWriter writer, ulong value, bool is32Bit)
    {
        const ulong kibi = 1024;
        if (value == ulong.MaxValue)
        {
            writer.Word(is32Bit ? "RLIM_INFINITY"u8 : "RLIM64_INFINITY"u8);
        }
        else if (!writer.IsJson && value > kibi && value % kibi == 0)
        {
            writer.Unsigned(value / kibi);
            writer.TextOnly("*1024"u8);
        }
        else
        {
            writer.Unsigned(value);
        }
    }

    private static void Group(ref CallWriter writer, ReadOnlySpan<byte> bytes, in CallView call) => writer.Unsigned(bytes.U32(0));

    private static void CapabilitiesIn(ref CallWriter writer, in CallView call, int position) =>
        Capabilities(ref writer, call, position, call.Find(position));

    private static void CapabilitiesOut(ref CallWriter writer, in CallView call, int position) =>
        Capabilities(ref writer, call, position, call.Find(position, output: true));

    // Since version 2 there are two structures, of the lower and the upper 32.
    private static void Capabilities(ref CallWriter writer, in CallView call, int position, in CallChunk chunk)
    {
        var header = call.Find(0);
        if (!header.Has(4) || !chunk.Has(header.Bytes.U32(0) == CapabilityVersion1 ? CapabilityBytes : 2 * CapabilityBytes))
        {
            writer.Address(call[position]);
            return;
        }

        bool isWide = header.Bytes.U32(0) != CapabilityVersion1;
        writer.BeginStruct();
        for (int index = 0; index < 3; index++)
        {
            writer.Field(index switch { 0 => "effective"u8, 1 => "permitted"u8, _ => "inheritable"u8 });
            ulong set = chunk.Bytes.U32(4 * index);
            if (isWide)
                set |= (ulong)chunk.Bytes.U32(CapabilityBytes + (4 * index)) << 32;
            writer.Quote();
            bool isFirst = true;
            for (; set != 0; set &= set - 1)
            {
                var name = FlagSets.Capabilities.NameOf((uint)BitOperations.TrailingZeroCount(set));
                if (name.IsEmpty)
                {
                    // Those of the upper word that nobody knows, as they stand there.
                    writer.TextOnly(isFirst ? ""u8 : "|"u8);
                    writer.AppendHex(set >> 32);
                    isFirst = false;
                    break;
                }

                writer.Line.Append(isFirst ? "1<<"u8 : "|1<<"u8);
                isFirst = false;
                writer.Line.Append(name);
            }

            if (isFirst)
                writer.Line.Append((byte)'0');
            writer.Quote();
        }

        writer.EndStruct();
    }

    private static void IoPriority(ref CallWriter writer, uint value)
    {
        const int classShift = 13;
        writer.Quote();
        writer.Line.Append("IOPRIO_PRIO_VALUE("u8);
        var name = FlagSets.IoprioClasses.NameOf(value >> classShift);
        if (name.IsEmpty)
        {
            writer.AppendHex(value >> classShift);
            writer.Remark("IOPRIO_CLASS_???"u8);
        }

        writer.Line.Append(name);
        writer.Line.Append(", "u8);
        writer.Line.Append((ulong)(value & ((1 << classShift) - 1)));
        writer.Line.Append((byte)')');
        writer.Quote();
    }

    private static void IoPriorityResult(ref CallWriter writer, in CallView call)
    {
        writer.Hex((ulong)call.Ret);
        writer.TextOnly(" ("u8);
        IoPriority(ref writer, (uint)call.Ret);
        writer.TextOnly(")"u8);
    }

    private static void SchedulerResult(ref CallWriter writer, in CallView call)
    {
        writer.Hex((ulong)call.Ret);
        writer.TextOnly(" ("u8);
        Policy(ref writer, (uint)call.Ret);
        writer.TextOnly(")"u8);
    }

    private static void CpuSetIn(ref CallWriter writer, in CallView call, int position) =>
        CpuSet(ref writer, call, position, call.Find(position));

    private static void CpuSetOut(ref CallWriter writer, in CallView call, int position) =>
        CpuSet(ref writer, call, position, call.Find(position, output: true));

    private static void CpuSet(ref CallWriter writer, in CallView call, int position, in CallChunk chunk)
    {
        if (!chunk.IsRead)
        {
            writer.Address(call[position]);
            return;
        }

        bool isFirst = true;
        writer.BeginArray();
        for (int cpu = 0; cpu < 8 * chunk.Bytes.Length; cpu++)
        {
            if ((chunk.Bytes[cpu / 8] >> (cpu % 8) & 1) == 0)
                continue;
            if (writer.IsJson)
                writer.Item();
            else if (!isFirst)
                writer.TextOnly(" "u8);
            isFirst = false;
            writer.Number(cpu);
        }

        writer.EndArray();
    }

    private static void AttributesOut(ref CallWriter writer, in CallView call, int position) =>
        Attributes(ref writer, call, position, call.Find(position, output: true));

    private static void AttributesIn(ref CallWriter writer, in CallView call, int position) =>
        Attributes(ref writer, call, position, call.Find(position));

    // The structure says itself how long it is.
    private static void Attributes(ref CallWriter writer, in CallView call, int position, in CallChunk chunk)
    {
        if (!chunk.Has(4))
        {
            writer.Address(call[position]);
            return;
        }

        const uint keepPolicy = 8, keepParameters = 16;
        int size = (int)Math.Min(chunk.Bytes.U32(0), (uint)chunk.Bytes.Length);
        var bytes = chunk.Bytes;
        writer.BeginStruct();
        writer.Field("size"u8, bytes.U32(0));
        if (size >= AttrFirstBytes)
        {
            ulong flags = bytes.U64(8);
            if ((flags & keepPolicy) == 0)
            {
                writer.Field("sched_policy"u8);
                Policy(ref writer, bytes.U32(4));
            }

            writer.Field("sched_flags"u8);
            writer.Flags(FlagSets.SchedAttrFlags, flags);
            if ((flags & keepParameters) == 0)
                s_attrParameters.WriteFields(ref writer, bytes[AttrParameters..], call);
            if (size >= AttrBytes)
            {
                writer.Field("sched_util_min"u8, bytes.U32(48));
                writer.Field("sched_util_max"u8, bytes.U32(52));
            }
        }

        writer.EndStruct();
    }

    // SCHED_NORMAL of the kernel's headers is SCHED_OTHER everywhere else.
    private static void Policy(ref CallWriter writer, uint value)
    {
        uint policy = value & ~ResetOnFork;
        writer.Quote();
        if ((value & ResetOnFork) != 0)
            writer.Line.Append("SCHED_RESET_ON_FORK|"u8);
        var name = policy == 0 ? "SCHED_OTHER"u8 : FlagSets.SchedPolicies.NameOf(policy);
        writer.Line.Append(name);
        if (name.IsEmpty)
        {
            writer.AppendHex(policy);
            writer.Remark("SCHED_???"u8);
        }

        writer.Quote();
    }
}
