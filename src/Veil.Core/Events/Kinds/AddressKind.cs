// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>An address, in hexadecimal; not known where the event has none.</summary>
internal readonly struct AddressKind : IMemberKind, IValueKind
{
    private const ulong None = 1UL << 63; // VEIL_ADDRESS_NONE

    public static string[] Typedefs => ["veil_address_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Word, null);

    public static void Expand(MemberShape member)
    {
        member.Field<AddressKind>(member.Name);
        member.Column<IfAny>(member.Name, 0, new() { Rank = 30, IsRare = true });
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        value.Unsigned(view.Record) == None ? TStyle.Unknown(ref line) : HexKind.Write<TStyle>(ref line, value, ref view);

    // Left out where there is none.
    private readonly struct IfAny : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct,
        IValueStyle =>
            value.Unsigned(view.Record) == None ? 0 : HexKind.Write<TStyle>(ref line, value, ref view);
    }
}
