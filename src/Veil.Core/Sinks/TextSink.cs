using System.Text;
using Veil.Core.Events;

namespace Veil.Core.Sinks;

/// <summary>A line an event, in columns.</summary>
public sealed class TextSink : IEventSink
{
    private const string ColumnGap = "  ";
    private readonly OutputBuffer _buffer;
    private readonly OutputStep[][] _plans;

    private TextSink(OutputBuffer buffer, OutputStep[][] plans)
    {
        _buffer = buffer;
        _plans = plans;
    }

    /// <summary>Compiles the plan.</summary>
    /// <param name="catalog">The events that will come.</param>
    /// <param name="options">What to show.</param>
    /// <param name="output">Where lines go.</param>
    /// <param name="buffer">The buffer that the sink fills.</param>
    public static TextSink Create(EventCatalog catalog, in OutputOptions options, IOutput output, out OutputBuffer buffer)
    {
        var plans = new OutputStep[catalog.Schemas.Count][];
        int lineBytesMax = 0;
        bool severalModules = catalog.Schemas.Select(static schema => schema.Module).Distinct(StringComparer.Ordinal).Skip(1).Any();
        foreach (var schema in catalog.Schemas)
        {
            plans[schema.Index] = Compile(schema, options, severalModules);
            lineBytesMax = Math.Max(lineBytesMax, OutputStep.LineBytesMax(plans[schema.Index]));
        }

        buffer = new OutputBuffer(output, lineBytesMax);
        return new TextSink(buffer, plans);
    }

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        var line = _buffer.BeginLine();
        int shown = 0;
        int width = 0;
        foreach (ref readonly var step in _plans[view.Schema.Index].AsSpan())
        {
            // The padding of a column is written with the next one: no line ends in blanks.
            int mark = line.Length;
            line.PadTo(shown, width);
            line.Append(step.Prefix);
            int written = FieldWriter.Write<TextStyle>(ref line, step.Value, ref view);
            if (written == 0 && step.Width == 0)
            {
                line.Truncate(mark);
                continue;
            }

            line.Append(step.Suffix);
            shown = written;
            width = step.Width;
        }

        line.Append((byte)'\n');
        _buffer.EndEvent(line);
    }

    private static OutputStep[] Compile(EventSchema schema, in OutputOptions options, bool severalModules)
    {
        var steps = new List<OutputStep>();
        bool useColour = options.Colour;
        if (options.Enrichments.HasFlag(Enrichments.Time))
            Add(new("", 32, new(FieldFormat.Time)), Ansi.Dim);
        if (severalModules)
            Add(new("", 9, schema.Fields[0].Value), ""); // the module
        foreach (var column in schema.Columns.Where(static column => column.Width > 0))
            Add(column, column.Value.Format == FieldFormat.Comm ? Ansi.Cyan : "");
        if (options.Enrichments.HasFlag(Enrichments.User))
            Add(new("username=", 10, new(FieldFormat.UserName)), "");
        if (options.Enrichments.HasFlag(Enrichments.Proc))
            Add(new("proc_name=", 15, new(FieldFormat.ProcName)), "");
        foreach (var column in schema.Columns.Where(static column => column.Width == 0))
            Add(column, "");
        return [.. steps];

        void Add(in EventColumn column, string wanted)
        {
            string colour = useColour ? wanted : "";
            string gap = steps.Count == 0 ? "" : ColumnGap;
            steps.Add(new(Encoding.UTF8.GetBytes(gap + column.Label + colour), column.Value, column.Width, [],
                colour.Length == 0 ? [] : Encoding.UTF8.GetBytes(Ansi.Reset)));
        }
    }
}
