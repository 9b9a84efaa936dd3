// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bench;
using Veil.Bench.Processes;
using Veil.Bench.Reporting;
using Veil.Bench.Scenarios;

try
{
    Run(BenchOptions.Parse(args));
    return 0;
}
catch (BenchException reason)
{
    Console.Error.WriteLine($"bench: {reason.Message}");
    return 1;
}

static void Run(BenchOptions options)
{
    var programs = new Programs(Programs.FindRoot());
    if (Environment.UserName is not "root")
        throw new BenchException("attaching programs: needs root");
    if (Environment.ProcessorCount < 2)
        throw new BenchException("measuring: needs two cores, one for the workload and one for the tracer");
    if (!File.Exists(programs.Burst))
        throw new BenchException("starting the workload: artifacts/workloads/burst is not built; run `make bench`");

    Directory.CreateDirectory(programs.OutputFolder);
    Cpu.PinThisThreadToTracerCore();
    try
    {
        // A process to allow that makes no calls: it waits for a line that never comes.
        using var idle = Child.Start([programs.Burst, "--wait", "0"], stderrFile: "/dev/null", withInput: true);
        Measure(options, programs, idle.Pid);
    }
    finally
    {
        Directory.Delete(programs.OutputFolder, recursive: true);
    }
}

static void Measure(BenchOptions options, Programs programs, int idlePid)
{
    var report = new Report();
    string machine =
        $"{Environment.ProcessorCount} cores, kernel {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}, " +
            $"{RuntimeInformation.OSArchitecture}; " +
        $"workload on CPU {Cpu.Workload}, tracer on CPU {Cpu.Tracer}; {options.Rounds} interleaved rounds of {options.Calls:#,0} getppid " +
            $"calls; {Environment.GetEnvironmentVariable("VEIL_PEERS") ?? "peers of the PATH"}";
    report.Say(machine);
    report.Say("");

    var catalog = new ScenarioCatalog(programs, options.Calls);
    var runner = new ScenarioRunner(programs, idlePid);
    var modules = new ModuleBench(programs, runner, options.ModuleRounds);
    if (options.ModulesOnly)
    {
        report.Say(modules.Run(Progress));
        report.Say(Figure.Report(modules.Figures()));
        report.Save(options.Into, "modules");
        return;
    }

    var rows = new RowTable(catalog.All());
    for (int round = 1; round <= options.Rounds; round++)
    {
        foreach (Row row in rows.RowsOfRound(round))
        {
            Progress($"round {round} of {options.Rounds}: {row.Scenario.Name}");
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
    Progress("");
    report.Say(rows.Costs());
    report.Say(rows.Consumption());

    var text = new Bursts(catalog.TextOf("text", options.TextBurstCalls));
    var json = new Bursts(catalog.JsonOf("JSON", options.JsonBurstCalls));
    text.Run(runner, options.BurstRuns, Progress);
    json.Run(runner, options.BurstRuns, Progress);
    double startupPeakBytes = StartupPeakBytes();
    Progress("");
    report.Say(Bursts.Report([text, json]));

    report.Say(modules.Run(Progress));

    IReadOnlyList<Figure> figures = [.. Figure.All(rows, text, json, startupPeakBytes), .. modules.Figures()];
    report.Say(Figure.Report(figures));

    report.Save(options.Into, "all");
    if (options.JsonFile is { } file)
        RawResults.Save(file, machine, rows, [text, json], figures);

    double StartupPeakBytes()
    {
        if (!text.WasMeasured)
            return double.NaN;
        try
        {
            return StartupMemory.PeakBytes(programs, idlePid);
        }
        catch (BenchException reason)
        {
            // The tables of minutes of measuring are not thrown away for one figure.
            Console.Error.WriteLine($"bench: the peak memory while starting: {reason.Message}");
            return double.NaN;
        }
    }
}

// A line that is written over, and only for somebody who watches.
static void Progress(string text)
{
    if (!Console.IsErrorRedirected)
        Console.Error.Write($"\r\e[K{text}");
}
