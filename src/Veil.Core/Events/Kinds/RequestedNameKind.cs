// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A name as a call asked for it, in a part of the record: relative to some folder, and with what a path leaves out.</summary>
internal readonly struct RequestedNameKind : IMemberKind
{
    public static string[] Typedefs => ["veil_name_t"];

    public static void Expand(MemberShape member)
    {
        member.Field<PathKind>(member.Name);
        member.Column<IfRelative>(member.Name, 0, new() { Rank = 1, IsRare = true });
        member.Offset += EventPart.TruncatedOffset;
        member.Size = sizeof(byte);
        member.Field<FlagKind>(member.Name + "_truncated");
    }

    // One from the root on is mostly the path that is shown already.
    private readonly struct IfRelative : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct,
        IValueStyle =>
            value.PartOf(view.Record) is { IsAbsent: false } part && !part.Of(view.Record).StartsWith((byte)'/')
                ? TStyle.Path(ref line, part, view.Record) : 0;

        public static int BytesMax(EventValue value) => PathKind.BytesMax(value);
    }
}
