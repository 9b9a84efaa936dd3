// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary><c>--metrics</c>, as those see it who scrape it.</summary>
public sealed class MetricsTests
{
    [Theory]
    [InlineData]
    [InlineData("--interval", "200ms")]
    public async Task Metrics_OfCounts_AreTheWorkloadsOwn(params string[] interval)
    {
        using var burst = Workload.Waiting("burst", "300000");
        using var veil =
            VeilRun.Attach(["-m", "syscall", "-p", burst.Pid, "--returns", "--count", "-o", "json", "--metrics", "0", .. interval]);
        using var client = new HttpClient();
        string url = UrlOf(veil);
        burst.Begin();
        double last = 0;
        for (int look = 0; look < 10; look++)
        {
            double now = Value(await client.GetStringAsync(url), "veil_syscall_events_total{syscall=\"getppid\"}");
            now.ShouldBeGreaterThanOrEqualTo(last);
            last = now;
        }

        burst.Finish();
        await Task.Delay(500);
        string text = await client.GetStringAsync(url);
        Value(text, "veil_syscall_events_total{syscall=\"getppid\"}").ShouldBe(300_000);
        Value(text, "veil_syscall_errors_total{syscall=\"getppid\"}").ShouldBe(0);
        Value(text, "veil_syscall_duration_seconds_total{syscall=\"getppid\"}").ShouldBeInRange(0.001, 60);
        veil.Stop().ShouldBe(0);
    }

    /// <summary>Two traces one after the other: the counter's fall is a restart, and not a loss.</summary>
    [ScraperTheory]
    [InlineData("prometheus")]
    [InlineData("victoria-metrics")]
    public async Task Metrics_InAServer_AreTheWorkloadsOwnOverARestart(string name)
    {
        int port = Scraper.FreePort();
        using var server = new Scraper(name, port);
        foreach (string calls in new[] { "300000", "200000" })
        {
            using var burst = Workload.Waiting("burst", calls);
            using var veil = VeilRun.Attach("-m", "syscall", "-p", burst.Pid, "--count", "--metrics", $"{port}");
            burst.Go();
            (await server.Query("veil_syscall_events_total{syscall=\"getppid\"}", calls)).ShouldBe(calls);
            veil.Stop().ShouldBe(0);
        }

        (await server.Query("resets(veil_syscall_events_total{syscall=\"getppid\"}[10m])", "1")).ShouldBe("1");
    }

    [Fact]
    public void Metrics_OnAPortThatIsTaken_IsOneLine()
    {
        using var first = VeilRun.Attach("-m", "syscall", "-p", $"{Environment.ProcessId}", "--count", "--metrics", "0");
        string port = UrlOf(first).Split(':')[2].Split('/')[0];
        using var second = VeilRun.ToEnd("-m", "syscall", "--count", "--metrics", port);

        second.ExitCode.ShouldBe(1);
        second.Errors.ShouldBe($"veil: --metrics: listening on 127.0.0.1:{port}: Address already in use\n");
    }

    private static double Value(string text, string series) =>
        text.Split('\n').FirstOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[(series.Length + 1)..]) : 0;

    private static string UrlOf(VeilRun veil)
    {
        const string before = "veil: metrics: ";
        return veil.Errors.Split('\n').First(static line => line.StartsWith(before, StringComparison.Ordinal))[before.Length..];
    }
}
