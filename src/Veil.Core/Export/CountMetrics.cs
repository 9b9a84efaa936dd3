// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Counting;

namespace Veil.Core.Export;

/// <summary>The counts of a module as metrics.</summary>
internal static class CountMetrics
{
    /// <summary>Writes them.</summary>
    public static void Write(IMetricWriter writer, CountSeries series)
    {
        var plan = series.Plan;
        string[] labels = [.. plan.Keys.Select(static key => MetricNames.Label(key.Field.Name))];
        var rows = series.Rows;
        string module = series.Module;
        writer.Begin(new(MetricNames.Join(module, "events"), MetricKind.Counter, "", $"Events of module {module}.", labels) { Module = module });
        foreach (var row in rows)
            writer.Point(LabelsOf(row), row.Totals.Count);
        if (plan.Keys.Count > 0)
        {
            writer.Begin(
                new(MetricNames.Join(module, "events_without_key"), MetricKind.Counter, "", "Events that lack a field that is counted by.", []));
            writer.Point(MetricLabels.None, series.NoField);
        }

        if (plan.HasErrors)
        {
            writer.Begin(new(MetricNames.Join(module, "errors"), MetricKind.Counter, "", "Events that have failed.", labels) { Module = module });
            foreach (var row in rows)
                writer.Point(LabelsOf(row), row.Totals.Errors);
        }

        if (plan.Value is not { } value)
            return;
        var (stem, unit, perUnit) = MetricNames.Of(value.Name, value.Value.Facts.Quantity!);
        string name = MetricNames.Join(module, stem, unit), help = $"{value.Name} of events of module {module}";
        if (plan.HasHistogram)
        {
            writer.Begin(new(name, MetricKind.Histogram, unit, help + ".", labels) { Module = module, Quantity = value.Value.Facts.Quantity });
            foreach (var row in rows)
                writer.Histogram(LabelsOf(row), row.Totals, perUnit);
        }
        else
        {
            writer.Begin(new(name, MetricKind.Counter, unit, help + ", added up.", labels) { Module = module });
            foreach (var row in rows)
                writer.Point(LabelsOf(row), (double)row.Totals.Sum / perUnit);
        }

        string largest = MetricNames.Join(module, stem, "max", unit);
        help = $"The largest {value.Name} since the trace began.";
        writer.Begin(new(largest, MetricKind.Gauge, unit, help, labels) { Module = module });
        foreach (var row in rows)
            writer.Point(LabelsOf(row), row.Totals.Max / perUnit);
    }

    private static MetricLabels LabelsOf(CountSeriesRow row) => (MetricLabels)(row.Labels ??= new MetricLabels(row.Values));
}
