// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A port that the kernel chooses at some time; 0 is not known.</summary>
internal readonly struct ChosenPortKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_chosen_port_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, Quantity.NotZero);

    public static void Expand(MemberShape member) => member.Add<ChosenPortKind>(PortKind.Width);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        IdKind.Write<TStyle>(ref line, value, ref view);
}
