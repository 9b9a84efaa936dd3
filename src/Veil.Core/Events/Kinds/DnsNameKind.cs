// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A name as DNS messages have it, in a part of the record: labels, each behind its length (RFC 1035, 3.1).</summary>
internal readonly struct DnsNameKind : IMemberKind, IValueKind
{
    private const int BytesPerByte = 4; // \ddd

    public static string[] Typedefs => ["veil_dns_name_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Path, null);

    public static void Expand(MemberShape member)
    {
        member.Field<DnsNameKind>(member.Name);
        member.Column<DnsNameKind>(member.Name, 0, new() { Rank = ColumnHint.Kept, IsWide = true });
    }

    public static int BytesMax(EventValue value) => Escaping.BytesMax(BytesPerByte * 256);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        var part = value.PartOf(view.Record);
        if (part.IsAbsent)
            return TStyle.Unknown(ref line);
        Span<byte> text = stackalloc byte[BytesPerByte * 256];
        return TStyle.Text(ref line, text[..Format(part.Of(view.Record), text)]);
    }

    // In the form of zone files: a point within a label, a backslash and what is no visible ASCII are escaped.
    internal static int Format(ReadOnlySpan<byte> labels, Span<byte> text)
    {
        int length = 0;
        while (labels.Length > 1 && labels[0] < labels.Length)
        {
            if (length > 0)
                text[length++] = (byte)'.';
            foreach (byte value in labels.Slice(1, labels[0]))
            {
                if (value is > (byte)' ' and < 0x7f and not ((byte)'.' or (byte)'\\'))
                {
                    text[length++] = value;
                    continue;
                }

                text[length++] = (byte)'\\';
                if (value is (byte)'.' or (byte)'\\')
                {
                    text[length++] = value;
                    continue;
                }

                text[length++] = (byte)('0' + value / 100);
                text[length++] = (byte)('0' + value / 10 % 10);
                text[length++] = (byte)('0' + value % 10);
            }

            labels = labels[(labels[0] + 1)..];
        }

        if (length == 0)
            text[length++] = (byte)'.';
        return length;
    }
}
