// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A value that only some events of a module have. Text leaves it out of the others.</summary>
internal interface ISomeKind : IMemberKind, IValueKind
{
    /// <summary>Has the event none?</summary>
    static abstract bool IsAbsent(EventValue value, ReadOnlySpan<byte> record);
}

/// <summary>The column of a value that only some events have.</summary>
/// <typeparam name="TKind">Says which have none.</typeparam>
/// <typeparam name="TShown">How it is written.</typeparam>
internal readonly struct SomeColumn<TKind, TShown> : IColumnForm
    where TKind : struct, ISomeKind
    where TShown : struct, IValueKind
{
    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        TKind.IsAbsent(value, view.Record) ? 0 : TShown.Write<TStyle>(ref line, value, ref view);

    public static int BytesMax(EventValue value) => TShown.BytesMax(value);

    public static void Add(MemberShape member, string? label = null)
    {
        member.Field<TKind>(member.Name);
        member.Column<SomeColumn<TKind, TShown>>(member.Name, 0, new() { Rank = 1, IsRare = true }, label);
    }
}

/// <summary>A thread's or a process's id; all ones is none.</summary>
internal readonly struct SomePidKind : ISomeKind
{
    public static string[] Typedefs => ["veil_some_pid_t"];

    public static ValueFacts Facts => PidKind.Facts;

    public static void Expand(MemberShape member) => SomeColumn<SomePidKind, PidKind>.Add(member);

    public static bool IsAbsent(EventValue value, ReadOnlySpan<byte> record) => value.Unsigned(record) == uint.MaxValue;

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        PidKind.Write<TStyle>(ref line, value, ref view);
}

/// <summary>What a process ended with; all ones is none.</summary>
internal readonly struct ExitCodeKind : ISomeKind
{
    public static string[] Typedefs => ["veil_exit_code_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, Quantity.Id);

    public static void Expand(MemberShape member) => SomeColumn<ExitCodeKind, ExitCodeKind>.Add(member);

    public static bool IsAbsent(EventValue value, ReadOnlySpan<byte> record) => value.Unsigned(record) == uint.MaxValue;

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        IsAbsent(value, view.Record) ? TStyle.Unknown(ref line) : line.Append(value.Unsigned(view.Record));
}

/// <summary>A signal by its name; 0 is none.</summary>
internal readonly struct SomeSignalKind : ISomeKind
{
    public static string[] Typedefs => ["veil_some_signal_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Word, null);

    public static void Expand(MemberShape member) => SomeColumn<SomeSignalKind, SomeSignalKind>.Add(member);

    public static bool IsAbsent(EventValue value, ReadOnlySpan<byte> record) => value.Unsigned(record) == 0;

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        if (IsAbsent(value, view.Record))
            return TStyle.Unknown(ref line);
        ulong signal = value.Unsigned(view.Record);
        int start = line.Length;
        TStyle.Quote(ref line);
        if (FlagSets.Signals.NameOf(signal) is { IsEmpty: false } name)
            line.Append(name);
        else
            line.Append(signal);
        TStyle.Quote(ref line);
        return line.Length - start;
    }
}

/// <summary>True or false; all ones is not known. Text shows what is true.</summary>
internal readonly struct FactKind : ISomeKind
{
    public static string[] Typedefs => ["veil_fact_t"];

    public static ValueFacts Facts { get; } = new("boolean or null", KeyKind.Word, null);

    public static void Expand(MemberShape member) => SomeColumn<FactKind, FactKind>.Add(member);

    public static bool IsAbsent(EventValue value, ReadOnlySpan<byte> record) => value.Unsigned(record) != 1;

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        value.Unsigned(view.Record) == uint.MaxValue ? TStyle.Unknown(ref line) : FlagKind.Write<TStyle>(ref line, value, ref view);
}

/// <summary>Nanoseconds; all ones is none.</summary>
internal readonly struct SomeDurationKind : ISomeKind
{
    public static string[] Typedefs => ["veil_some_duration_t"];

    public static ValueFacts Facts => DurationKind.Facts;

    public static void Expand(MemberShape member) =>
        SomeColumn<SomeDurationKind, DurationKind.Readable>.Add(
            member, member.Name.Replace("_ns", "", StringComparison.Ordinal) + "=");

    public static bool IsAbsent(EventValue value, ReadOnlySpan<byte> record) => value.Unsigned(record) == ulong.MaxValue;

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        DurationKind.Write<TStyle>(ref line, value, ref view);
}

/// <summary>Bytes; all ones is none.</summary>
internal readonly struct SomeBytesKind : ISomeKind
{
    public static string[] Typedefs => ["veil_some_bytes_t"];

    public static ValueFacts Facts => BytesKind.Facts;

    public static void Expand(MemberShape member) => SomeColumn<SomeBytesKind, BytesKind>.Add(member);

    public static bool IsAbsent(EventValue value, ReadOnlySpan<byte> record) => value.Unsigned(record) == ulong.MaxValue;

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        BytesKind.Write<TStyle>(ref line, value, ref view);
}

/// <summary>A number that may be negative; the least is none.</summary>
internal readonly struct SomeNumberKind : ISomeKind
{
    public static string[] Typedefs => ["veil_some_number_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, null);

    public static void Expand(MemberShape member) => SomeColumn<SomeNumberKind, SomeNumberKind>.Add(member);

    public static bool IsAbsent(EventValue value, ReadOnlySpan<byte> record) => value.Signed(record) == int.MinValue;

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        IsAbsent(value, view.Record) ? TStyle.Unknown(ref line) : line.Append(value.Signed(view.Record));
}

/// <summary>A task's name; it may be none.</summary>
internal readonly struct SomeCommKind : ISomeKind
{
    public static string[] Typedefs => ["veil_some_comm_t"];

    public static ValueFacts Facts => CommKind.Facts;

    public static void Expand(MemberShape member) => SomeColumn<SomeCommKind, CommKind>.Add(member);

    public static bool IsAbsent(EventValue value, ReadOnlySpan<byte> record) => CommKind.IsUnknown(value.Of(record));

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        CommKind.Write<TStyle>(ref line, value, ref view);

    public static int BytesMax(EventValue value) => CommKind.BytesMax(value);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => CommKind.RawText(value, ref view);
}

/// <summary>What a call returned; it may be none. Text shows the error alone.</summary>
internal readonly struct SomeReturnKind : ISomeKind
{
    public static string[] Typedefs => ["veil_some_ret_t"];

    public static ValueFacts Facts => ReturnKind.Facts;

    public static void Expand(MemberShape member)
    {
        member.Field<ReturnKind>(member.Name);
        ErrnoKind.AddFields(member, "errno");
        member.Column<SomeColumn<SomeReturnKind, ErrnoKind.NameAndNumber>>(
            "errno", 0, new() { Rank = 1, IsRare = true });
    }

    public static bool IsAbsent(EventValue value, ReadOnlySpan<byte> record) =>
        value.Signed(record) is var ret && (ret >= 0 || ErrnoKind.HasNone(ret));

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        ReturnKind.Write<TStyle>(ref line, value, ref view);
}
