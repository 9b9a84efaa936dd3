// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events.Kinds;

namespace Veil.Core.Export;

/// <summary>The names of metrics, by the conventions: the unit at the end, and it is a base unit.</summary>
internal static class MetricNames
{
    private const double NsPerSecond = 1e9;
    private const double UsPerSecond = 1e6;

    /// <summary>A field as a label, whose name has letters, digits and <c>_</c>.</summary>
    public static string Label(string field) => field.Replace('.', '_');

    /// <summary>A number of events: its name without unit, its unit, and how many are one of that.</summary>
    public static (string Stem, string Unit, double PerUnit) Of(string field, Quantity quantity)
    {
        if (quantity == Quantity.Nanoseconds)
            return (Without(field, "_ns"), "seconds", NsPerSecond);
        if (quantity == Quantity.Microseconds)
            return (Without(field, "_us"), "seconds", UsPerSecond);
        if (quantity == Quantity.Bytes)
            return (field == "bytes" ? "" : Without(field, "_bytes"), "bytes", 1);
        return (Label(field), "", 1);
    }

    /// <summary>Joins the parts that there are.</summary>
    public static string Join(params ReadOnlySpan<string> parts)
    {
        string name = "veil";
        foreach (string part in parts)
            name += part.Length == 0 ? "" : "_" + part;
        return name;
    }

    private static string Without(string field, string unit) =>
        Label(field.EndsWith(unit, StringComparison.Ordinal) ? field[..^unit.Length] : field);
}
