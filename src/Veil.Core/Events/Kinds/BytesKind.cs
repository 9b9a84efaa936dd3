// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A number of bytes; all ones is not known.</summary>
internal readonly struct BytesKind : IMemberKind, IValueKind
{
    public static string[] Typedefs => ["veil_bytes_t"];

    public static ValueFacts Facts { get; } = new("number or null", KeyKind.Word, Quantity.Bytes);

    public static void Expand(MemberShape member) => member.Add<BytesKind>(10);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        value.Unsigned(view.Record) is var known && known != ulong.MaxValue ? line.Append(known) : TStyle.Unknown(ref line);
}
