// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;

namespace Veil.Core.Sinks;

/// <summary>A step in writing a line: the bytes before a value, and the value. Compiled once, run for every event.</summary>
/// <param name="Prefix">Label, key or separator, already encoded.</param>
/// <param name="Value">The value.</param>
/// <param name="Width">Characters to fill with the value; 0 for none.</param>
/// <param name="Key">The field's name.</param>
/// <param name="Suffix">Bytes after the value, before the padding.</param>
internal readonly record struct OutputStep(byte[] Prefix, EventValue Value, int Width, byte[] Key, byte[] Suffix)
{
    /// <summary>An upper bound of what it appends.</summary>
    public int BytesMax => Prefix.Length + Suffix.Length + Width + Key.Length + Value.BytesMax;

    /// <summary>The steps of an output that shows fields.</summary>
    public static OutputStep[] OfFields(EventSchema schema, in OutputOptions options, Func<EventField, bool, string> prefix) =>
        [.. FieldSelection.Of(schema, options).Select((field, i) =>
            new OutputStep(Encoding.UTF8.GetBytes(prefix(field, i == 0)), field.Value, 0, Encoding.UTF8.GetBytes(field.Name), []))];
}
