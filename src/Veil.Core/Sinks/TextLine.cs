using System.Text;
using Veil.Core.Events;
using Veil.Core.Text;

namespace Veil.Core.Sinks;

/// <summary>Columns.</summary>
internal readonly struct TextLine : ILine
{
    private const string ColumnGap = "  ";

    public static ReadOnlySpan<byte> End => "\n"u8;

    public static OutputStep[] Compile(EventSchema schema, in OutputOptions options, bool severalModules)
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

    public static int Write(ref LineWriter line, ReadOnlySpan<OutputStep> steps, scoped ref EventView view)
    {
        int end = line.Length;
        foreach (ref readonly var step in steps)
        {
            int mark = line.Length;
            line.Append(step.Prefix);
            int shown = FieldWriter.Write<TextStyle>(ref line, step.Value, ref view);
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
