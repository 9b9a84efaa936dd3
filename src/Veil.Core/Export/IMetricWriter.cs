// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Counting;

namespace Veil.Core.Export;

/// <summary>A form of metrics: takes families one after the other, each with its points.</summary>
internal interface IMetricWriter
{
    /// <summary>Begins a family.</summary>
    void Begin(in MetricFamily family);

    /// <summary>A point of a counter or a gauge.</summary>
    /// <param name="labels">The values of the family's labels.</param>
    /// <param name="value">Its value.</param>
    void Point(MetricLabels labels, double value);

    /// <summary>A point of a histogram.</summary>
    /// <param name="labels">The values of the family's labels.</param>
    /// <param name="totals">Its slots, with their sum.</param>
    /// <param name="perUnit">How many of its numbers are one of the family's unit.</param>
    void Histogram(MetricLabels labels, CountTotals totals, double perUnit);
}
