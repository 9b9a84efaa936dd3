// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Events.Kinds;

/// <summary>
/// A kind of value: how it is written, and what can be done with it. Each is a struct of which there is no instance: as the type argument
/// of
/// <see cref="EventValue{TKind}"/> every kind has code of its own, and the compiler asks for what a new one lacks.
/// </summary>
internal interface IValueKind
{
    /// <summary>What does not depend on the value.</summary>
    static abstract ValueFacts Facts { get; }

    /// <summary>Appends the value.</summary>
    /// <returns>The number of characters that it shows.</returns>
    static abstract int Write<TStyle>(ref LineWriter line, EventValue value, scoped ref EventView view) where TStyle : struct, IValueStyle;

    /// <summary>An upper bound of the bytes that a value takes in any output. Numbers, and names out of our own tables, have few.</summary>
    static virtual int BytesMax(EventValue value) => 80;

    /// <summary>The bytes behind a value that is text.</summary>
    static virtual ReadOnlySpan<byte> RawText(EventValue value, scoped ref EventView view) =>
        throw new InvalidOperationException("not text");

    /// <summary>The value as a key in a table of counts.</summary>
    static virtual EventValue InTable(EventValue value) => value;

    /// <summary>The value of a column as a terminal shows it, where there is less room.</summary>
    static virtual EventValue OnScreen(EventValue value) => value;
}
