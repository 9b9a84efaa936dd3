// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;
using Veil.Core.Session;

namespace Veil.Core.Export;

/// <summary>All that a trace tells as metrics: what it counted, lost and dropped, what it costs, and how it is. From any thread.</summary>
/// <param name="session">The trace.</param>
/// <param name="version">The version of this program.</param>
internal sealed class TraceMetrics(TraceSession session, string version)
{
    private const double NsPerSecond = 1e9;

    /// <summary>When the trace began, in seconds since 1970.</summary>
    public double StartedAt { get; } =
        (LibC.NowNs(LibC.ClockRealtime) / NsPerSecond) - session.Status().Duration.TotalSeconds;

    /// <summary>What sends events away, or nothing.</summary>
    public OtlpExport? Otlp { get; init; }

    /// <summary>Writes all.</summary>
    public void Write(IMetricWriter writer)
    {
        session.ReadSeries(all =>
        {
            foreach (var series in all)
                CountMetrics.Write(writer, series);
        });
        var status = session.Status();
        WriteEvents(writer, status);
        WriteHealth(writer, status);
        if (status.Budget is { } budget)
            WriteBudget(writer, budget, status.Modules);
        if (Otlp is not null)
            WriteExport(writer, Otlp);
        if (status.Cost is { } cost)
            WriteCost(writer, cost);
    }

    private static void WriteEvents(IMetricWriter writer, SessionStatus status)
    {
        // Of several probes of a module.
        var modules = status.Modules.GroupBy(static module => module.Name, StringComparer.Ordinal).ToList();
        writer.Begin(new("veil_events_delivered", MetricKind.Counter, "", "Events handed to the outputs.", ["module"]));
        foreach (var module in modules)
            writer.Point(MetricLabels.Of(module.Key), module.Sum(static one => (double)one.Events));
        writer.Begin(
            new("veil_events_lost", MetricKind.Counter, "", "Events that passed the filters and are in no output, by cause.", ["module", "cause"]));
        foreach (var (key, lost) in status.Lost)
            writer.Point(MetricLabels.Of(key.Module, key.Cause), lost.Count);
        writer.Begin(new("veil_events_dropped", MetricKind.Counter, "", "Events that were not wanted, by reason.", ["reason"]));
        writer.Point(MetricLabels.Of("paused"), status.DroppedPaused);
        writer.Point(MetricLabels.Of("filter"), status.DroppedByFilter);
    }

    private void WriteHealth(IMetricWriter writer, SessionStatus status)
    {
        Gauge("veil_build_info", "", "The version of veil; always 1.", ["version"], MetricLabels.Of(version), 1);
        writer.Begin(new("veil_module_info", MetricKind.Gauge, "", "How a module is attached; always 1.", ["module", "hook"]));
        foreach (var module in status.Modules.Select(static module => (module.Name, module.Hook)).Distinct())
            writer.Point(MetricLabels.Of(module.Name, module.Hook), 1);
        Gauge("veil_start_time_seconds", "seconds", "When the trace began, in seconds since 1970.", [], MetricLabels.None, StartedAt);
        Gauge("veil_paused", "", "1 while events are dropped.", [], MetricLabels.None, status.Paused ? 1 : 0);
        if (status.Rings is { } rings)
        {
            Gauge("veil_ring_size_bytes", "bytes", "Memory for events on their way.", [], MetricLabels.None, rings.Bytes);
            Gauge("veil_ring_pending_bytes", "bytes", "What of it waits to be read.", [], MetricLabels.None, rings.PendingBytes);
        }

        writer.Begin(new("veil_cpu_seconds", MetricKind.Counter, "seconds", "CPU time that this process took.", []));
        writer.Point(MetricLabels.None, SessionCost.ProcessCpu.TotalSeconds);
        Gauge("veil_resident_memory_bytes", "bytes", "Memory of this process in RAM.", [], MetricLabels.None, Environment.WorkingSet);

        void Gauge(string name, string unit, string help, string[] labels, MetricLabels values, double value)
        {
            writer.Begin(new(name, MetricKind.Gauge, unit, help, labels));
            writer.Point(values, value);
        }
    }

    private static void WriteBudget(IMetricWriter writer, BudgetStatus budget, IReadOnlyList<ModuleStatus> modules)
    {
        writer.Begin(new("veil_events_left_out", MetricKind.Counter, "", "Events that passed the filters, and were counted and not sent: --budget.", ["module"]));
        foreach (var module in modules.Zip(budget.LeftOut).GroupBy(static one => one.First.Name, static one => (double)one.Second))
            writer.Point(MetricLabels.Of(module.Key), module.Sum());
        writer.Begin(new("veil_sample_one_in", MetricKind.Gauge, "", "Of so many events one is sent; 0: they are counted alone.", []));
        writer.Point(MetricLabels.None, budget.Rate.OneIn);
        writer.Begin(new("veil_budget_ratio", MetricKind.Gauge, "ratio", "What the trace may cost, in CPUs.", []));
        writer.Point(MetricLabels.None, budget.Budget);
        writer.Begin(new("veil_cost_ratio", MetricKind.Gauge, "ratio", "What it cost in the last seconds, in CPUs.", []));
        writer.Point(MetricLabels.None, budget.Cost ?? 0);
    }

    private static void WriteExport(IMetricWriter writer, OtlpExport otlp)
    {
        writer.Begin(new("veil_otlp_requests", MetricKind.Counter, "", "Requests to the receiver, by what became of them.", ["result"]));
        writer.Point(MetricLabels.Of("sent"), otlp.Sent);
        writer.Point(MetricLabels.Of("failed"), otlp.Failed);
        writer.Begin(new("veil_otlp_waiting_bytes", MetricKind.Gauge, "bytes", "What waits for the receiver.", []));
        writer.Point(MetricLabels.None, otlp.WaitingBytes);
    }

    private static void WriteCost(IMetricWriter writer, SessionCost cost)
    {
        string[] labels = ["module", "program"];
        var programs = cost.Programs.GroupBy(static program => (program.Module, program.Program)).ToList();
        writer.Begin(new("veil_bpf_runs", MetricKind.Counter, "", "Runs of a BPF program.", labels));
        foreach (var program in programs)
            writer.Point(MetricLabels.Of(program.Key.Module, program.Key.Program), program.Sum(static one => (double)one.Runs));
        writer.Begin(new("veil_bpf_seconds", MetricKind.Counter, "seconds", "CPU time of a BPF program.", labels));
        foreach (var program in programs)
            writer.Point(MetricLabels.Of(program.Key.Module, program.Key.Program), program.Sum(static one => one.TimeNs / NsPerSecond));
        writer.Begin(new("veil_bpf_map_bytes", MetricKind.Gauge, "bytes", "Kernel memory of the BPF maps.", []));
        writer.Point(MetricLabels.None, cost.MapBytes);
    }
}
