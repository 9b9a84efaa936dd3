// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.Versioning;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>What <c>examples/fleet</c> asks for is there: its dashboard's queries are put to real servers, which have it of a real
/// Veil.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class FleetExampleTests : IDisposable
{
    private const string Unpacked = "export OTEL_EXPORTER_OTLP_COMPRESSION=none";

    private static readonly string s_example = Path.Combine(Repository.Root, "examples/fleet");
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-fleet-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Each of its PromQL has an answer, by its own Prometheus configuration and the nodes' own.</summary>
    [ScraperFact]
    public async Task Dashboard_InPrometheus_HasAnAnswerToEachQuery()
    {
        const string token = "s3cret";
        await File.WriteAllTextAsync(Path.Combine(_folder, "token"), token);
        File.SetUnixFileMode(Path.Combine(_folder, "token"), UnixFileMode.UserRead);
        int counts = Scraper.FreePort(), events = Scraper.FreePort();
        string nodes = $"127.0.0.1:{counts}\", \"127.0.0.1:{events}";
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "nodes.json"), Example("nodes.json").Replace("host.docker.internal:9435", nodes, StringComparison.Ordinal));
        string prometheus = Example("prometheus.yml").Replace("15s", "1s", StringComparison.Ordinal);
        using var server = new Scraper("prometheus", _folder, prometheus);
        string node =
            Node("counts.yaml", ("0.0.0.0:9435", $"127.0.0.1:{counts}"), ("/etc/veil/metrics-token", Path.Combine(_folder, "token")));
        using var counting = VeilRun.Attach("--config", node);
        // To nobody, so that it loses some, and tells so.
        using var burst = Workload.Waiting("burst", "600000");
        using var sending =
            VeilRun.Attach(
            "-m", "syscall", "-p", burst.Pid, "--otlp", $"http://127.0.0.1:{Scraper.FreePort()}", "--export-buffer", "1M", "-o", "none",
            "--metrics", $"{events}", "--metrics-token-file", Path.Combine(_folder, "token"));
        burst.Go();

        foreach (string query in Expressions())
            (await server.Query(query)).ShouldNotBe("nothing", query);
        (await server.Query("sum(veil_syscall_events_total{syscall=\"getppid\"}) >= bool 600000", "1")).ShouldBe("1");
    }

    /// <summary>With its line for native histograms, and the bounds are Veil's own.</summary>
    [ScraperFact]
    public async Task Histogram_InPrometheus_IsNativeWithItsOwnBounds()
    {
        int port = Scraper.FreePort();
        await File.WriteAllTextAsync(Path.Combine(_folder, "token"), "s3cret");
        File.SetUnixFileMode(Path.Combine(_folder, "token"), UnixFileMode.UserRead);
        await File.WriteAllTextAsync(Path.Combine(_folder, "nodes.json"), $$"""[{"targets": ["127.0.0.1:{{port}}"]}]""");
        string prometheus = Example("prometheus.yml").Replace("15s", "1s", StringComparison.Ordinal)
            .Replace("# convert_classic", "convert_classic", StringComparison.Ordinal);
        using var server = new Scraper("prometheus", _folder, prometheus, "--enable-feature=native-histograms");
        using var burst = Workload.Waiting("burst", "300000");
        using var veil =
            VeilRun.Attach(
            "-m", "syscall", "-p", burst.Pid, "--returns", "--hist", "duration_ns", "--count-by", "syscall", "--metrics", $"{port}",
            "--metrics-token-file", Path.Combine(_folder, "token"));
        burst.Go();

        const string series = "veil_syscall_duration_seconds{syscall=\"getppid\"}";
        (await server.Query($"histogram_count({series})", "300000")).ShouldBe("300000");
        // From a bound to a bound: what is between is not guessed.
        (await server.Query($"histogram_fraction(0, 68.719476735, {series})", "1")).ShouldBe("1");
        (await server.Query("veil_syscall_duration_seconds_bucket", "nothing")).ShouldBe("nothing");
    }

    /// <summary>The names of what is sent to a Collector are, after the rules by which Prometheus takes OTLP, those of a scrape.</summary>
    [ScraperFact]
    public async Task Dashboard_OfWhatOtlpSends_HasItsMetrics()
    {
        using var server = new Scraper("victoria-metrics", target: 1, "-opentelemetry.usePrometheusNaming");
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var veil =
            VeilRun.Attach(
            "-m", "syscall", "-p", hold.Pid, "--returns", "--hist", "duration_ns", "--count-by", "syscall", "--interval", "1s", "--otlp",
            $"http://127.0.0.1:{server.Port}/opentelemetry");
        string[] names =
            [.. Expressions().SelectMany(static query => MetricName().Matches(query)).Select(static match => match.Value).Distinct()
                // A histogram is exponential there, in nanoseconds; and nothing was lost.
                .Where(static name => !name.StartsWith("veil_syscall_duration_seconds_", StringComparison.Ordinal))
                .Where(static name => name != "veil_events_lost_total")];
        names.Length.ShouldBeGreaterThan(8);

        foreach (string name in names)
            (await server.Query($"count({name}) > bool 0", "1")).ShouldBe("1", name);
        (await server.Query("count(veil_events_delivered_total{veil_module=\"syscall\",host_name!=\"\"})", "1")).ShouldBe("1");
    }

    /// <summary>The attributes that its SQL asks for are among those that a receiver has of the nodes' events.</summary>
    [AspireFact]
    public async Task Dashboard_OfEvents_AsksForWhatOtlpSends()
    {
        using var dashboard = new AspireDashboard();
        await dashboard.Ready();
        string node = Node("events.yaml", ("http://collector.example:4318", dashboard.Url));
        using (var veil = VeilRun.AttachOrEnd(Unpacked, "--config", node))
        {
            veil.IsAttached.ShouldBeTrue(veil.Errors);
            using var refused = VeilRun.ToEndWith("setpriv", "--reuid=65534", "--clear-groups", "/bin/cat", "/etc/shadow");
            refused.ExitCode.ShouldBe(1);
            using var nobody = VeilRun.ToEndWith("bash", "-c", $"! : < /dev/tcp/127.0.0.1/{Scraper.FreePort()}");
            nobody.ExitCode.ShouldBe(0);
            Thread.Sleep(500);
            veil.Stop().ShouldBe(0);
        }

        string all = string.Join('\n', Targets("rawSql"));
        var logs = await dashboard.Logs();
        var sent = logs.SelectMany(static log => log.GetProperty("attributes").EnumerateArray())
            .Select(static attribute => attribute.GetProperty("key").GetString()!).Distinct();
        LogAttribute().Matches(all).Select(static match => match.Groups["name"].Value).ShouldBeSubsetOf(sent);
        string resource = await dashboard.LogsText();
        foreach (Match match in ResourceAttribute().Matches(all))
            resource.ShouldContain($"\"key\":\"{match.Groups["name"].Value}\"");
        resource.ShouldContain("\"key\":\"service.name\",\"value\":{\"stringValue\":\"veil\"}");
    }

    private string Node(string name, params ReadOnlySpan<(string From, string To)> changes)
    {
        string text = Example(Path.Combine("node", name));
        foreach (var (from, to) in changes)
        {
            text.ShouldContain(from);
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static string Example(string name) => File.ReadAllText(Path.Combine(s_example, name));

    // As Grafana fills them in.
    private static IEnumerable<string> Expressions() =>
        Targets("expr").Select(static query => query.Replace("$instance", ".*", StringComparison.Ordinal)
            .Replace("$__rate_interval", "10s", StringComparison.Ordinal).Replace("$__range", "1m", StringComparison.Ordinal));

    private static IEnumerable<string> Targets(string kind) =>
        from panel in JsonDocument.Parse(Example("grafana/dashboards/veil.json")).RootElement.GetProperty("panels").EnumerateArray()
        from target in panel.GetProperty("targets").EnumerateArray()
        where target.TryGetProperty(kind, out _)
        select target.GetProperty(kind).GetString();

    [GeneratedRegex(@"\bveil_[a-z_]+", RegexOptions.None, 1_000)]
    private static partial Regex MetricName();

    [GeneratedRegex(@"\bLogAttributes\['(?<name>[^']+)'\]", RegexOptions.None, 1_000)]
    private static partial Regex LogAttribute();

    [GeneratedRegex(@"\bResourceAttributes\['(?<name>[^']+)'\]", RegexOptions.None, 1_000)]
    private static partial Regex ResourceAttribute();
}
