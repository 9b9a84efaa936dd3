// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>True where a number is not zero.</summary>
internal readonly struct FlagKind : IValueKind
{
    public static ValueFacts Facts { get; } = new("boolean", KeyKind.Word, null);

    public static int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle =>
        line.Append(value.Unsigned(view.Record) != 0 ? "true"u8 : "false"u8);
}
