// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bench.Reporting;
using Veil.Bench.Scenarios;

namespace Veil.Bench;

/// <summary>The figures that the project sets itself, each with what this run showed.</summary>
internal sealed record Figure(string Name, string Limit, double Measured, string Shown, bool Reached)
{
    // What is allocated once (a timer, the first use of a path) is not per event; one byte in a thousand events is neither.
    private const double NoAllocation = 0.001;

    internal string Verdict => double.IsNaN(Measured) ? "not measured" : Reached ? "reached" : "NOT REACHED";

    internal static IReadOnlyList<Figure> All(RowTable rows, Bursts text, Bursts json, double startupPeakBytes)
    {
        double floor = rows.AddedPerDeliveredNs(ScenarioCatalog.Floor);
        double empty = rows.AddedNs(ScenarioCatalog.EmptyTpBtf);
        double veilText = rows.AddedPerDeliveredNs(ScenarioCatalog.VeilText);
        double veilJson = rows.AddedPerDeliveredNs(ScenarioCatalog.VeilJson);
        double pidFilter = Math.Max(rows.AddedNs(ScenarioCatalog.VeilOtherPid), rows.AddedNs(ScenarioCatalog.VeilOwnPidDenied));
        Row[] veilRows = [.. rows.Rows.Where(row => row.HasSamples && row.Scenario.IsVeil)];

        return
        [
            Bursts(text, "text"),
            Bursts(json, "JSON"),
            AtMost("added per delivered event, text, / C floor", 1.2, veilText / floor, Cell.Ratio),
            AtMost("added per delivered event, JSON, / C floor", 1.2, veilJson / floor, Cell.Ratio),
            AtMost("added per call, veil text / bpftrace printf", 1,
                rows.AddedNs(ScenarioCatalog.VeilText) / rows.AddedNs(ScenarioCatalog.BpftracePrintf), Cell.Ratio),
            AtMost("user-side CPU per event, text, ns", 300, IfMeasured(text, text.CpuNsPerEvent), Cell.Ns),
            AtMost("user-side CPU per event, JSON, ns", 350, IfMeasured(json, json.CpuNsPerEvent), Cell.Ns),
            AtMost("bytes allocated per event, text", NoAllocation, IfMeasured(text, text.AllocatedBytesPerEvent), Bytes),
            AtMost("bytes allocated per event, JSON", NoAllocation, IfMeasured(json, json.AllocatedBytesPerEvent), Bytes),
            AtMost("PID filter, dropped call / empty program", 1.6, pidFilter / empty, Cell.Ratio),
            AtMost("syscall filter, dropped call / empty program", 1.5, rows.AddedNs(ScenarioCatalog.VeilOtherSyscall) / empty, Cell.Ratio),
            AtMost("PID filter, other PID, dropped call / empty program", 1.35, rows.AddedNs(ScenarioCatalog.VeilOtherPid) / empty,
                Cell.Ratio),
            AtMost("user filter, dropped call / empty program", 1.35, rows.AddedNs(ScenarioCatalog.VeilOtherUid) / empty, Cell.Ratio),
            AtMost("name filter, dropped call / empty program", 1.6, rows.AddedNs(ScenarioCatalog.VeilOtherName) / empty, Cell.Ratio),
            AtMost("syscall filter, dropped call / empty program, tighter", 1.2, rows.AddedNs(ScenarioCatalog.VeilOtherSyscall) / empty,
                Cell.Ratio),
            AtMost("PID filter / bpftrace's", 1,
                rows.AddedNs(ScenarioCatalog.VeilOtherPid) / rows.AddedNs(ScenarioCatalog.BpftraceOtherPid), Cell.Ratio),
            AtMost("added per delivered event, text, / C floor, tighter", 1.1, veilText / floor, Cell.Ratio),
            AtMost("--count / empty program", 1.5, rows.AddedNs(ScenarioCatalog.VeilCount) / empty, Cell.Ratio),
            AtMost("--count / bpftrace count by call", 0.75,
                rows.AddedNs(ScenarioCatalog.VeilCount) / rows.AddedNs(ScenarioCatalog.BpftraceCountById), Cell.Ratio),
            AtMost("--hist duration_ns / bpftrace's", 0.8,
                rows.AddedNs(ScenarioCatalog.VeilHistogram) / rows.AddedNs(ScenarioCatalog.BpftraceHistogram), Cell.Ratio),
            AtMost("--slower 10ms, nothing slow, / empty pair", 2,
                rows.AddedNs(ScenarioCatalog.VeilSlower) / rows.AddedNs(ScenarioCatalog.EmptyBothEnds), Cell.Ratio),
            AtMost("--enrich all, user-side CPU more per event, ns", 150,
                rows[ScenarioCatalog.VeilEnriched].CpuNsPerEvent - rows[ScenarioCatalog.VeilText].CpuNsPerEvent, Cell.Ns),
            AtMost("exec to attached, ms", 60, Statistics.Median(veilRows.SelectMany(AttachTimes)), Cell.Milliseconds),
            AtMost("peak memory beyond the ring, MiB", 15 << 20, Peak(veilRows, text, json, startupPeakBytes), Cell.Mebibytes, "15"),
        ];
    }

    internal static string Report(IReadOnlyList<Figure> figures)
    {
        var table = new Table("figures to reach", "limit", "measured", "verdict");
        foreach (Figure figure in figures)
            table.Add(figure.Name, figure.Limit, figure.Shown, figure.Verdict);
        return table.ToString();
    }

    private static Figure Bursts(Bursts bursts, string output)
    {
        int complete = bursts.Runs.Count(Veil.Bench.Bursts.IsWhole);
        string size = bursts.Runs.Count > 0 ? Cell.Count(bursts.Runs[0].Produced) : "all";
        return new(
            $"bursts of {size} delivered whole, {output}",
            "all",
            bursts.WasMeasured ? complete : double.NaN,
            bursts.WasMeasured ? $"{complete} of {bursts.Runs.Count}" : "-",
            bursts.AllDelivered);
    }

    internal static Figure AtMost(string name, double limit, double measured, Func<double, string> show, string? limitShown = null) =>
        new(name, "<= " + (limitShown ?? Plain(limit)), measured, show(measured), measured <= limit);

    private static Figure AtLeast(string name, double limit, double measured, Func<double, string> show) =>
        new(name, ">= " + Plain(limit), measured, show(measured), measured >= limit);

    private static double IfMeasured(Bursts bursts, double value) => bursts.WasMeasured ? value : double.NaN;

    private static IEnumerable<double> AttachTimes(Row row) =>
        row.Samples.Where(sample => sample.AttachMs is not null).Select(sample => sample.AttachMs!.Value);

    // Without the peak before the ring was mapped (NaN) there is no peak at all.
    private static double Peak(IEnumerable<Row> veilRows, Bursts text, Bursts json, double startupPeakBytes) => veilRows
        .SelectMany(row => row.Samples)
        .Concat(text.Runs)
        .Concat(json.Runs)
        .Select(sample => (double)(sample.PeakBeyondRingBytes ?? 0))
        .Aggregate(startupPeakBytes, Math.Max);

    private static string Bytes(double value) => double.IsNaN(value) ? "-" : value.ToString("0.#####", CultureInfo.InvariantCulture);

    private static string Plain(double value) => value.ToString(CultureInfo.InvariantCulture);
}
