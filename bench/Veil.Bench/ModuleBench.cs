// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Bench.Processes;
using Veil.Bench.Reporting;
using Veil.Bench.Scenarios;

namespace Veil.Bench;

/// <summary>The modules beside syscall, each on work of its own.</summary>
internal sealed class ModuleBench(Programs programs, ScenarioRunner runner, int rounds)
{
    private readonly Dictionary<string, RowTable> _tables = [];

    /// <summary>Measures; the tables as text.</summary>
    public string Run(Action<string> progress)
    {
        var text = new StringBuilder();
        foreach (var (module, title, scenarios) in new ModuleScenarios(programs).All())
        {
            var rows = new RowTable(scenarios);
            _tables[module] = rows;
            for (int round = 1; round <= rounds; round++)
            {
                foreach (Row row in rows.RowsOfRound(round))
                {
                    progress($"{module}, round {round} of {rounds}: {row.Scenario.Name}");
                    try
                    {
                        row.Add(round, runner.Run(row.Scenario));
                    }
                    catch (BenchException reason)
                    {
                        row.GiveUp(reason.Message);
                    }
                }
            }

            progress("");
            text.AppendLine(rows.CostTable(title).ToString());
        }

        return text.ToString();
    }

    /// <summary>The figures of this part.</summary>
    public IReadOnlyList<Figure> Figures()
    {
        Row all = _tables["all"][ModuleScenarios.AllModules];
        return
        [
            Figure.AtMost(
                "scheduler, ping-pong's time / with an empty program", 1.5,
                _tables["scheduler"][ModuleScenarios.VeilRow].MedianNs / _tables["scheduler"][ModuleScenarios.EmptyRow].MedianNs,
                Cell.Ratio),
            // The limits were set at 1,000 and 2,000 ns on a machine where the bare calls take 980.
            Figure.AtMost(
                "--args --fds none, added by openat, read and close / bare", 1.02, AddedToBare(ModuleScenarios.WithoutDescriptors),
                Cell.Ratio),
            Figure.AtMost(
                "--args, added by openat, read and close / bare", 2.04, AddedToBare(ModuleScenarios.WithDescriptors), Cell.Ratio),
            Figure.AtMost(
                "--args, CPU of the tracer an event as text, ns", 600, Row(ModuleScenarios.WithDescriptors).CpuNsPerEvent, Cell.Ns),
            Figure.AtMost(
                "--args, CPU of the tracer an event as JSON, ns", 900, Row(ModuleScenarios.WithDescriptorsAsJson).CpuNsPerEvent, Cell.Ns),
            Whole("scheduler"),
            Whole("files"),
            Whole("network"),
            Whole("memory"),
            Whole(ModuleScenarios.Spawns),
            Figure.AtMost(
                "process, a fork, exec and exit / bare", 1.05,
                _tables[ModuleScenarios.Spawns][ModuleScenarios.VeilRow].MedianNs
                / _tables[ModuleScenarios.Spawns][ScenarioCatalog.Nothing].MedianNs,
                Cell.Ratio),
            Figure.AtMost("all modules, exec to attached, ms", 300, all.AttachMs, Cell.Milliseconds),
            Figure.AtMost("all modules, peak memory beyond the ring, MiB", 30 << 20, all.PeakBeyondRingBytes, Cell.Mebibytes, "30"),
        ];
    }

    private Row Row(string name) => _tables[ModuleScenarios.Arguments][name];

    private double AddedToBare(string name) =>
        _tables[ModuleScenarios.Arguments].AddedNs(name) / Row(ScenarioCatalog.Nothing).MedianNs;

    // Of the scheduler other switches to the workload than those of the ping-pong are delivered too.
    private Figure Whole(string module)
    {
        var samples = _tables[module][ModuleScenarios.VeilRow].Samples.ToList();
        int whole = samples.Count(static sample => sample.Delivered >= sample.Produced && sample.Veil is { Lost: 0 });
        return new(
            $"{module}: runs with every event delivered, 0 lost", "all", samples.Count == 0 ? double.NaN
            : whole, $"{whole} of {samples.Count}", whole == samples.Count);
    }
}
