// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A number that tells things apart; 0 is not known.</summary>
internal readonly struct IdKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_id_t", "veil_netns_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, Quantity.NotZero);

    public static void Expand(MemberShape member) => member.Add<IdKind>(10);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        value.Unsigned(view.Record) is var some && some != 0 ? line.Append(some) : TStyle.Unknown(ref line);
}
