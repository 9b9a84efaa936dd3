// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>Why a path refused a call, from the enrichment; left out of text where it did not.</summary>
internal readonly struct WhyKind : IValueKind
{
    // Two paths and a sentence.
    internal const int TextBytesMax = (2 * EventPart.LengthMax) + 256;

    public static ValueFacts Facts { get; } = new("string or null", null, null);

    public static int BytesMax(EventValue value) => Escaping.BytesMax(TextBytesMax);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle
    {
        if (typeof(TStyle) == typeof(TextStyle))
            return view.Why.IsEmpty ? 0 : PairStyle.Text(ref line, view.Why);
        return view.Why.IsEmpty ? TStyle.Unknown(ref line) : TStyle.Text(ref line, view.Why);
    }

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => view.Why;
}
