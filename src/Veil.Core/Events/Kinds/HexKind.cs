// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>An address or a mask, in hexadecimal; a string in JSON, whose numbers many readers keep in 53 bits.</summary>
internal readonly struct HexKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_hex_t"];

    public static ValueFacts Facts { get; } = new("string", KeyKind.Word, null);

    public static void Expand(MemberShape member) => member.Add<HexKind>(18, new() { WidthMin = 14 });

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        int start = line.Length;
        TStyle.Quote(ref line);
        line.Append("0x"u8);
        line.AppendHex(value.Unsigned(view.Record));
        TStyle.Quote(ref line);
        return line.Length - start;
    }
}
