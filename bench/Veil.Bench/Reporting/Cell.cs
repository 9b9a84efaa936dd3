// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Bench.Reporting;

/// <summary>How values are written in the tables; "-" is a value that the row does not have.</summary>
internal static class Cell
{
    private const string None = "-";

    internal static string Ns(double value) => double.IsNaN(value) ? None : value.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>None where one side is nothing beside the noise, and came out below 0.</summary>
    internal static string Ratio(double value) =>
        !double.IsFinite(value) || value < 0 ? None : value.ToString(value < 10 ? "0.00x" : "0x", CultureInfo.InvariantCulture);

    internal static string Milliseconds(double value) => double.IsNaN(value) ? None : value.ToString("0.0", CultureInfo.InvariantCulture);

    internal static string Mebibytes(double bytes) =>
        double.IsNaN(bytes) ? None : (bytes / (1 << 20)).ToString("0.0", CultureInfo.InvariantCulture);

    internal static string Count(long? value) => value?.ToString("#,0", CultureInfo.InvariantCulture) ?? None;

    /// <summary>Never rounded up to 100%: a single lost event shows.</summary>
    internal static string Share(long? delivered, long produced)
    {
        if (delivered is null || produced == 0)
            return None;
        if (delivered == produced)
            return "all";
        double percent = Math.Floor(10_000.0 * delivered.Value / produced) / 100;
        return percent.ToString("0.00", CultureInfo.InvariantCulture) + "%";
    }
}
