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
        lines.SkipWhile(line => !line.Contains($" TID={waiters["vfork"]} ", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(static line => line.StartsWith(' ')).ShouldNotContain(static line => line.Contains("frozen", StringComparison.Ordinal));
        lines.ShouldNotContain(line => line.Contains($" TID={waiters["pipe"]} ", StringComparison.Ordinal));
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

    /// <summary>Whoever would wake them is another process, and is named.</summary>
    [Fact]
    public void Stuck_WaitsForAnotherProcess_NamesIt()
    {
        using var ends = Workload.Waiting("ends", _folder);
        string[] names = ["pipe", "socket", "tcp", "lock", "child"];
        SpinWait.SpinUntil(
            () => names.All(name => File.ReadAllText($"/proc/{ends.Pid}/task/{ends[name]}/stat").Split(' ')[2] == "S"),
            TimeSpan.FromSeconds(60)).ShouldBeTrue();

        var byTid = LookJson("-p", ends.Pid).ToDictionary(static task => task.GetProperty("tid").GetInt64());
        var other = $"{ends["other"]} (other)";

        foreach (string name in new[] { "pipe", "socket", "tcp" })
        {
            Look("--tid", ends[name]).ShouldContain($"    other end: {other}", name);
            Processes(byTid[ends.Number(name)].GetProperty("other_ends")).ShouldBe([other], name);
        }

        Look("--tid", ends["lock"]).ShouldContain($"    lock held by {other}");
        Processes(byTid[ends.Number("lock")].GetProperty("file_lock_holders")).ShouldBe([other]);
        Look("--tid", ends["child"]).ShouldContain($"    waits for child {other}");
        Processes(byTid[ends.Number("child")].GetProperty("waits_for_children")).ShouldBe([other]);
    }

    /// <summary>Its parent cannot wait for it, and its memory is no longer the leader's.</summary>
    [Fact]
    public void Stuck_MainThreadHasEnded_SaysThatOthersRunAndReadsTheirArguments()
    {
        using var ends = Workload.Waiting("ends", "leaderless");
        SpinWait.SpinUntil(
            () => File.ReadAllText($"/proc/{ends.Pid}/stat").Split(' ')[2] == "Z"
            && File.ReadAllText($"/proc/{ends.Pid}/task/{ends["sleeper"]}/stat").Split(' ')[2] == "S",
            TimeSpan.FromSeconds(60)).ShouldBeTrue();

        var lines = Look("-p", ends.Pid);
        ends.End();

        CallOf(lines, ends.Pid).ShouldBe("its main thread has ended, 1 other thread runs");
        CallOf(lines, ends["sleeper"]).ShouldContain("{tv_sec=4000, tv_nsec=400000000}");
    }

    /// <summary>Of a cgroup of version 1 or 2: ps(1) says D for the one and S for the other.</summary>
    [FolderFact("/sys/fs/cgroup/freezer", "/sys/fs/cgroup/cgroup.controllers")]
    public void Stuck_FrozenTask_IsShownAndSaidToBeFrozen()
    {
        bool isUnified = File.Exists("/sys/fs/cgroup/cgroup.controllers");
        string folder = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/freezer";
        string cgroup = Directory.CreateDirectory($"{folder}/veil-stuck-{Environment.ProcessId}").FullName;
        using var sleeper = Process.Start("sleep", "600");
        try
        {
            File.WriteAllText(cgroup + "/cgroup.procs", sleeper.Id.ToString(CultureInfo.InvariantCulture));
            File.WriteAllText(cgroup + (isUnified ? "/cgroup.freeze" : "/freezer.state"), isUnified ? "1" : "FROZEN");
            string state = "";
            SpinWait.SpinUntil(
                () => (state = File.ReadAllText(cgroup + (isUnified ? "/cgroup.events" : "/freezer.state")))
                    .Contains(isUnified ? "frozen 1" : "FROZEN", StringComparison.Ordinal),
                TimeSpan.FromSeconds(60)).ShouldBeTrue();

            var lines = Look();

            string task = lines.Single(line => line.Contains($" PID={sleeper.Id} ", StringComparison.Ordinal));
            task.ShouldContain($" state={File.ReadAllText($"/proc/{sleeper.Id}/stat").Split(' ')[2]} ");
            lines.SkipWhile(line => line != task).Skip(1).First()
                .ShouldBe("    frozen: it goes on when its cgroup is thawed, or the machine wakes up");
        }
        finally
        {
            File.WriteAllText(cgroup + (isUnified ? "/cgroup.freeze" : "/freezer.state"), isUnified ? "0" : "THAWED");
            sleeper.Kill();
            sleeper.WaitForExit();
            Directory.Delete(cgroup);
        }
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

    private static string[] Processes(JsonElement list) =>
        [.. list.EnumerateArray().Select(static one => $"{one.GetProperty("pid").GetInt64()} ({one.GetProperty("comm").GetString()})")];

    private static string CallOf(string[] lines, string tid)
    {
        string line = lines.Single(line => line.Contains($" TID={tid} ", StringComparison.Ordinal));
        return Address().Replace(line[(line.IndexOf(' ', line.IndexOf("off_cpu=", StringComparison.Ordinal)) + 1)..], "ADDRESS");
    }

    [GeneratedRegex("0x[0-9a-f]+", RegexOptions.None, 1000)]
    private static partial Regex Address();
}
