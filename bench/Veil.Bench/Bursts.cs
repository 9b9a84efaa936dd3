// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bench.Processes;
using Veil.Bench.Reporting;
using Veil.Bench.Scenarios;

namespace Veil.Bench;

/// <summary>Runs of one burst after the other at full speed: is every event there, in all of them?</summary>
internal sealed class Bursts(Scenario scenario)
{
    private readonly List<Sample> _runs = [];

    internal string Name => scenario.Name;

    internal IReadOnlyList<Sample> Runs => _runs;

    internal string? Missing { get; private set; } = scenario.Missing;

    internal bool WasMeasured => _runs.Count > 0 && Missing is null;

    internal bool AllDelivered => _runs.All(IsWhole);

    internal double CpuNsPerEvent =>
        Statistics.Median(_runs.Select(run => (double)run.TracerCpuNs!.Value / Math.Max(1, run.Delivered!.Value)));

    /// <summary>The worst run; NaN where veil did not say.</summary>
    internal double AllocatedBytesPerEvent => _runs.Count == 0 || _runs.Any(run => run.Veil?.AllocatedBytes is null)
        ? double.NaN
        : _runs.Max(run => (double)run.Veil!.AllocatedBytes!.Value / Math.Max(1, run.Delivered!.Value));

    /// <summary>Every event is in the output, and veil's own count says the same.</summary>
    internal static bool IsWhole(Sample run) =>
        run.Delivered == run.Produced && run.Veil?.Lost == 0 && run.Veil.Delivered >= run.Produced;

    internal void Run(ScenarioRunner runner, int runs, Action<string> progress)
    {
        if (Missing is not null)
            return;
        try
        {
            for (int run = 1; run <= runs; run++)
            {
                progress($"{Name}: run {run} of {runs}");
                _runs.Add(runner.Run(scenario));
            }
        }
        catch (BenchException reason)
        {
            Missing = reason.Message;
        }
    }

    internal static string Report(IReadOnlyList<Bursts> all)
    {
        var table = new Table("bursts", "run", "produced", "delivered", "veil says lost", "ns per call", "CPU ns/event", "bytes allocated");
        foreach (Bursts bursts in all)
        {
            int number = 1;
            foreach (Sample run in bursts._runs)
            {
                table.Add(
                    bursts.Name,
                    Cell.Count(number++),
                    Cell.Count(run.Produced),
                    Cell.Count(run.Delivered),
                    Cell.Count(run.Veil?.Lost),
                    Cell.Ns(run.NsPerCall),
                    Cell.Ns((double)run.TracerCpuNs!.Value / Math.Max(1, run.Delivered!.Value)),
                    Cell.Count(run.Veil?.AllocatedBytes));
            }
            if (bursts.Missing is { } reason)
                table.Add(bursts.Name, $"not measured: {reason}");
        }
        return table.ToString();
    }
}
