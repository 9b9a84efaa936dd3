// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>The same text in every event of a kind: not in the record but of its schema.</summary>
internal readonly struct ConstantKind : IValueKind
{
    private const int ScreenWidthMax = 40;

    public static ValueFacts Facts { get; } = new("string", KeyKind.None, null);

    public static EventValue Of(string text) => new EventValue<ConstantKind>(names: [Encoding.UTF8.GetBytes(text)]);

    public static ColumnHint Hint(string text) =>
        new() { Width = Math.Min(Encoding.UTF8.GetByteCount(text), ScreenWidthMax), Limit = ScreenWidthMax };

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        TStyle.Text(ref line, value.Names[0]);

    public static int BytesMax(EventValue value) => Escaping.BytesMax(value.Names[0]!.Length);

    public static ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) => value.Names[0];
}
