// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>The arguments of a program, in a part of the record with a NUL behind each. Text has them as a shell would take them.</summary>
internal readonly struct ArgvKind : IMemberKind, IValueKind
{
    // Of a text of quotes alone each becomes '\''.
    private const int GrowthMax = 5;

    private static readonly SearchValues<byte> s_needsQuotes = SearchValues.Create(" \t\n\r\v\f\"'`$&|;<>()[]{}*?!#~\\="u8);

    [ThreadStatic]
    private static byte[]? t_joined;

    public static string[] Typedefs => ["veil_argv_t"];

    public static ValueFacts Facts { get; } = new("array or null", KeyKind.Path, null);

    public static void Expand(MemberShape member)
    {
        string name = member.Name;
        member.Field<ArgvKind>(name);
        member.Column<IfAny>(name, 0, new() { Rank = ColumnHint.Kept, IsRare = true, IsWide = true });
        member.Offset += EventPart.TruncatedOffset;
        member.Size = sizeof(byte);
        member.Field<FlagKind>(name + "_truncated");
        member.Column<TruncatedMark>(name + "_truncated", 0, ColumnHint.Remark, "");
    }

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        if (value.PartOf(view.Record) is not { IsAbsent: false } part)
            return TStyle.Unknown(ref line);
        var rest = part.Of(view.Record);
        if (typeof(TStyle) != typeof(JsonStyle))
            return TStyle.Text(ref line, Joined(rest));
        bool exact = true;
        line.Append((byte)'[');
        for (bool first = true; !rest.IsEmpty; first = false)
        {
            if (!first)
                line.Append((byte)',');
            exact &= TStyle.Text(ref line, Next(ref rest)) != JsonStyle.NotExact;
        }

        line.Append((byte)']');
        return exact ? 1 : JsonStyle.NotExact;
    }

    // Quotes and a comma beside each, and there may be nothing else.
    public static int BytesMax(EventValue value) => (EventPart.LengthMax * GrowthMax * Escaping.MaxGrowth) + Escaping.BytesMax(0);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => value.PartOf(view.Record).Of(view.Record);

    /// <summary>Takes the first of some arguments.</summary>
    public static ReadOnlySpan<byte> Next(scoped ref ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOf((byte)0);
        var first = end < 0 ? rest : rest[..end];
        rest = end < 0 ? [] : rest[(end + 1)..];
        return first;
    }

    /// <summary>The arguments as a shell would take them. Valid until the next call.</summary>
    public static ReadOnlySpan<byte> Joined(ReadOnlySpan<byte> arguments)
    {
        byte[] joined = t_joined ??= new byte[EventPart.LengthMax * GrowthMax];
        int length = 0;
        while (!arguments.IsEmpty)
        {
            if (length > 0)
                joined[length++] = (byte)' ';
            var argument = Next(ref arguments);
            bool isQuoted = argument.IsEmpty || argument.ContainsAny(s_needsQuotes);
            if (!isQuoted)
            {
                argument.CopyTo(joined.AsSpan(length));
                length += argument.Length;
                continue;
            }

            byte quote = argument.Contains((byte)'\'') && !argument.ContainsAny("\"$`\\!"u8) ? (byte)'"' : (byte)'\'';
            joined[length++] = quote;
            foreach (byte one in argument)
            {
                joined[length++] = one;
                if (one == quote)
                {
                    "\\''"u8.CopyTo(joined.AsSpan(length));
                    length += 3;
                }
            }

            joined[length++] = quote;
        }

        return joined.AsSpan(0, length);
    }

    private readonly struct IfAny : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
            where TStyle : struct, IValueStyle =>
            value.PartOf(view.Record).IsAbsent ? 0 : ArgvKind.Write<TStyle>(ref line, value, ref view);

        public static int BytesMax(EventValue value) => ArgvKind.BytesMax(value);
    }

    private readonly struct TruncatedMark : IColumnForm
    {
        public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view)
            where TStyle : struct, IValueStyle =>
            line.Append(value.Unsigned(view.Record) != 0 ? "argv_truncated"u8 : []);
    }
}
