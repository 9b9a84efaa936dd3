// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>--budget beside a load that knows its own number of calls. What it costs is read from the kernel, not from veil.</summary>
public sealed class BudgetTests : IDisposable
{
    private const long PerSecond = 1_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-budget-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Budget_AMillionCallsASecond_IsHeldAndEveryCallIsCounted()
    {
        const double budget = 0.20;
        string file = Path.Combine(_folder, "out.json");
        using var load = Workload.Waiting("steady", (14 * PerSecond).ToString(), PerSecond.ToString());
        using var veil =
            VeilRun.Attach("-m", "syscall", "-p", load.Pid, "-s", "getppid", "--budget", "20%", "-o", "json", "-w", file, "--metrics", "0");
        load.Begin();
        Thread.Sleep(TimeSpan.FromSeconds(10));
        double cost = CostOver(veil.Pid, TimeSpan.FromSeconds(2));
        load.Finish();
        long calls = load.Number("calls");
        string metrics = Eventually(() => Scrape(veil), text => Value(text, "veil_events_left_out_total{module=\"syscall\"}")
            + Value(text, "veil_events_delivered_total{module=\"syscall\"}") >= calls);
        veil.Stop().ShouldBe(0);

        var notices = Notices(file, out long events);
        var steps = Of(notices, "budget");
        steps.Count.ShouldBeGreaterThan(0, veil.Errors);
        steps[0].GetProperty("from_one_in").GetUInt32().ShouldBe(1u);
        // Where a program that does nothing costs more than that already, it is said instead.
        if (!steps.Exists(IsFloor))
            cost.ShouldBeLessThan(budget * 1.25, $"{string.Join('\n', notices)}");
        long leftOut = Of(notices, "sampled").Sum(static one => one.GetProperty("seen").GetInt64() - one.GetProperty("sent").GetInt64());
        leftOut.ShouldBeGreaterThan(0);
        veil.ShouldAccountFor(events + leftOut + Lost(notices), calls);
        Value(metrics, "veil_budget_ratio").ShouldBe(budget);
        (Value(metrics, "veil_events_left_out_total{module=\"syscall\"}") + Value(metrics, "veil_events_delivered_total{module=\"syscall\"}"))
            .ShouldBe(calls - Lost(notices));
        veil.Errors.ShouldContain($"veil: budget: {leftOut} of {events + leftOut} events of syscall were counted and not sent");
    }

    /// <summary>A budget that counting alone exceeds is said to be that, once, and the counts stay exact; once the load is over, all is sent
    /// again.</summary>
    [Fact]
    public void Budget_BelowWhatCountsCost_IsToldOnceAndCountsAreExact()
    {
        using var load = Workload.Waiting("steady", (12 * PerSecond).ToString(), PerSecond.ToString());
        using var veil = VeilRun.Attach("-m", "syscall", "-p", load.Pid, "-s", "getppid", "--budget", "0.5%", "-w", Path.Combine(_folder, "out"));
        load.Go();
        Eventually(() => veil.Errors, static errors => errors.Contains(" to all events\n", StringComparison.Ordinal));
        veil.Stop().ShouldBe(0);

        string[] said = [.. veil.Errors.Split('\n').Where(static line => line.StartsWith("veil: budget: ", StringComparison.Ordinal))];
        said.Count(static line => line.Contains("nothing more can be left out", StringComparison.Ordinal)).ShouldBe(1, veil.Errors);
        said.Count(static line => line.EndsWith(" to counts alone", StringComparison.Ordinal)).ShouldBe(1, veil.Errors);
        string last = said[^1];
        last.ShouldEndWith(" events of syscall were counted and not sent");
        long seen = long.Parse(last.Split(" of ")[1].Split(' ')[0]), leftOut = long.Parse(last["veil: budget: ".Length..].Split(' ')[0]);
        File.ReadLines(Path.Combine(_folder, "out")).LongCount().ShouldBe(seen - leftOut);
        if (veil.Errors.Contains(", 0 lost", StringComparison.Ordinal))
            veil.ShouldAccountFor(seen, load.Number("calls"));
    }

    /// <summary>A call is decided once, whether it is sent as it begins, as it ends, or with its arguments; and where its arguments decide
    /// whether it passes, once they have.</summary>
    [Theory]
    [InlineData("-s", "getppid", "--returns")]
    [InlineData("-s", "getppid", "--args")]
    [InlineData("-s", "getppid", "--args", "--fd", "!700")]
    [InlineData("-s", "getppid", "--returns", "--errno", "!ENOENT")]
    public void Budget_CallsAsTheyEnd_AreSentOrLeftOutOnce(params string[] flags)
    {
        string file = Path.Combine(_folder, "out.json");
        using var load = Workload.Waiting("steady", (4 * PerSecond).ToString(), (PerSecond / 2).ToString());
        using var veil = VeilRun.Attach(["-m", "syscall", "-p", load.Pid, "--budget", "5%", "-o", "json", "-w", file, .. flags]);
        load.Go();
        veil.Stop().ShouldBe(0);

        var notices = Notices(file, out long events);
        long leftOut = Of(notices, "sampled").Sum(static one => one.GetProperty("seen").GetInt64() - one.GetProperty("sent").GetInt64());
        leftOut.ShouldBeGreaterThan(0, veil.Errors);
        veil.ShouldAccountFor(events + leftOut + Lost(notices), load.Number("calls"));
    }

