// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;

namespace Veil.Core.Sinks;

/// <summary>The columns of the text output, with those of enrichments.</summary>
internal static class LineColumns
{
    private const int ModuleWidth = 9;

    /// <summary>Those of one kind of event, in their order. What is as wide as it is stands last.</summary>
    public static List<EventColumn> Of(EventSchema schema, in OutputOptions options, bool severalModules)
    {
        var enrichments = options.Enrichments;
        var columns = new List<EventColumn>();
        if (enrichments.HasFlag(Enrichments.Time))
            columns.Add(EnrichedColumns.Time);
        if (severalModules)
            columns.Add(new("module", "", ModuleWidth, schema.Fields[0].Value, new() { Title = "MODULE" }));
        columns.AddRange(schema.Columns.Where(static column => column.Width > 0));
        if (enrichments.HasFlag(Enrichments.User))
            columns.Add(EnrichedColumns.User);
        if (enrichments.HasFlag(Enrichments.Proc))
            columns.Add(EnrichedColumns.Proc);
        columns.AddRange(schema.Columns.Where(static column => column.Width == 0));
        // A module may have it itself.
        if (enrichments.HasFlag(Enrichments.Exe) && !schema.Fields.Any(static field => field.Name == EnrichedColumns.Executable.Name))
            columns.Add(EnrichedColumns.Executable);
        // Of the rest, JSON and --fields have it.
        if (enrichments.HasFlag(Enrichments.Container))
            columns.AddRange([EnrichedColumns.Container, EnrichedColumns.Pod]);
        if (enrichments.HasFlag(Enrichments.Why))
            columns.Add(EnrichedColumns.Why);
        return columns;
    }
}
