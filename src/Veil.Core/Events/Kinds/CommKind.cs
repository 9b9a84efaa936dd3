// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>A task's name: 16 bytes, padded with NUL; a NUL and 0xff is not known.</summary>
internal readonly struct CommKind : IMemberKind, IValueKind
{
    private const int LengthMax = 15;
    private const byte UnknownMark = 0xff; // VEIL_COMM_UNKNOWN

    public static string[] Typedefs => ["veil_comm_t"];

    public static ValueFacts Facts { get; } = new("string or null", KeyKind.Bytes, null);

    public static void Expand(MemberShape member) =>
        member.Add<CommKind>(
            LengthMax, new() { Title = member.Name.ToUpperInvariant(), WidthMin = 10, Limit = LengthMax, Colour = Ansi.Cyan },
            member.Name == "comm" ? "" : null);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        value.Of(view.Record) is var comm && !IsUnknown(comm) ? TStyle.Text(ref line, UntilNul(comm)) : TStyle.Unknown(ref line);

    /// <summary>Is it none?</summary>
    public static bool IsUnknown(ReadOnlySpan<byte> comm) => comm[0] == 0 && comm[1] == UnknownMark;

    public static int BytesMax(EventValue value) => Escaping.BytesMax(value.Size);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => UntilNul(value.Of(view.Record));

    private static ReadOnlySpan<byte> UntilNul(ReadOnlySpan<byte> array)
    {
        int end = array.IndexOf((byte)0);
        return end < 0 ? array : array[..end];
    }
}
