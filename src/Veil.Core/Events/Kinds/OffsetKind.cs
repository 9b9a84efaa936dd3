// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A place in a file, in bytes; not known where a call has none.</summary>
internal readonly struct OffsetKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_offset_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, Quantity.Bytes);

    public static void Expand(MemberShape member)
    {
        member.Field<OffsetKind>(member.Name);
        member.Column<IfAny>(member.Name, 0, new() { Rank = 2, IsRare = true });
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        value.Unsigned(view.Record) == ulong.MaxValue ? TStyle.Unknown(ref line) : line.Append(value.Signed(view.Record));

    // Left out where the call has none.
    private readonly struct IfAny : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct,
        IValueStyle =>
            value.Unsigned(view.Record) == ulong.MaxValue ? 0 : OffsetKind.Write<TStyle>(ref line, value, ref view);
    }
}
