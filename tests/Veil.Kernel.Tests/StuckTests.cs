// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary><c>veil stuck</c> on tasks that wait where the workload says.</summary>
public sealed partial class StuckTests : IDisposable
{
    private static readonly string[] s_waiters = ["pipe", "connection", "listener", "fifo", "vector", "poll", "vfork"];

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-stuck-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Stuck_TasksInKnownCalls_ShowsThemWithArgumentsAndDescriptors()
    {
        using var waiters = Start(0);
        string pipe = new FileInfo($"/proc/{waiters.Pid}/fd/{waiters["pipe_fd"]}").LinkTarget!,
        full = new FileInfo($"/proc/{waiters.Pid}/fd/{waiters["full_fd"]}").LinkTarget!;

        var lines = Look("-p", waiters.Pid);

        CallOf(lines, waiters["pipe"]).ShouldBe($"read({waiters["pipe_fd"]}<{pipe}>, ADDRESS, 1)");
        CallOf(lines, waiters["fifo"]).ShouldBe($"openat(AT_FDCWD<{Directory.GetCurrentDirectory()}>, \"{_folder}/fifo\", O_RDONLY)");
        CallOf(lines, waiters["vector"])
            .ShouldStartWith($"writev({waiters["full_fd"]}<{full}>, [{{iov_base=\"hello \", iov_len=6}}, {{iov_base=\"unread\\0\\0");
        CallOf(lines, waiters["vfork"]).ShouldBe("vfork()");
    }

    [Fact]
    public void Stuck_Connection_IsShownWithBothEndsAndState()
    {
        using var waiters = Start(0);

        var lines = Look("--tid", $"{waiters["connection"]},{waiters["listener"]}");

        string connection = $"{waiters["client_fd"]}<TCP:[127.0.0.1:{waiters["client_port"]}->127.0.0.1:{waiters["port"]}]>";
        CallOf(lines, waiters["connection"]).ShouldContain(connection);
        lines.ShouldContain("    ESTABLISHED, 0 bytes not acknowledged, 0 not read");
        CallOf(lines, waiters["listener"]).ShouldContain($"{waiters["listener_fd"]}<TCP:[127.0.0.1:{waiters["port"]}]>");
        lines.ShouldContain("    LISTEN, 0 connections not accepted");
    }

    /// <summary>Who waits for a connection waits in poll() more often than in the call itself.</summary>
    [Fact]
    public void Stuck_PollOfAConnection_ShowsItAndItsState()
    {
        using var waiters = Start(0);

        var lines = Look("--tid", waiters["poll"]);

        CallOf(lines, waiters["poll"]).ShouldBe(
            $"poll([{{fd={waiters["client_fd"]}<TCP:[127.0.0.1:{waiters["client_port"]}->127.0.0.1:{waiters["port"]}]>, " +
            "events=POLLIN}], 1, -1)");
        lines.ShouldContain("    ESTABLISHED, 0 bytes not acknowledged, 0 not read");
    }

    [Fact]
    public void Stuck_EpollWait_SaysWhatIsWaitedFor()
    {
        using var python = Process.Start(new ProcessStartInfo(
            "python3",
            ["-c",
            "import os, select; r, w = os.pipe(); e = select.epoll(); e.register(r, select.EPOLLIN); print(r, flush=True); e.poll()"])
        {
            RedirectStandardOutput = true,
        })!;
        string pipe = python.StandardOutput.ReadLine()!, name = new FileInfo($"/proc/{python.Id}/fd/{pipe}").LinkTarget!;
        SpinWait.SpinUntil(
            () => File.ReadAllText($"/proc/{python.Id}/stat").Split(' ')[2] == "S", TimeSpan.FromSeconds(60)).ShouldBeTrue();

        var lines = Look("-p", python.Id.ToString(CultureInfo.InvariantCulture));
        python.Kill();

        lines.ShouldContain($"    waits for {pipe}<{name}>");
    }

    [Fact]
    public void Stuck_WithoutAFilter_ShowsWhatWaitsUninterruptibly()
    {
        using var waiters = Start(0);

        var lines = Look();

        lines.ShouldContain(
            line => line.Contains($" TID={waiters["vfork"]} ", StringComparison.Ordinal)
            && line.Contains(" state=D ", StringComparison.Ordinal));
        lines.ShouldNotContain(line => line.Contains($" TID={waiters["pipe"]} ", StringComparison.Ordinal));
        lines.Where(static line => !line.StartsWith(' ')).ShouldAllBe(static line => line.Contains(" state=D ", StringComparison.Ordinal));
    }