    [Fact]
    public void Budget_BesideCounting_LeavesNothingOutAndSaysSo()
    {
        using var load = Workload.Waiting("steady", (4 * PerSecond).ToString(), PerSecond.ToString());
        using var veil = VeilRun.Attach("-m", "syscall", "-p", load.Pid, "--count", "-s", "getppid", "--budget", "0.5%", "-o", "json");
        load.Go();
        veil.Stop().ShouldBe(0);

        var lines = veil.Lines.Select(static line => JsonDocument.Parse(line).RootElement).ToList();
        IsFloor(lines.Single(static line => line.TryGetProperty("evt_type", out var type) && type.ValueEquals("budget"))).ShouldBeTrue();
        veil.ShouldAccountFor(
            lines.Where(static line => line.TryGetProperty("syscall", out _)).Sum(static line => line.GetProperty("count").GetInt64()), load.Number("calls"));
    }

    [Fact]
    public void Budget_OfARecording_IsTheTracesOwn()
    {
        string file = Path.Combine(_folder, "run.veil");
        using (var hold = Workload.Waiting("hold", "0"))
        using (var veil = VeilRun.Attach("-m", "syscall", "-p", hold.Pid, "--record", file, "-o", "none"))
            veil.Stop().ShouldBe(0);

        using var replay = VeilRun.ToEnd("replay", file, "--budget", "2%");

        replay.ExitCode.ShouldBe(2);
        replay.Errors.Trim().Split('\n').Length.ShouldBe(1, replay.Errors);
        replay.Errors.ShouldContain("--budget");
    }

    private static List<JsonElement> Notices(string file, out long events)
    {
        var notices = new List<JsonElement>();
        events = 0;
        foreach (string line in File.ReadLines(file))
        {
            if (line.Contains("\"evt_type\":", StringComparison.Ordinal))
                notices.Add(JsonDocument.Parse(line).RootElement);
            else
                events++;
        }

        return notices;
    }

    private static List<JsonElement> Of(List<JsonElement> notices, string type) =>
        notices.FindAll(notice => notice.GetProperty("evt_type").ValueEquals(type));

    private static long Lost(List<JsonElement> notices) => Of(notices, "lost").Where(static one => !one.GetProperty("cause").ValueEquals("missed_probe"))
        .Sum(static one => one.GetProperty("count").GetInt64());

    private static bool IsFloor(JsonElement step) => step.GetProperty("one_in").GetUInt32() == step.GetProperty("from_one_in").GetUInt32();

    // In CPUs: what the scheduler counted for the process, and the kernel for each of its programs.
    private static double CostOver(int pid, TimeSpan time)
    {
        var (from, started) = (Taken(pid), DateTime.UtcNow);
        Thread.Sleep(time);
        return (Taken(pid) - from) / (DateTime.UtcNow - started).TotalSeconds;
    }

    private static double Taken(int pid)
    {
        string[] stat = File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1].Split(' ');
        const double ticksPerSecond = 100, nsPerSecond = 1e9;
        double cpu = (long.Parse(stat[11]) + long.Parse(stat[12])) / ticksPerSecond;
        var programs = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (string fd in Directory.EnumerateFiles($"/proc/{pid}/fdinfo"))
        {
            var facts = File.ReadLines(fd).Select(static line => line.Split('\t')).Where(static line => line.Length == 2)
                .DistinctBy(static line => line[0]).ToDictionary(static line => line[0], static line => line[1]);
            if (facts.TryGetValue("run_time_ns:", out string? runTime) && facts.TryGetValue("prog_id:", out string? id))
                programs[id] = long.Parse(runTime) / nsPerSecond;
        }

        programs.ShouldNotBeEmpty();
        return cpu + programs.Values.Sum();
    }

    private static T Eventually<T>(Func<T> read, Func<T, bool> isThere)
    {
        var until = DateTime.UtcNow + TimeSpan.FromSeconds(60);
        T value = read();
        while (!isThere(value) && DateTime.UtcNow < until)
        {
            Thread.Sleep(200);
            value = read();
        }

        return value;
    }

    private static string Scrape(VeilRun veil)
    {
        const string before = "veil: metrics: ";
        string url = veil.Errors.Split('\n').First(static line => line.StartsWith(before, StringComparison.Ordinal))[before.Length..];
        using var client = new HttpClient();
        return client.GetStringAsync(new Uri(url)).Result;
    }

    private static double Value(string text, string series) =>
        text.Split('\n').FirstOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture) : 0;
}
