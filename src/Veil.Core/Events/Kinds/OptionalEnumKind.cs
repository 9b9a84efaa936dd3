// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>An enumeration with an enumerator of all ones: the value need not be known.</summary>
internal readonly struct OptionalEnumKind : IValueKind
{
    public static ValueFacts Facts { get; } = EnumKind.Facts with { JsonType = "string or null" };

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        EnumKind.Write<TStyle>(ref line, value, ref view);
}
