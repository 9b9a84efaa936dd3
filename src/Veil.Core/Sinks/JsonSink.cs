using System.Text;
using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>One JSON object a line. Every line parses, whatever the bytes were.</summary>
public sealed class JsonSink : IEventSink
{
    private readonly OutputBuffer _buffer;
    private readonly OutputStep[][] _plans;

    private JsonSink(OutputBuffer buffer, OutputStep[][] plans)
    {
        _buffer = buffer;
        _plans = plans;
    }

    /// <summary>Compiles the plan.</summary>
    /// <param name="catalog">The events that will come.</param>
    /// <param name="options">What to show.</param>
    /// <param name="output">Where lines go.</param>
    /// <param name="buffer">The buffer that the sink fills.</param>
    public static JsonSink Create(EventCatalog catalog, in OutputOptions options, IOutput output, out OutputBuffer buffer)
    {
        var plans = OutputStep.Compile(catalog, options, static (field, first) => $"{(first ? '{' : ',')}\"{field.Name}\":", out int lineBytesMax);
        buffer = new OutputBuffer(output, lineBytesMax);
        return new JsonSink(buffer, plans);
    }

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        var line = _buffer.BeginLine();
        foreach (ref readonly var step in _plans[view.Schema.Index].AsSpan())
        {
            line.Append(step.Prefix);
            if (FieldWriter.Write<JsonStyle>(ref line, step.Value, ref view) == JsonStyle.NotExact)
                AppendExactBytes(ref line, step.Key, step.Value, ref view);
        }

        line.Append("}\n"u8);
        _buffer.EndEvent(line);
    }

    /// <summary>Appends one value, and its exact bytes where the string cannot hold them.</summary>
    internal static void Append(ref LineWriter line, in EventField field, scoped ref EventView view)
    {
        if (FieldWriter.Write<JsonStyle>(ref line, field.Value, ref view) == JsonStyle.NotExact)
            AppendExactBytes(ref line, Encoding.UTF8.GetBytes(field.Name), field.Value, ref view);
    }

    // A JSON string holds Unicode, not bytes: what is not UTF-8 is given once more, exactly.
    private static void AppendExactBytes(ref LineWriter line, ReadOnlySpan<byte> key, EventValue value, scoped ref EventView view)
    {
        line.Append(",\""u8);
        line.Append(key);
        line.Append("_hex\":\""u8);
        foreach (byte one in FieldWriter.RawText(value, ref view))
            line.AppendHex(one, digits: 2);
        line.Append((byte)'"');
    }
}
