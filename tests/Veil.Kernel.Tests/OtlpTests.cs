// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary><c>--otlp</c> to receivers that others wrote.</summary>
public sealed class OtlpTests
{
    // The dashboard takes no gzip.
    private const string Unpacked = "export OTEL_EXPORTER_OTLP_COMPRESSION=none";

    [AspireFact]
    public async Task Events_InAReceiver_AreTheWorkloadsOwn()
    {
        using var dashboard = new AspireDashboard();
        await dashboard.Ready();
        using var burst = Workload.Waiting("burst", "5000");
        using var veil = VeilRun.AttachOrEnd(Unpacked, "-m", "syscall", "-p", burst.Pid, "-s", "getppid", "--returns", "--otlp", dashboard.Url);
        burst.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();

        var logs = await dashboard.Logs();
        logs.Length.ShouldBe(5_000);
        foreach (var log in logs)
        {
            AspireDashboard.Attribute(log, "process.pid").ShouldBe(burst.Pid);
            AspireDashboard.Attribute(log, "veil.syscall").ShouldBe("getppid");
            AspireDashboard.Attribute(log, "error.type").ShouldBeNull();
            log.GetProperty("severityNumber").GetInt32().ShouldBe(9);
        }
    }

    /// <summary>What a process gave to a call leaves the machine with a flag alone.</summary>
    [AspireFact]
    public async Task Arguments_WithoutTheirFlag_StayHere()
    {
        using var dashboard = new AspireDashboard();
        await dashboard.Ready();
        foreach (string[] flags in new string[][] { [], ["--otlp-args"] })
        {
            using var veil =
                VeilRun.ToEndWith(
                "bash", ["-c", Unpacked + "; exec \"$@\"", "bash", Repository.Veil, "-m", "syscall,process", "--args", "-s", "%file", "--enrich", "why", "--otlp", dashboard.Url,
                .. flags, "--", "/bin/cat", "/nonexistent/s3cret"]);
            veil.Errors.ShouldContain("events delivered");
            string all = string.Join('\n', (await dashboard.Logs()).Select(static log => log.GetRawText()));
            all.ShouldContain("openat");
            all.Contains("s3cret", StringComparison.Ordinal).ShouldBe(flags.Length > 0);
        }
    }

    [Theory]
    [InlineData("-m process", "argv")]
    [InlineData("-m syscall --args", "args.filename")]
    public void Arguments_AsLabels_NeedTheirFlag(string module, string field)
    {
        using var veil = VeilRun.ToEnd($"{module} --count-by {field} --otlp http://127.0.0.1:9".Split(' '));

        (veil.ExitCode, veil.Errors.Trim()).ShouldBe(
            (2, $"veil: --count-by: {field} would leave the machine as a label, and may hold passwords; --otlp-args sends it all the same"));
    }

    // Debian's Prometheus was built without OTLP.
    [ScraperTheory]
    [InlineData("victoria-metrics")]
    public async Task Counts_InAServer_AreTheWorkloadsOwn(string name)
    {
        using var server = new Scraper(name, target: 1);
        using var burst = Workload.Waiting("burst", "300000");
        using var veil =
            VeilRun.Attach("-m", "syscall", "-p", burst.Pid, "--count", "--interval", "1s", "--otlp", $"http://127.0.0.1:{server.Port}/opentelemetry");
        burst.Go();
        string query = "{__name__=~\"veil.syscall.events.*\",\"veil.syscall\"=\"getppid\"}";
        (await server.Query(query, "300000")).ShouldBe("300000");
        veil.Stop().ShouldBe(0);
    }
}
