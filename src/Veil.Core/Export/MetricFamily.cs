// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events.Kinds;

namespace Veil.Core.Export;

/// <summary>Metrics of one name.</summary>
/// <param name="Name">The name without <c>_total</c>, with its unit at the end.</param>
/// <param name="Kind">What its points are.</param>
/// <param name="Unit">The unit, as it stands in the name; empty for none.</param>
/// <param name="Help">One sentence.</param>
/// <param name="Labels">The names of its labels.</param>
internal readonly record struct MetricFamily(string Name, MetricKind Kind, string Unit, string Help, string[] Labels)
{
    /// <summary>The module whose fields its labels are; empty where they are none of a module's.</summary>
    public string Module { get; init; } = "";

    /// <summary>Of a histogram, what its numbers are.</summary>
    public Quantity? Quantity { get; init; }
}

/// <summary>What the points of a family are.</summary>
internal enum MetricKind
{
    /// <summary>A number that only grows.</summary>
    Counter,

    /// <summary>A number at this moment.</summary>
    Gauge,

    /// <summary>Counts by size.</summary>
    Histogram,
}
