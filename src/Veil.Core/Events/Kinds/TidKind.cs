// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>The id of a thread. The first of a process has the process's own, and then it says nothing.</summary>
internal readonly struct TidKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_tid_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, Quantity.Id);

    public static void Expand(MemberShape member) => member.Add<TidKind>(
        PidKind.Width, new() { Rank = 40, IsRare = true, SameAs = member.Name.Replace("tid", "pid", StringComparison.Ordinal) },
        PidKind.Label(member.Name));

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        PidKind.Write<TStyle>(ref line, value, ref view);
}
