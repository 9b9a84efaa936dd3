// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>
/// <c>veil why</c> of programs that say where their time went. They are measured from before they begin until they have ended, so that both
/// speak of the same time, however busy the machine is.
/// </summary>
public sealed class WhyCommandTests : IDisposable
{
    private const long Ms = 1_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-why-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Why_SleepsComputesAndReads_AgreesWithItsOwnClocks()
    {
        var (said, why) = Measure("mix", "3");

        string pipe = $"fd {said["fd"]}, pipe:";
        var read = Shares(why).Single(
            share => Is(share, "wait_call", "read") && Text(share, "object").StartsWith(pipe, StringComparison.Ordinal));
        long sleep = Sum(why, static share => Is(share, "wait_call", "clock_nanosleep") || Is(share, "wait_call", "nanosleep"));
        long cpu = Sum(why, static share => Text(share, "kind").StartsWith("on_cpu_", StringComparison.Ordinal));
        long runnable = Sum(why, static share => Text(share, "kind") == "wait_cpu");
        // Its clocks tick on while it waits for a CPU.
        sleep.ShouldBeInRange(said.Number("slept") - runnable - (20 * Ms), said.Number("slept"));
        Ns(read).ShouldBeInRange(said.Number("waited") - runnable - (20 * Ms), said.Number("waited"));
        cpu.ShouldBeInRange(said.Number("cpu"), (long)(said.Number("cpu") * 1.05) + (30 * Ms));
        (sleep + Ns(read) + cpu + runnable).ShouldBeInRange(said.Number("all") - (5 * Ms), said.Number("all") + (300 * Ms));
        read.GetProperty("peer_pid").GetInt64().ShouldBe(said.Number("peer"));
        Text(read, "peer_comm").ShouldBe("why-writer");
    }

    [Fact]
    public void Why_OfWhatItWaitsFor_SaysTheSameOneStepFurther()
    {
        var (said, why) = Measure("mix", "3");

        var peer = why.GetProperty("peers").EnumerateArray().Single(peer => peer.GetProperty("pid").GetInt64() == said.Number("peer"));
        Text(peer, "comm").ShouldBe("why-writer");
        ShouldBeWhole(peer);
        var own = Shares(peer).Single(static share => Text(share, "kind") == "on_cpu_user");
        Text(own.GetProperty("functions")[0], "symbol").ShouldBe("why_compute");
        Shares(peer).ShouldContain(static share => Is(share, "wait_call", "read"));
    }

    [Theory]
    [InlineData("fifo", "read")]
    [InlineData("socket", "read")]
    [InlineData("tcp", "read")]
    [InlineData("poll", "poll")]
    [InlineData("epoll", "epoll_wait")]
    public void Why_WaitForAnotherProcess_NamesItWhateverIsBetween(string how, string call)
    {
        var (said, why) = Measure(how, "2", _folder);

        var wait = Shares(why).Single(
            share => Is(share, "wait_call", call) && share.TryGetProperty("peer_pid", out var peer) && peer.GetInt64() == said.Number("peer"));
        long runnable = Sum(why, static share => Text(share, "kind") == "wait_cpu");
        Ns(wait).ShouldBeInRange(said.Number("waited") - runnable - (20 * Ms), said.Number("waited"));
        Text(wait, "object").ShouldStartWith($"fd {said["fd"]}, ");
    }

    [Fact]
    public void Why_WaitForALock_NamesItsHolder()
    {
        var (said, why) = Measure("lock", "3");

        long runnable = Sum(why, static share => Text(share, "kind") == "wait_cpu");
        long held = Sum(why, share => share.TryGetProperty("holder_tid", out var holder) && holder.GetInt64() == said.Number("holder"));
        held.ShouldBeInRange((long)(said.Number("waited") * 0.75) - runnable, (long)(said.Number("waited") * 1.05));
        Text(Shares(why).First(static share => share.TryGetProperty("holder", out _)), "holder").ShouldBe("why-holder");
    }

