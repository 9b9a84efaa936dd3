// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>The chosen fields as <c>key=value</c>.</summary>
internal readonly struct PairLine : ILine
{
    public static ReadOnlySpan<byte> End => "\n"u8;

    public static OutputStep[] Compile(EventSchema schema, in OutputOptions options, bool severalModules) =>
        OutputStep.OfFields(schema, options, static (field, first) => (first ? "" : " ") + field.Name + "=");

    public static int Write(ref LineWriter line, ReadOnlySpan<OutputStep> steps, scoped ref EventView view)
    {
        foreach (ref readonly var step in steps)
        {
            line.Append(step.Prefix);
            step.Value.WritePair(ref line, ref view);
        }

        return line.Length;
    }
}
