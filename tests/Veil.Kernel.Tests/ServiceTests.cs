// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Veil.Kernel.Tests;

/// <summary><c>veil --config</c> as systemd starts it. The manager's end of the socket is the test's: datagrams, as sd_notify(3) has
/// them.</summary>
public sealed class ServiceTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-service-").FullName;
    private readonly Socket _manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly List<string> _told = [];
    private readonly Task _listens;

    public ServiceTests()
    {
        _manager.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "notify")));
        // The service need not be root's.
        Process.Start("chmod", ["777", _folder, Path.Combine(_folder, "notify")]).WaitForExit();
        _listens = Task.Run(Listen);
    }

    private string Config => Path.Combine(_folder, "veil.yaml");

    public void Dispose()
    {
        _manager.Dispose();
        _listens.Wait(s_patience);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Service_FromReadyToStopping_TellsTheManager()
    {
        Write("pid: 1");
        using var veil = Start("WATCHDOG_USEC=200000");

        // Several beats: the loop goes on where nothing comes.
        Until(told => told.Count(static state => state == "WATCHDOG=1") >= 3);
        veil.Stop().ShouldBe(0);

        string[] all = Told();
        all.First(static state => state != "WATCHDOG=1").ShouldBe("READY=1\nSTATUS=tracing syscall");
        all.Last(static state => state != "WATCHDOG=1").ShouldStartWith("STOPPING=1\n");
    }

    [Fact]
    public void Watchdog_WhileTheOutputTakesNothing_IsNotAnswered()
    {
        using var burst = Workload.Waiting("burst", "200000");
        Write($"pid: {burst.Pid}");
        // Nobody reads the pipe: 200,000 lines are far more than the 64 KiB that it holds.
        using var veil = VeilRun.AttachUnreadUnder(Manager("WATCHDOG_USEC=200000"), "--config", Config);
        Until(static told => told.Contains("WATCHDOG=1"));
        burst.Go();
        Thread.Sleep(1_000);
        int before = Told().Count(static state => state == "WATCHDOG=1");
        Thread.Sleep(1_500);

        Told().Count(static state => state == "WATCHDOG=1").ShouldBe(before);
    }

    /// <summary>Every call arrives once: while a filter changes in the running trace, and while another trace takes over.</summary>
    [Fact]
    public void Reload_WhileCallsAreMade_LosesAndDoublesNone()
    {
        const int calls = 20_000; // some 4 s of them
        using var burst = Workload.Waiting("paced", $"{calls}");
        Write($"pid: {burst.Pid}");
        using var veil = Start();
        burst.Begin();

        // Another process beside it.
        Write($"pid: [{burst.Pid}, 1]");
        Reload(veil);
        veil.Errors.ShouldContain($"veil: reload: {Config}: syscall pid changed in the running trace\n");

        // Other events, so other hooks.
        Write($"pid: {burst.Pid}", "returns: true");
        Reload(veil);
        veil.Errors.ShouldContain($"veil: reload: {Config}: a new trace has taken over\n");

        burst.Finish();
        veil.Stop().ShouldBe(0);
        var events = veil.Events.Where(record =>
            record.GetProperty("pid").GetInt64() == long.Parse(burst.Pid) && record.GetProperty("syscall").ValueEquals("getppid")).ToList();
        events.Count.ShouldBe(calls);
        events.Count(static record => record.TryGetProperty("duration_ns", out _)).ShouldBeInRange(1, calls - 1);
        Told().Count(static state => state.StartsWith("RELOADING=1\nMONOTONIC_USEC=", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Theory]
    [InlineData("pdi: 1", ":4:7: unknown flag of syscall 'pdi'; did you mean 'pid'?")]
    [InlineData("pid: many", ":4:12: --pid:")]
    [InlineData("[", ":5:1: what stands here, or just before, is no YAML")]
    public void Reload_OfABadConfiguration_IsOneLineAndTheOldGoesOn(string line, string why)
    {
        using var burst = Workload.Waiting("burst", "1000");
        Write($"pid: {burst.Pid}");
        using var veil = Start();

        Write(line);
        Reload(veil);

        string[] lines = veil.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines[^1].ShouldStartWith($"veil: reload: {Config}{why}");
        lines[^1].ShouldEndWith("; the old configuration goes on");
        burst.Go();
        veil.Stop().ShouldBe(0);
        veil.Events.Count(static record => record.GetProperty("syscall").ValueEquals("getppid")).ShouldBe(1_000);
    }

    [Fact]
    public async Task Reload_WithSockets_KeepsThem()
    {
        string control = Path.Combine(_folder, "control");
        Write("pid: 1", run: $"run: {{control: {control}, metrics: '127.0.0.1:0'}}");
        using var veil = Start();
        using (var metrics = new HttpClient())
        {
            const string before = "veil: metrics: ";
            string url = veil.Errors.Split('\n').First(static line => line.StartsWith(before, StringComparison.Ordinal))[before.Length..];
            Write("pid: 1", "returns: true", run: $"run: {{control: {control}, metrics: '127.0.0.1:0'}}");
            Reload(veil);

            (await metrics.GetStringAsync(url)).ShouldContain("veil_events_delivered_total");
        }

        using var client = VeilRun.ToEnd("control", control, "status");
        client.ExitCode.ShouldBe(0);
        veil.Stop().ShouldBe(0);
        File.Exists(control).ShouldBeFalse();
    }

    [Fact]
    public void Hangup_WithoutAManager_Stops()
    {
        Write("pid: 1");
        using var veil = VeilRun.Attach("--config", Config);

        veil.Signal("HUP");

        veil.WaitForExit().ShouldBe(0);
    }

    private void Write(string first, string? second = null, string run = "") => File.WriteAllText(
        Config,
        $"modules:\n  syscall:\n    flags:\n      {first}\n{(second is null ? "" : $"      {second}\n")}output: {{format: json}}\n{run}\n");

    private VeilRun Start(params string[] variables)
    {
        var veil = VeilRun.AttachUnder(Manager(variables), "--config", Config);
        Until(static told => told.Any(static state => state.StartsWith("READY=1", StringComparison.Ordinal)));
        return veil;
    }

    private string[] Manager(params string[] variables) => ["env", $"NOTIFY_SOCKET={Path.Combine(_folder, "notify")}", .. variables];

    private void Reload(VeilRun veil)
    {
        int before = Told().Count(static state => state.StartsWith("READY=1", StringComparison.Ordinal));
        veil.Signal("HUP");
        Until(told => told.Count(static state => state.StartsWith("READY=1", StringComparison.Ordinal)) > before);
    }

    private string[] Told()
    {
        lock (_told)
            return [.. _told];
    }

    private void Until(Func<string[], bool> holds)
    {
        long until = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
        while (!holds(Told()))
        {
            if (Environment.TickCount64 > until)
                throw new TimeoutException($"the manager was told only: {string.Join(" | ", Told())}");
            Thread.Sleep(10);
        }
    }

    private void Listen()
    {
        byte[] state = new byte[4096];
        try
        {
            while (true)
            {
                int length = _manager.Receive(state);
                lock (_told)
                    _told.Add(Encoding.UTF8.GetString(state, 0, length));
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
