// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>An unsigned integer of 1, 2, 4 or 8 bytes that is shown as it is.</summary>
internal interface IUnsignedKind : IMemberKind, IValueKind
{
    static ValueFacts IValueKind.Facts => new("number", KeyKind.Word, Quantity.Count);

    static int IValueKind.Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) =>
        line.Append(value.Unsigned(view.Record));
}

/// <summary>A signed integer of 1, 2, 4 or 8 bytes that is shown as it is.</summary>
internal interface ISignedKind : IMemberKind, IValueKind
{
    static ValueFacts IValueKind.Facts => new("number", KeyKind.Word, Quantity.Signed);

    static int IValueKind.Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) =>
        line.Append(value.Signed(view.Record));
}

/// <summary>A plain number.</summary>
internal readonly struct UnsignedKind : IUnsignedKind
{
    public static string[] Typedefs => ["__u8", "__u16", "__u32", "__u64"];

    public static void Expand(MemberShape member) => member.Add<UnsignedKind>(member.Size == 8 ? 10 : 5);
}

/// <summary>A plain number that may be negative.</summary>
internal readonly struct SignedKind : ISignedKind
{
    public static string[] Typedefs => ["__s32", "__s64"];

    public static void Expand(MemberShape member) => member.Add<SignedKind>(member.Size == 8 ? 10 : 5);
}

/// <summary>The number of a CPU.</summary>
internal readonly struct CpuKind : IUnsignedKind
{
    public static string[] Typedefs => ["veil_cpu_t"];

    public static void Expand(MemberShape member) => member.Add<CpuKind>(3);
}

/// <summary>A scheduling priority, as the kernel counts: lower is more urgent.</summary>
internal readonly struct PriorityKind : ISignedKind
{
    public static string[] Typedefs => ["veil_prio_t"];

    public static void Expand(MemberShape member) => member.Add<PriorityKind>(3);
}

/// <summary>A port.</summary>
internal readonly struct PortKind : IUnsignedKind
{
    public const int Width = 5;

    public static string[] Typedefs => ["veil_port_t"];

    public static void Expand(MemberShape member) => member.Add<PortKind>(Width);
}

/// <summary>A user's id.</summary>
internal readonly struct UserIdKind : IMemberKind, IValueKind
{
    /// <summary>Fits most; ids go up to ten digits in user namespaces, and then the line is wider.</summary>
    public const int Width = 5;

    public static string[] Typedefs => ["veil_uid_t"];

    public static ValueFacts Facts => PidKind.Facts;

    public static void Expand(MemberShape member) => member.Add<UserIdKind>(Width, new() { Rank = 30 }, PidKind.Label(member.Name));

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        PidKind.Write<TStyle>(ref line, value, ref view);
}

/// <summary>A group's id.</summary>
internal readonly struct GroupIdKind : IUnsignedKind
{
    public static string[] Typedefs => ["veil_gid_t"];

    public static void Expand(MemberShape member) =>
        member.Add<GroupIdKind>(UserIdKind.Width, new() { Rank = 10 }, PidKind.Label(member.Name));
}

/// <summary>Nanoseconds since boot. It has no column: people read the time of day, which an enrichment adds.</summary>
internal readonly struct TimestampKind : IUnsignedKind
{
    public static string[] Typedefs => ["veil_timestamp_t"];

    public static void Expand(MemberShape member) => member.Field<TimestampKind>(member.Name);
}

/// <summary>Microseconds that the kernel measured.</summary>
internal readonly struct MicrosecondsKind : IUnsignedKind
{
    public static string[] Typedefs => ["veil_microseconds_t"];

    static ValueFacts IValueKind.Facts => new("number", KeyKind.Word, Quantity.Microseconds);

    public static void Expand(MemberShape member) => member.Add<MicrosecondsKind>(5);
}
