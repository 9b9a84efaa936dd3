using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>--returns: one event a finished call, whatever way it ends.</summary>
public sealed class SyscallReturnTests
{
    public static TheoryData<string> Hooks => [.. Rungs.Possible("syscall")];

    [Theory]
    [InlineData("getppid", "getppid", null)]
    [InlineData("close", "close", "EBADF")]
    [InlineData("openat", "openat", "ENOENT")]
    [InlineData("execve-fails", "execve", "ENOENT")]
    public void Returns_SimpleCall_HasItsResultAndError(string name, string call, string? errno)
    {
        var (workload, events) = Trace("tp_btf", name);

        long ret = workload.Number(name + ".ret");
        var matching = events.Where(e => Is(e, call) && e.GetProperty("ret").ValueKind == JsonValueKind.Number && e.GetProperty("ret").GetInt64() == ret).ToArray();
        matching.ShouldNotBeEmpty();
        matching[0].GetProperty("errno").GetString().ShouldBe(errno);
        matching[0].GetProperty("errno_nr").GetInt64().ShouldBe(ret < 0 ? -ret : 0);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Returns_Sleep_HasItsDuration(string hook)
    {
        var (workload, events) = Trace(hook, "nanosleep");

        long[] durations = [.. events.Where(static e => Is(e, "nanosleep", "clock_nanosleep")).Select(static e => e.GetProperty("duration_ns").GetInt64())];
        durations.ShouldHaveSingleItem();
        durations[0].ShouldBeInRange(workload.Number("nanosleep.at_least_ns"), workload.Number("nanosleep.at_most_ns"));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Returns_ThreadThatExits_IsAnEventWithoutAResult(string hook)
    {
        var (workload, events) = Trace(hook, "thread-exit");

        var exit = events.Where(e => Is(e, "exit") && e.GetProperty("tid").GetInt64() == workload.Number("thread-exit.exiting_tid")).ShouldHaveSingleItem();
        exit.GetProperty("ret").ValueKind.ShouldBe(JsonValueKind.Null);
        exit.GetProperty("errno").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Returns_ExecveByAnotherThreadThanTheLeader_IsOneEventUnderTheLeadersId(string hook)
    {
        var (workload, events) = Trace(hook, "thread-exec");

        var exec = events.Where(static e => Is(e, "execve")).ShouldHaveSingleItem();
        exec.GetProperty("ret").GetInt64().ShouldBe(0);
        exec.GetProperty("tid").GetInt64().ShouldBe(workload.Number("thread-exec.returned_tid"));
        workload.Number("thread-exec.entered_tid").ShouldNotBe(workload.Number("thread-exec.returned_tid"));
    }

    [Fact]
    public void Returns_ExitGroup_IsOneEventWithoutAResult()
    {
        var (_, events) = Trace("tp_btf", "exit-group");

        events.Where(static e => Is(e, "exit_group")).ShouldHaveSingleItem().GetProperty("ret").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData("interrupted-nanosleep", "ERESTART_RESTARTBLOCK", "nanosleep", "clock_nanosleep")]
    [InlineData("interrupted-pause", "ERESTARTNOHAND", "pause")]
    [InlineData("restarted-read", "ERESTARTSYS", "read")]
    public void Returns_InterruptedCall_HasNoResultButSaysWhy(string name, string why, params string[] calls)
    {
        var (_, events) = Trace("tp_btf", name);

        var interrupted = events.Where(e => Is(e, calls) && e.GetProperty("errno").GetString() == why).ShouldHaveSingleItem();
        interrupted.GetProperty("ret").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    /// <summary>Nobody refused an interrupted call; and a call that never returns has no error, not the error 0.</summary>
    [Fact]
    public void Failed_CallsThatAreMadeAgain_AreNone()
    {
        using var workload = Workload.Waiting("returns", "restarted-read", "interrupted-pause", "openat", "exit-group");
        using var failed = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "-s", "!rt_sigreturn", "--failed", "--output", "json");
        using var named = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "--errno", "ERESTARTSYS,ERESTARTNOHAND", "--output", "json");
        using var counted = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "-s", "pause,openat,exit_group,getppid", "--returns", "--count-by", "errno");
        workload.Go();
        failed.Stop().ShouldBe(0);
        named.Stop().ShouldBe(0);
        counted.Stop().ShouldBe(0);

        failed.Events.Select(static e => $"{e.GetProperty("syscall")} {e.GetProperty("errno")}").ShouldBe(["openat ENOENT"]);
        named.Events.Select(static e => $"{e.GetProperty("syscall")} {e.GetProperty("errno")}").Distinct().ShouldBe(["read ERESTARTSYS", "pause ERESTARTNOHAND"]);
        counted.Lines.Skip(1).Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(static row => $"{row[0]} {row[2]}").Order(StringComparer.Ordinal)
            .ShouldBe(["1 0", "1 ?", "1 ENOENT(2)", "1 ERESTARTNOHAND(514)"]);
    }

    [Fact]
    public void Returns_KilledInsideARead_IsOneEventWithoutAResult()
    {
        using var workload = Workload.Waiting("returns", "killed");
        // The child that will be killed was made before the wait, and said its id next.
        string child = workload.ReadAhead("child_pid");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", child, "-s", "read", "--returns", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var last = veil.Events[^1];
        last.GetProperty("ret").ValueKind.ShouldBe(JsonValueKind.Null);
        last.GetProperty("errno").GetString().ShouldBe("ERESTARTSYS");
        veil.Events.Count(static e => e.GetProperty("errno").GetString() == "ERESTARTSYS").ShouldBe(1);
    }

    [Fact]
    public void Returns_CallUnderWayAtTheStart_IsNotReported()
    {
        using var burst = Workload.Waiting("burst", "1");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "--returns", "--output", "json");
        burst.Go();
        veil.Stop().ShouldBe(0);

        // The read that it waits in while veil attaches began unseen; what comes after is there.
        veil.Events.ShouldNotContain(static e => Is(e, "read"));
        veil.Events.Count(static e => Is(e, "getppid")).ShouldBe(1);
    }

    [Fact]
    public void Returns_Text_ShowsErrorAndDuration()
    {
        using var workload = Workload.Waiting("returns", "openat");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "-s", "openat", "--returns");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldHaveSingleItem().ShouldMatch(
            @"^returns +PID=\d+ +TID=\d+ +UID=0 +GID=0 +syscall=openat\(257\) +ret=-2 +errno=ENOENT\(2\) +duration=\d+(\.\d{3})?[num]?s$");
    }

    private static bool Is(JsonElement e, params string[] calls) => calls.Contains(e.GetProperty("syscall").GetString());

    private static (Workload Workload, JsonElement[] Events) Trace(string hook, string name)
    {
        using var workload = Workload.Waiting("returns", name);
        using var veil = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "--returns", "--hook", hook, "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);
        return (workload, veil.Events);
    }
}
