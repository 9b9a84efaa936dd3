// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A path, in a part of the record; not known where the event has none.</summary>
internal readonly struct PathKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_path_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Path, null);

    public static void Expand(MemberShape member)
    {
        // What is said of an event's first path needs no name before it, and on a terminal it takes the room that is left.
        bool isFirst = !member.Fields.Exists(static field => field.Value.Is<PathKind>());
        string of = isFirst ? "" : member.Name + "_";
        member.Field<PathKind>(member.Name);
        member.Column<IfAny>(member.Name, 0, new() { Rank = isFirst ? ColumnHint.Kept : 1, IsRare = true, IsWide = isFirst });
        member.Offset += EventPart.TruncatedOffset;
        member.Size = sizeof(byte);
        member.Field<FlagKind>(of + "truncated");
        member.Column<TruncatedMark>(of + "truncated", 0, ColumnHint.Remark, "");
        member.Offset += EventPart.DeletedOffset - EventPart.TruncatedOffset;
        member.Field<FlagKind>(of + "deleted");
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        value.PartOf(view.Record) is { IsAbsent: false } part ? TStyle.Path(ref line, part, view.Record) : TStyle.Unknown(ref line);

    public static int BytesMax(EventValue value) => Escaping.BytesMax(EventPart.LengthMax);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => value.PartOf(view.Record).Of(view.Record);

    // Left out where the event has none.
    private readonly struct IfAny : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
            where TStyle : struct, IValueStyle =>
            value.PartOf(view.Record) is { IsAbsent: false } part ? TStyle.Path(ref line, part, view.Record) : 0;

        public static int BytesMax(EventValue value) => PathKind.BytesMax(value);
    }

    private readonly struct TruncatedMark : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
            where TStyle : struct, IValueStyle =>
            line.Append(value.Unsigned(view.Record) != 0 ? "truncated"u8 : []);
    }
}