    [Fact]
    public void Why_BesideARival_AgreesWithTheKernelAndSaysWhoHadTheCpu()
    {
        var (said, why) = Measure("rival", "3");

        var runnable = Shares(why).Single(static share => Text(share, "kind") == "wait_cpu");
        long cpu = Sum(why, static share => Text(share, "kind").StartsWith("on_cpu_", StringComparison.Ordinal));
        long had = runnable.GetProperty("cpu_had").EnumerateArray()
            .Where(one => one.GetProperty("pid") is { ValueKind: JsonValueKind.Number } pid && pid.GetInt64() == said.Number("peer")).Sum(Ns);
        cpu.ShouldBeInRange(said.Number("run") - (20 * Ms), said.Number("run") + (50 * Ms));
        Ns(runnable).ShouldBeInRange((long)(said.Number("waited") * 0.97) - (20 * Ms), (long)(said.Number("waited") * 1.03) + (50 * Ms));
        // One of two that compute on one CPU waits whenever the other one has it.
        had.ShouldBeInRange((long)(said.Number("other") * 0.85), said.Number("other") + (20 * Ms));
    }

    [Fact]
    public void Why_ThreadsThatWaitForWork_AreLeftOutAndSaid()
    {
        using var workload = Workload.Waiting("whys", "idle", "8").Begin();
        WaitForThreads(workload.Pid, 4);

        var text = VeilRun.ToEnd("why", workload.Pid, "--duration", "1s");
        var why = JsonOf(VeilRun.ToEnd("why", workload.Pid, "--duration", "1s", "-o", "json"));

        text.Lines[0].ShouldStartWith($"whys (PID {workload.Pid}): where the time went in 1.");
        text.Lines[0].ShouldEndWith(" s, of one thread");
        text.Lines.ShouldContain("Left out: 3 threads that only waited for work (3 why-pool)");
        text.Lines.ShouldContain(static line => line.EndsWith("%  on CPU, in its own code", StringComparison.Ordinal));
        text.Lines.ShouldContain(static line => line.EndsWith("%  why_compute (whys)", StringComparison.Ordinal));
        text.Lines.Length.ShouldBeLessThanOrEqualTo(24);
        text.Lines.ShouldAllBe(static line => line.Length <= 80);
        ShouldBeWhole(why);
        why.GetProperty("threads").EnumerateArray().Count(static thread => !thread.GetProperty("counted").GetBoolean()).ShouldBe(3);
        why.GetProperty("thread_time_ns").GetInt64().ShouldBeInRange(900 * Ms, 1_900 * Ms);
    }

    [Fact]
    public void Why_MemoryThatTheKernelGives_IsTimeInPageFaults()
    {
        var (said, why) = Measure("faults", "2");

        long cpu = Sum(why, static share => Text(share, "kind").StartsWith("on_cpu_", StringComparison.Ordinal));
        long faults = Sum(why, static share => Text(share, "kind") == "on_cpu_page_fault");
        faults.ShouldBeGreaterThan(cpu / 3);
        // What came after the last look, a tenth of a second before the end, is not known.
        why.GetProperty("minor_faults").GetInt64().ShouldBeInRange(said.Number("minor") / 3, said.Number("minor"));
    }

    [Fact]
    public void Why_WaitForAChild_NamesIt()
    {
        var (said, why) = Measure("child", "2");

        var wait = Shares(why).Single(static share => Is(share, "wait_call", "wait4"));
        wait.GetProperty("peer_pid").GetInt64().ShouldBe(said.Number("peer"));
        Text(wait, "text").ShouldBe($"waiting for its child why-child (PID {said["peer"]}): wait4");
        Ns(wait).ShouldBeInRange(1_800 * Ms, 4_000 * Ms);
    }

