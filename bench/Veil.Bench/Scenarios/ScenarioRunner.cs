// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Globalization;
using Veil.Bench.Processes;

namespace Veil.Bench.Scenarios;

/// <summary>
/// Runs a scenario once: start the workload, which waits; attach to it; let it run; stop the tracer and read what it
/// delivered.
/// </summary>
internal sealed class ScenarioRunner(Programs programs, int idlePid)
{
    private static readonly TimeSpan AttachTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RunTimeout = TimeSpan.FromMinutes(1);

    // The kernel finishes what attaching began (patched code, freed memory) in the first tenth of a second, on any CPU.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PerfEventSettle = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PerfEventStop = TimeSpan.FromSeconds(3);

    internal Sample Run(Scenario scenario)
    {
        using var workload = Child.Start(
            scenario.Load is { } load
                ? [programs.Loads, "--wait", load, Text(scenario.Calls), Text(Cpu.Workload)]
                : [programs.Burst, "--wait", Text(scenario.Calls), Text(Cpu.Workload)],
            stderrFile: programs.ErrorFile, withInput: true);
        workload.Output!.WaitFor("pid=", AttachTimeout);
        if (scenario.Cgroup is { } cgroup)
            File.WriteAllText(cgroup + "/cgroup.procs", Text(workload.Pid));

        using Child? tracer = scenario.Command is null ? null : StartTracer(scenario, workload.Pid);
        double? attachMs = tracer is null ? null : WaitUntilAttached(scenario, tracer, workload.Pid);
        Thread.Sleep(Settle);
        long cpuAtStartNs = tracer is null ? 0 : ProcessFacts.CpuNs(tracer.Pid);

        workload.Send("go");
        workload.WaitForEnd(RunTimeout);
        double nsPerCall = Value(workload.Output.LinesAtEnd(), "ns_per_call=");
        if (tracer is null)
            return new Sample { NsPerCall = nsPerCall, Produced = scenario.Calls };

        long peakBeyondRing = ProcessFacts.PeakResidentBytes(tracer.Pid) - ProcessFacts.RingResidentBytes(tracer.Pid);
        Stop(scenario, tracer);

        return new Sample
        {
            NsPerCall = nsPerCall,
            Produced = Produced(scenario),
            Delivered = Delivered(scenario, tracer),
            TracerCpuNs = tracer.CpuNs - cpuAtStartNs,
            // 0: the tracer ended with the workload (perf trace, strace), so there was nothing to read.
            PeakBeyondRingBytes = peakBeyondRing > 0 ? peakBeyondRing : null,
            AttachMs = attachMs,
            Veil = scenario.IsVeil ? VeilSummary.Parse(tracer.Error!.LinesAtEnd()) : null,
        };
    }

    private static void Stop(Scenario scenario, Child tracer)
    {
        tracer.Signal(scenario.StopSignal);
        // bpftrace 0.17 only sees a signal that interrupts its wait for events; one that comes between two waits is gone. It is
        // asked again; veil is not, since it has to hear the first time.
        for (int again = 0; scenario.Attachment == Attachment.PerfEvent && again < 10 && !tracer.EndsWithin(PerfEventStop); again++)
            tracer.Signal(scenario.StopSignal);
        tracer.WaitForEnd(RunTimeout);
    }

    private Child StartTracer(Scenario scenario, int workloadPid)
    {
        IReadOnlyList<string> command = scenario.Command!(workloadPid, idlePid);
        return scenario.Attachment switch
        {
            Attachment.ReadyLine => Child.Start(command, stderrFile: programs.ErrorFile),
            Attachment.VeilLine => Child.Start(command, stdoutFile: programs.OutputFile, environment: "VEIL_STATS=1"),
            _ => Child.Start(command, stdoutFile: programs.OutputFile, stderrFile: programs.ErrorFile),
        };
    }

    /// <summary>Waits until the workload's next call would be traced.</summary>
    /// <returns>Milliseconds from exec, or null where the tracer does not say it.</returns>
    private double? WaitUntilAttached(Scenario scenario, Child tracer, int workloadPid)
    {
        long attached;
        switch (scenario.Attachment)
        {
            case Attachment.ReadyLine:
                (attached, _) = WaitForLine(tracer.Output!, "ready");
                break;
            case Attachment.VeilLine:
                (attached, _) = tracer.Error!.WaitFor("veil: tracing", AttachTimeout);
                break;
            case Attachment.PerfEvent:
                WaitUntil(tracer, () => ProcessFacts.HasPerfEvent(tracer.Pid));
                Thread.Sleep(PerfEventSettle);
                return null;
            default:
                WaitUntil(tracer, () => ProcessFacts.TracerPid(workloadPid) != 0);
                return null;
        }
        return Stopwatch.GetElapsedTime(tracer.StartedTimestamp, attached).TotalMilliseconds;
    }

    private (long Timestamp, string Text) WaitForLine(LineCollector lines, string beginning)
    {
        try
        {
            return lines.WaitFor(beginning, AttachTimeout);
        }
        catch (BenchException)
        {
            // These programs say on stderr why they did not get ready.
            throw new BenchException(LastError());
        }
    }

    private void WaitUntil(Child tracer, Func<bool> attached)
    {
        long deadline = Environment.TickCount64 + (long)AttachTimeout.TotalMilliseconds;
        while (!attached())
        {
            if (tracer.HasEnded)
                throw new BenchException($"ended before it was attached; it said: {LastError()}");
            if (Environment.TickCount64 > deadline)
                throw new BenchException($"not attached after {AttachTimeout.TotalSeconds} s; it said: {LastError()}");
            Thread.Sleep(5);
        }
    }

    private string LastError() => File.ReadLines(programs.ErrorFile).LastOrDefault(line => line.Length > 0) ?? "nothing";

    /// <summary>The floor counts every call of the workload: also the write of its result and its exit_group.</summary>
    private static long Produced(Scenario scenario) =>
        scenario.CountsByItself ? scenario.Calls + 2 : (long)scenario.Calls * scenario.EventsPerCall;

    private long? Delivered(Scenario scenario, Child tracer)
    {
        if (scenario.CountsByItself)
            return (long)Value(tracer.Output!.LinesAtEnd(), "delivered=");
        return scenario.EventMark is { } mark ? EventCounter.Count(programs.OutputFile, mark) : null;
    }

    private static double Value(IReadOnlyList<string> lines, string key)
    {
        string? line = lines.FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal));
        return line is null
            ? throw new BenchException($"ended without printing {key[..^1]}")
            : double.Parse(line.AsSpan(key.Length), CultureInfo.InvariantCulture);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
