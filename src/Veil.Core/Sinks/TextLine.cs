// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>Columns.</summary>
internal readonly struct TextLine : ILine
{
    private const string ColumnGap = "  ";

    public static ReadOnlySpan<byte> End => "\n"u8;

    public static bool HasLinesBelow => true;

    public static OutputStep[] Compile(EventSchema schema, in OutputOptions options, bool severalModules)
    {
        var steps = new List<OutputStep>();
        foreach (var column in LineColumns.Of(schema, options, severalModules))
        {
            string colour = options.Colour ? column.Hint.Colour : "";
            string gap = steps.Count == 0 ? "" : ColumnGap;
            steps.Add(new(Encoding.UTF8.GetBytes(gap + column.Label + colour), column.Value, column.Width, [],
                colour.Length == 0 ? [] : Encoding.UTF8.GetBytes(Ansi.Reset)));
        }

        return [.. steps];
    }

    public static int Write(ref LineWriter line, ReadOnlySpan<OutputStep> steps, scoped ref EventView view)
    {
        int end = line.Length;
        foreach (ref readonly var step in steps)
        {
            int mark = line.Length;
            line.Append(step.Prefix);
            int shown = step.Value.WriteText(ref line, ref view);
            if (shown == 0 && step.Width == 0)
            {
                line.Truncate(mark);
                continue;
            }

            line.Append(step.Suffix);
            end = line.Length;
            line.PadTo(shown, step.Width);
        }

        return end;
    }
}