    [Fact]
    public void Why_Interrupted_AnswersWithWhatItHas()
    {
        using var workload = Workload.Waiting("whys", "idle", "30").Begin();
        using var veil = VeilRun.Attach("why", workload.Pid, "--duration", "1h");
        Thread.Sleep(TimeSpan.FromSeconds(1));
        veil.Signal("INT");

        veil.WaitForExit().ShouldBe(0, veil.Errors);
        veil.Lines.ShouldContain(static line => line.Contains("%  on CPU, in its own code", StringComparison.Ordinal));
    }

    [Fact]
    public void Why_OfWhatIsNoProcess_IsOneLine()
    {
        using var workload = Workload.Waiting("whys", "idle", "30").Begin();
        WaitForThreads(workload.Pid, 4);
        string thread = Directory.GetDirectories($"/proc/{workload.Pid}/task").Select(Path.GetFileName).First(name => name != workload.Pid)!;

        ShouldRefuse(1, "there is no process 4194303", "4194303");
        ShouldRefuse(1, $"{thread} is a thread of another process", thread);
        ShouldRefuse(1, "2 is a thread of the kernel", "2");
        ShouldRefuse(2, "'nginx' is not a process id", "nginx");
        ShouldRefuse(2, "--duration", workload.Pid, "--duration", "0");
        ShouldRefuse(2, "--output", workload.Pid, "--output", "folded");
    }

    private static void ShouldRefuse(int code, string reason, params string[] arguments)
    {
        var run = VeilRun.ToEnd(["why", .. arguments]);
        run.ExitCode.ShouldBe(code, run.Errors);
        run.Lines.ShouldBeEmpty();
        run.Errors.Trim().Split('\n').Length.ShouldBe(1, run.Errors);
        run.Errors.ShouldContain(reason);
    }

    // From before it begins until it has ended.
    private static (Workload Said, JsonElement Why) Measure(params string[] arguments)
    {
        using var workload = Workload.Waiting("whys", arguments);
        using var veil = VeilRun.Attach("why", workload.Pid, "--duration", "1m", "-o", "json");
        workload.Go();
        veil.WaitForExit().ShouldBe(0, veil.Errors);

        var why = JsonOf(veil);
        why.GetProperty("ended").GetBoolean().ShouldBeTrue();
        Text(why, "comm").ShouldBe("whys");
        why.GetProperty("lost_ns").GetInt64().ShouldBe(0);
        ShouldBeWhole(why);
        return (workload, why);
    }

    private static JsonElement JsonOf(VeilRun veil) => JsonDocument.Parse(veil.Lines.ShouldHaveSingleItem()).RootElement;

    private static void ShouldBeWhole(JsonElement answer)
    {
        Shares(answer).Sum(static share => share.GetProperty("percent").GetDecimal()).ShouldBe(100.0m);
        Shares(answer).Sum(Ns).ShouldBe(answer.GetProperty("thread_time_ns").GetInt64());
        Shares(answer).Select(Ns).ShouldBe(Shares(answer).Select(Ns).OrderDescending());
    }

    private static JsonElement.ArrayEnumerator Shares(JsonElement answer) => answer.GetProperty("shares").EnumerateArray();

    private static long Sum(JsonElement answer, Func<JsonElement, bool> which) => Shares(answer).Where(which).Sum(Ns);

    private static bool Is(JsonElement share, string kind, string call) =>
        Text(share, "kind") == kind && share.TryGetProperty("syscall", out var said) && said.GetString() == call;

    private static long Ns(JsonElement share) => share.GetProperty("ns").GetInt64();

    private static string Text(JsonElement element, string key) =>
        element.TryGetProperty(key, out var value) ? value.GetString() ?? "" : "";

    private static void WaitForThreads(string pid, int count) => SpinWait.SpinUntil(
        () => Directory.GetDirectories($"/proc/{pid}/task").Length == count
            && Directory.GetDirectories($"/proc/{pid}/task").Count(static task => File.ReadAllText(task + "/stat").Split(' ')[2] == "S") == count - 1,
        TimeSpan.FromSeconds(60)).ShouldBeTrue();
}
