// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>Permissions, in octal as <c>chmod</c> takes them; not known where a call has none.</summary>
internal readonly struct FileModeKind : IMemberKind, IValueKind
{
    private const ulong None = uint.MaxValue;
    private const int OctalBits = 3, LeastDigits = 3;

    public static string[] Typedefs => ["veil_mode_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Word, null);

    public static void Expand(MemberShape member)
    {
        member.Field<FileModeKind>(member.Name);
        member.Column<IfAny>(member.Name, 0, new() { Rank = 3, IsRare = true });
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        ulong mode = value.Unsigned(view.Record);
        if (mode == None)
            return TStyle.Unknown(ref line);
        int start = line.Length, digits = LeastDigits;
        while (mode >> (OctalBits * digits) != 0)
            digits++;
        TStyle.Quote(ref line);
        line.Append((byte)'0');
        while (--digits >= 0)
            line.Append((byte)('0' + ((mode >> (OctalBits * digits)) & 7)));
        TStyle.Quote(ref line);
        return line.Length - start;
    }

    // Left out where the call has none.
    private readonly struct IfAny : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct,
        IValueStyle =>
            value.Unsigned(view.Record) == None ? 0 : FileModeKind.Write<TStyle>(ref line, value, ref view);
    }
}
