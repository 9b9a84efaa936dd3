// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>Nanoseconds; all ones is not known. The column has the unit that suits it.</summary>
internal readonly struct DurationKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_duration_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, Quantity.Nanoseconds);

    public static void Expand(MemberShape member)
    {
        member.Field<DurationKind>(member.Name);
        member.Column<Readable>(
            member.Name, 9, new() { Rank = 90, IsRare = true }, member.Name.Replace("_ns", "", StringComparison.Ordinal) + "=");
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        value.Unsigned(view.Record) is var known && known != ulong.MaxValue ? line.Append(known) : TStyle.Unknown(ref line);

    internal readonly struct Readable : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
        {
            int start = line.Length;
            if (value.Unsigned(view.Record) is var known && known == ulong.MaxValue)
                return TStyle.Unknown(ref line);
            DurationText.Append(ref line, known);
            return line.Length - start;
        }
    }
}
