// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>--tid: one thread of a process, in every module.</summary>
public sealed class TidTests
{
    private const int Threads = 3;
    private const int CallsEach = 50;

    [Theory]
    [InlineData("", 0, 0)]
    [InlineData("first", CallsEach, 1)]
    [InlineData("first,leader", CallsEach, 1)]
    [InlineData("leader", 0, 0)]
    [InlineData("!first", (Threads - 1) * CallsEach, Threads - 1)]
    [InlineData("first,!first", 0, 0)]
    public void Tid_OfAThread_PassesItAlone(string tids, int calls, int threads)
    {
        using var workload = Workload.Waiting("threads", Threads.ToString(), CallsEach.ToString());
        string first = workload.ReadAhead("first_tid");
        string given = tids.Length == 0 ? "1" : tids.Replace("first", first, StringComparison.Ordinal)
            .Replace("leader", workload.Pid, StringComparison.Ordinal);
        using var veil = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "-s", "getppid", "--tid", given, "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(calls);
        veil.Events.Select(static e => e.GetProperty("tid").GetInt64()).Distinct().Count().ShouldBe(threads);
        if (threads == 1)
            veil.Events.ShouldAllBe(e => e.GetProperty("tid").GetInt64() == long.Parse(first));
    }

    /// <summary>The thread that the event is of, also where it was remembered (network) or is one of two (scheduler).</summary>
    [Theory]
    [InlineData("syscall", "burst", "5")]
    [InlineData("files", "burst", "5")]
    [InlineData("network", "net", "client-closes", "ipv4")]
    [InlineData("scheduler", "switches", "sleep", "5")]
    [InlineData("memory", "faults", "write", "20")]
    [InlineData("signal", "signals", "sent")]
    [InlineData("uprobe", "uprobe", "calls")]
    public void Tid_InEveryModule_IsAllowedAndDenied(string module, string name, params string[] arguments)
    {
        string[] own = module == "uprobe" ? ["--uprobe", Repository.Workload("uprobe") + ":traced_call"] : [];
        using var workload = Workload.Waiting(name, arguments);
        using var allowed = VeilRun.Attach(["--module", module, .. own, "-n", name, "--tid", workload.Pid, "--output", "json"]);
        using var denied =
            VeilRun.Attach(["--module", module, .. own, "-n", name, "--tid", "!" + workload.Pid, "--yes", "--output", "json"]);
        workload.Go();
        allowed.Stop().ShouldBe(0);
        denied.Stop().ShouldBe(0);

        allowed.Events.ShouldNotBeEmpty();
        allowed.Events.Where(e => !IsOf(e)).ShouldBeEmpty();
        denied.Events.Where(IsOf).ShouldBeEmpty();

        bool IsOf(JsonElement e) => Is(e, "tid") || Is(e, "next_tid") || Is(e, "target_tid");
        bool Is(JsonElement e, string side) => e.TryGetProperty(side, out var tid) && tid.GetInt64() == long.Parse(workload.Pid);
    }

    [Fact]
    public void Tid_AddedWhileTheTraceRuns_CountsAtOnce()
    {
        string folder = Directory.CreateTempSubdirectory("veil-tid-").FullName;
        try
        {
            string socket = Path.Combine(folder, "control");
            using var workload = Workload.Waiting("threads", Threads.ToString(), CallsEach.ToString());
            string first = workload.ReadAhead("first_tid");
            using var veil = VeilRun.Attach("--module", "syscall", "-s", "getppid", "--tid", "1", "--control", socket, "--output", "json");
            VeilRun.ToEnd("control", socket, "add", "tid", first).ExitCode.ShouldBe(0);
            workload.Go();
            veil.Stop().ShouldBe(0);

            veil.Events.Length.ShouldBe(CallsEach);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>It has a folder in /proc as a process has, and its id is in no event's pid.</summary>
    [Fact]
    public void Pid_OfAThreadThatIsNoLeader_IsAWarningThatNamesTid()
    {
        using var workload = Workload.Waiting("threads", Threads.ToString(), CallsEach.ToString());
        string first = workload.ReadAhead("first_tid");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", first, "-p", workload.Pid);
        veil.Stop().ShouldBe(0);

        veil.Errors.ShouldContain($"veil: warning: no process but a thread has the id {first}: --tid filters by thread\n");
        veil.Errors.Split("warning:").Length.ShouldBe(2);
    }

    [Fact]
    public void Tid_OfNoThread_IsAWarning()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--tid", "4194303,4194304", "--tid", Environment.ProcessId.ToString());
        veil.Stop().ShouldBe(0);

        veil.Errors.ShouldContain("veil: warning: no thread has the id 4194303, 4194304 now\n");
    }
}