    [Fact]
    public void Stuck_Slower_KeepsThoseThatHaveWaitedForSoLong()
    {
        using var waiters = Start(0);
        // What is measured is the wait itself.
        Thread.Sleep(TimeSpan.FromSeconds(1));

        var soon = LookJson("-p", waiters.Pid);
        VeilRun.ToEnd("stuck", "-p", waiters.Pid, "--slower", "1h").Lines.ShouldBeEmpty();
        var late = LookJson("-p", waiters.Pid, "--slower", "900ms");

        var pipe = soon.Single(task => task.GetProperty("tid").GetInt64() == waiters.Number("pipe"));
        pipe.GetProperty("off_cpu_ns").GetInt64().ShouldBeInRange(900_000_000, 60_000_000_000);
        late.ShouldContain(task => task.GetProperty("tid").GetInt64() == waiters.Number("pipe"));
        late.ShouldAllBe(static task => task.GetProperty("off_cpu_ns").GetInt64() >= 900_000_000);
    }

    [Fact]
    public void Stuck_Json_HasArgumentsDescriptorsAndStack()
    {
        using var waiters = Start(0);

        var task = LookJson("--tid", waiters["pipe"]).Single();

        task.GetProperty("comm").GetString().ShouldBe("waiters");
        task.GetProperty("pid").GetInt64().ShouldBe(waiters.Number("pid"));
        task.GetProperty("state").GetString().ShouldBe("S");
        task.GetProperty("syscall").GetString().ShouldBe("read");
        task.GetProperty("args").GetProperty("fd").GetInt64().ShouldBe(waiters.Number("pipe_fd"));
        task.GetProperty("args").GetProperty("count").GetInt64().ShouldBe(1);
        task.GetProperty("fds").GetProperty("fd").GetString()
            .ShouldBe(new FileInfo($"/proc/{waiters.Pid}/fd/{waiters["pipe_fd"]}").LinkTarget);
        task.GetProperty("kernel_stack").EnumerateArray().Select(static name => name.GetString()!)
            .ShouldContain(static name => name.Contains("pipe_read", StringComparison.Ordinal));
    }

    [Fact]
    public void Stuck_ThousandsOfThreads_ShowsEachOnce()
    {
        const int threads = 2_000;
        using var waiters = Start(threads);

        var tids = LookJson("-p", waiters.Pid).Select(static task => task.GetProperty("tid").GetInt64()).ToList();

        tids.Count.ShouldBe(tids.Distinct().Count());
        tids.Order()
            .ShouldBe(
            Directory.GetDirectories($"/proc/{waiters.Pid}/task")
            .Select(static path => long.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)).Order());
    }

    [Theory]
    [InlineData("--slower", "0")]
    [InlineData("--pid", "x")]
    [InlineData("--output", "yaml")]
    [InlineData("--args")]
    public void Stuck_BadFlag_IsOneLine(params string[] flags)
    {
        var run = VeilRun.ToEnd(["stuck", .. flags]);

        run.ExitCode.ShouldBe(2);
        run.Errors.Trim().ShouldStartWith("veil: ");
        run.Errors.Trim().Split('\n').Length.ShouldBe(1);
    }

    private Workload Start(int threads) => StartWaiters(_folder, threads);

    internal static Workload StartWaiters(string folder, int threads = 0)
    {
        var waiters = Workload.Waiting("waiters", folder, threads.ToString(CultureInfo.InvariantCulture));
        // The workload says the ids before it waits: until /proc shows that all do.
        SpinWait.SpinUntil(
            () => s_waiters.All(name => File.ReadAllText($"/proc/{waiters.Pid}/task/{waiters[name]}/stat").Split(' ')[2] is "S" or "D"),
            TimeSpan.FromSeconds(60)).ShouldBeTrue();
        return waiters;
    }

    private static string[] Look(params string[] arguments)
    {
        var run = VeilRun.ToEnd(["stuck", .. arguments]);
        run.ExitCode.ShouldBe(0, run.Errors);
        return run.Lines;
    }

    private static JsonElement[] LookJson(params string[] arguments) =>
        [.. Look([.. arguments, "--output", "json"]).Select(static line => JsonDocument.Parse(line).RootElement)];

    private static string CallOf(string[] lines, string tid)
    {
        string line = lines.Single(line => line.Contains($" TID={tid} ", StringComparison.Ordinal));
        return Address().Replace(line[(line.IndexOf(' ', line.IndexOf("off_cpu=", StringComparison.Ordinal)) + 1)..], "ADDRESS");
    }

    [GeneratedRegex("0x[0-9a-f]+", RegexOptions.None, 1000)]
    private static partial Regex Address();
}
