using Veil.Core.Events;

namespace Veil.Core.Sinks;

/// <summary>The chosen fields of an event as <c>key=value</c>, a line an event.</summary>
public sealed class PairSink : IEventSink
{
    private readonly OutputBuffer _buffer;
    private readonly OutputStep[][] _plans;

    private PairSink(OutputBuffer buffer, OutputStep[][] plans)
    {
        _buffer = buffer;
        _plans = plans;
    }

    /// <summary>Compiles the plan.</summary>
    /// <param name="catalog">The events that will come.</param>
    /// <param name="options">What to show.</param>
    /// <param name="output">Where lines go.</param>
    /// <param name="buffer">The buffer that the sink fills.</param>
    public static PairSink Create(EventCatalog catalog, in OutputOptions options, IOutput output, out OutputBuffer buffer)
    {
        var plans = OutputStep.Compile(catalog, options, static (field, first) => (first ? "" : " ") + field.Name + "=", out int lineBytesMax);
        buffer = new OutputBuffer(output, lineBytesMax);
        return new PairSink(buffer, plans);
    }

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        var line = _buffer.BeginLine();
        foreach (ref readonly var step in _plans[view.Schema.Index].AsSpan())
        {
            line.Append(step.Prefix);
            FieldWriter.Write<PairStyle>(ref line, step.Value, ref view);
        }

        line.Append((byte)'\n');
        _buffer.EndEvent(line);
    }
}
