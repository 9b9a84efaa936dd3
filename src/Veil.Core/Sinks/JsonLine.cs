// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Budgets;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Losses;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>A JSON object. It parses, whatever the bytes were.</summary>
internal readonly struct JsonLine : ILine
{
    public static ReadOnlySpan<byte> End => "}\n"u8;

    public static OutputStep[] Compile(EventSchema schema, in OutputOptions options, bool severalModules) =>
        OutputStep.OfFields(schema, options, static (field, first) => $"{(first ? '{' : ',')}\"{field.Name}\":");

    public static int Write(ref LineWriter line, ReadOnlySpan<OutputStep> steps, scoped ref EventView view)
    {
        foreach (ref readonly var step in steps)
        {
            line.Append(step.Prefix);
            if (step.Value.WriteJson(ref line, ref view) == JsonStyle.NotExact)
                AppendExactBytes(ref line, step.Key, step.Value, ref view);
        }

        return line.Length;
    }

    public static bool TryAppendLoss(ref LineWriter line, LossKey key, LossCount lost)
    {
        LossNotice.Append(ref line, key, lost);
        return true;
    }

    public static bool TryAppendNotice(ref LineWriter line, BudgetNotice notice)
    {
        notice.Append(ref line);
        return true;
    }

    /// <summary>Appends one value, and its exact bytes where the string cannot hold them.</summary>
    public static void Append(ref LineWriter line, in EventField field, scoped ref EventView view) =>
        Append(ref line, Encoding.UTF8.GetBytes(field.Name), field.Value, ref view);

    /// <summary>The same of a name that is encoded already.</summary>
    public static void Append(ref LineWriter line, ReadOnlySpan<byte> key, EventValue value, scoped ref EventView view)
    {
        if (value.WriteJson(ref line, ref view) == JsonStyle.NotExact)
            AppendExactBytes(ref line, key, value, ref view);
    }

    // A JSON string holds Unicode, not bytes: what is not UTF-8 is given once more, exactly.
    private static void AppendExactBytes(ref LineWriter line, ReadOnlySpan<byte> key, EventValue value, scoped ref EventView view)
    {
        line.Append(",\""u8);
        line.Append(key);
        line.Append("_hex\":\""u8);
        foreach (byte one in value.RawText(ref view))
            line.AppendHex(one, digits: 2);
        line.Append((byte)'"');
    }
}
