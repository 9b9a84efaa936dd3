// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events.Kinds;

/// <summary>How a column of the text output writes a value that fields have in other kinds: for people, and no field itself.</summary>
internal interface IColumnForm : IValueKind
{
    static ValueFacts IValueKind.Facts => new("string", null, null);
}
