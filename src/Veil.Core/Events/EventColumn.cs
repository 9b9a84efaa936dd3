// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events;

/// <summary>A column of the default text output. It may show several fields at once, or none of its own.</summary>
/// <param name="Name">What a module's hints are given by: the field that it shows, or the first of them.</param>
/// <param name="Label">What stands before the value, with its <c>=</c>; empty for none.</param>
/// <param name="Width">Characters of the value, padded with blanks; 0 for as wide as it is.</param>
/// <param name="Value">Where the value is, and how it is shown.</param>
/// <param name="Hint">How it is laid out on a terminal.</param>
public readonly record struct EventColumn(string Name, string Label, int Width, EventValue Value, ColumnHint Hint);
