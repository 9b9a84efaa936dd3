// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>The error of a result: 0, in JSON null, where the call did not fail; not known where it never returned.</summary>
internal readonly struct ErrnoKind : IMemberKind, IValueKind
{
    /// <summary>What a call that never returned has for a result.</summary>
    public const long NeverReturned = long.MinValue;

    /// <summary>Did a call not return, or not yet (VEIL_RET_NONE, VEIL_RET_RUNNING)?</summary>
    public static bool HasNone(long ret) => ret <= NeverReturned + 1;

    private const int Max = 4095;
    private const int Width = 17;

    public static string[] Typedefs => ["veil_errno_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Errno, null);

    public static void Expand(MemberShape member) =>
        Expand(member, member.Name, new() { Title = "ERROR", Width = 15, WidthMin = 12, Rank = 23, IsRare = true, HidesZero = true });

    public static void Expand(MemberShape member, string name, ColumnHint hint)
    {
        AddFields(member, name);
        member.Column<NameAndNumber>(name, Width, hint);
    }

    /// <summary>Adds its fields.</summary>
    public static void AddFields(MemberShape member, string name)
    {
        member.Field<ErrnoKind>(name);
        member.Field<Number>(name + "_nr");
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        long ret = value.Signed(view.Record);
        if (Of(ret) is 0)
            return HasNone(ret) ? TStyle.Unknown(ref line) : TStyle.NoError(ref line);
        int start = line.Length;
        TStyle.Quote(ref line);
        AppendName(ref line, Of(ret));
        TStyle.Quote(ref line);
        return line.Length - start;
    }

    /// <summary>Where there is no error, that is said too.</summary>
    public static EventValue InTable(EventValue value) => value.As<NameAndNumber>();

    /// <summary>The error's number, or 0.</summary>
    public static int Of(long ret) => ret is >= -Max and < 0 ? (int)-ret : 0;

    private static void AppendName(ref LineWriter line, int errno)
    {
        var name = Errno.NameUtf8(errno);
        if (!name.IsEmpty)
        {
            line.Append(name);
            return;
        }

        line.Append("errno_"u8);
        line.Append((long)errno);
    }

    private readonly struct Number : IValueKind
    {
        public static ValueFacts Facts { get; } = new("number or null", KeyKind.Errno, null);

        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
            where TStyle : struct, IValueStyle =>
            value.Signed(view.Record) is var ret && HasNone(ret) ? TStyle.Unknown(ref line) : line.Append((long)Of(ret));
    }

    // ENOENT(2), or 0
    internal readonly struct NameAndNumber : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            long ret = value.Signed(view.Record);
            if (Of(ret) is 0)
                return HasNone(ret) ? TStyle.Unknown(ref line) : line.Append("0"u8);
            int start = line.Length;
            AppendName(ref line, Of(ret));
            line.Append((byte)'(');
            line.Append((long)Of(ret));
            line.Append((byte)')');
            return line.Length - start;
        }

        public static EventValue OnScreen(EventValue value) => value.As<ErrnoKind>();
    }
}
