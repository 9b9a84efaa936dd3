// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bench.Scenarios;

namespace Veil.Bench.Reporting;

/// <summary>All rows with their medians, and the differences and ratios between them.</summary>
internal sealed class RowTable
{
    private const int RowsBetweenBareCalls = 4;

    private readonly Dictionary<string, Row> _rows;

    internal RowTable(IReadOnlyList<Scenario> scenarios)
    {
        Rows = [.. scenarios.Select(scenario => new Row(scenario))];
        _rows = Rows.ToDictionary(row => row.Scenario.Name, StringComparer.Ordinal);
    }

    internal IReadOnlyList<Row> Rows { get; }

    internal Row this[string name] => _rows[name];

    /// <summary>Nanoseconds that the scenario adds to a call; NaN where either was not measured.</summary>
    internal double AddedNs(string? name) =>
        name is null || !_rows.TryGetValue(name, out var row) ? double.NaN : row.AddedNs(_rows[ScenarioCatalog.Nothing]);

    /// <summary>The same for each event that arrived: a tracer that loses half of them is not twice as good.</summary>
    internal double AddedPerDeliveredNs(string name) =>
        _rows[name] is { HasSamples: true, Delivered: > 0 } row ? AddedNs(name) * row.Produced / row.Delivered.Value : double.NaN;

    /// <summary>
    /// What runs in a round, in another order each time: what else the machine does at regular times then hits no row more often than
    /// others. The bare calls come again between the others: every difference is taken to them, so their noise would be in all rows.
    /// </summary>
    internal IEnumerable<Row> RowsOfRound(int round)
    {
        int since = 0;
        Row[] order = [.. Rows.Where(row => row.Missing is null && round <= row.Scenario.MostRounds)];
        new Random(round).Shuffle(order);
        foreach (Row row in order)
        {
            if (since == RowsBetweenBareCalls)
            {
                yield return this[ScenarioCatalog.Nothing];
                since = 0;
            }
            yield return row;
            since++;
        }
    }

    /// <summary>The costs without the words that explain the columns.</summary>
    /// <param name="title">What a call is.</param>
    internal Table CostTable(string title)
    {
        var table = new Table(title, "median", "min", "max", "added", "/empty", "/floor", "delivered");
        foreach (Row row in Rows)
        {
            if (!row.HasSamples)
            {
                table.Add(row.Scenario.Name, $"not measured: {row.Missing}");
                continue;
            }
            double added = AddedNs(row.Scenario.Name);
            table.Add(
                row.Scenario.Name,
                Cell.Ns(row.MedianNs),
                Cell.Ns(row.MinNs),
                Cell.Ns(row.MaxNs),
                row.Scenario.Command is null ? "-" : Cell.Ns(added),
                Cell.Ratio(added / AddedNs(row.Scenario.EmptyRow)),
                row.Scenario.Command is null ? "-" : Cell.Ratio(added / AddedNs(ScenarioCatalog.Floor)),
                Cell.Share(row.Delivered, row.Produced));
        }
        return table;
    }

    internal string Costs() => CostTable("ns per call of the traced program") + GivenUp() + """
            ns per call: of a run, the fastest of its 25 parts; of the rounds, the median.
            added: median over the rounds of the difference to nothing attached in the same round, which is run several times.
            /empty: added, divided by what an empty program on the same hook adds. /floor: divided by what the C floor adds.
            delivered: events of the workload in the output file, of those it made.

            """;

    // A row may have samples of some rounds and then fail: its medians stand, and so does this.
    private string GivenUp() => string.Concat(Rows
        .Where(row => row.HasSamples && row.Missing is not null)
        .Select(row => $"{row.Scenario.Name}: only {row.Samples.Count()} runs: {row.Missing}\n"));

    internal string Consumption()
    {
        var table = new Table("the tracer itself", "CPU ns/event", "peak MiB beyond ring", "exec to attached ms");
        foreach (Row row in Rows.Where(row => row.HasSamples && row.Scenario.Command is not null))
        {
            table.Add(
                row.Scenario.Name, Cell.Ns(row.CpuNsPerEvent), Cell.Mebibytes(row.PeakBeyondRingBytes), Cell.Milliseconds(row.AttachMs));
        }
        return table + """
            CPU: user and system time (wait4) less what the threads had used when attached (schedstat), so starting is left out and
            draining is in. Peak: VmHWM less the resident pages of the mapped ring (smaps), read just before the stop; the kernel
            maps the ring's data twice and counts both. exec to attached: until the tracer says so; those with "-" do not say it.

            """;
    }
}
