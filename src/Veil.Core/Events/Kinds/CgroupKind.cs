// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Cgroups;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A cgroup by its id; 0, and one of which nobody has told, is not known.</summary>
internal readonly struct CgroupKind : IMemberKind, IValueKind
{
    private const int PathMax = 1024; // VEIL_CGROUP_PATH_MAX

    public static string[] Typedefs => ["veil_cgroup_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Word, null);

    public static void Expand(MemberShape member) => member.Add<CgroupKind>(0, new() { Rank = 25, IsRare = true, IsWide = true });

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        RawText(value, ref view) is { IsEmpty: false } path ? TStyle.Text(ref line, path) : TStyle.Unknown(ref line);

    public static int BytesMax(EventValue value) => Escaping.BytesMax(PathMax);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) =>
        CgroupTree.Own.Find(value.Unsigned(view.Record));
}
