// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;
using Veil.Bench.Reporting;

namespace Veil.Bench;

/// <summary>Every sample of a run as JSON, for other evaluations than the tables'.</summary>
internal static class RawResults
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    internal static void Save(string file, string machine, RowTable rows, IReadOnlyList<Bursts> bursts, IReadOnlyList<Figure> figures)
    {
        var results = new
        {
            machine,
            rows = rows.Rows.Select(row => new { name = row.Scenario.Name, missing = row.Missing, samples = row.Samples }),
            bursts = bursts.Select(burst => new { name = burst.Name, missing = burst.Missing, samples = burst.Runs }),
            figures = figures.Select(figure => new { figure.Name, figure.Limit, figure.Measured, figure.Verdict }),
        };
        File.WriteAllText(file, JsonSerializer.Serialize(results, s_options));
    }
}
