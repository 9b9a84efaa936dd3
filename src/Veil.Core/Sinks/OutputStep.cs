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
    /// <summary>The plans of an output that shows fields, by the index of the schema.</summary>
    public static OutputStep[][] Compile(
        EventCatalog catalog, in OutputOptions options, Func<EventField, bool, string> prefix, out int lineBytesMax)
    {
        var plans = new OutputStep[catalog.Schemas.Count][];
        lineBytesMax = 0;
        foreach (var schema in catalog.Schemas)
        {
            var fields = FieldSelection.Of(schema, options);
            var plan = new OutputStep[fields.Count];
            for (int i = 0; i < plan.Length; i++)
            {
                plan[i] = new(Encoding.UTF8.GetBytes(prefix(fields[i], i == 0)), fields[i].Value, 0, Encoding.UTF8.GetBytes(fields[i].Name), []);
            }

            plans[schema.Index] = plan;
            lineBytesMax = Math.Max(lineBytesMax, LineBytesMax(plan));
        }

        return plans;
    }

    /// <summary>An upper bound of what a whole line takes.</summary>
    public static int LineBytesMax(OutputStep[] steps)
    {
        int total = 16;
        foreach (var step in steps)
            total += step.Prefix.Length + step.Suffix.Length + step.Width + step.Key.Length + FieldWriter.BytesMax(step.Value);
        return total;
    }
}
