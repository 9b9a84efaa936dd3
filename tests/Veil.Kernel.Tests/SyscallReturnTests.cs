// SPDX-License-Identifier: GPL-3.0-only
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
        var matching =
            events.Where(
            e => Is(e, call) && e.GetProperty("ret").ValueKind == JsonValueKind.Number && e.GetProperty("ret").GetInt64() == ret).ToArray();
        matching.ShouldNotBeEmpty();
        matching[0].GetProperty("errno").GetString().ShouldBe(errno);
        matching[0].GetProperty("errno_nr").GetInt64().ShouldBe(ret < 0 ? -ret : 0);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Returns_Sleep_HasItsDuration(string hook)
    {
        var (workload, events) = Trace(hook, "nanosleep");

        long[] durations =
            [.. events.Where(static e => Is(e, "nanosleep", "clock_nanosleep"))
            .Select(static e => e.GetProperty("duration_ns").GetInt64())];
        durations.ShouldHaveSingleItem();
        durations[0].ShouldBeInRange(workload.Number("nanosleep.at_least_ns"), workload.Number("nanosleep.at_most_ns"));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Returns_ThreadThatExits_IsAnEventWithoutAResult(string hook)
    {
        var (workload, events) = Trace(hook, "thread-exit");

        var exit = events.Where(e => Is(e, "exit") && e.GetProperty("tid").GetInt64() == workload.Number("thread-exit.exiting_tid"))
            .ShouldHaveSingleItem();
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
        using var failed = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "-s", "!rt_sigreturn,!futex", "--failed", "--output", "json");
        using var named =
            VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "--errno", "ERESTARTSYS,ERESTARTNOHAND", "--output", "json");
        using var counted =
            VeilRun.Attach(
            "--module", "syscall", "-p", workload.Pid, "-s", "pause,openat,exit_group,getppid", "--returns", "--count-by", "errno");
        workload.Go();
        failed.Stop().ShouldBe(0);
        named.Stop().ShouldBe(0);
        counted.Stop().ShouldBe(0);

        failed.Events.Select(static e => $"{e.GetProperty("syscall")} {e.GetProperty("errno")}").ShouldBe(["openat ENOENT"]);
        named.Events.Select(static e => $"{e.GetProperty("syscall")} {e.GetProperty("errno")}").Distinct()
            .ShouldBe(["read ERESTARTSYS", "pause ERESTARTNOHAND"]);
        counted.Lines.Skip(2).Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(static row => $"{row[2]} {row[^1]}").Order(StringComparer.Ordinal)
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

    /// <summary>It ends during the trace; since when it ran nobody saw.</summary>
    [Theory]
    [MemberData(nameof(Hooks))]
    public void Returns_CallUnderWayAtTheStart_HasNoDuration(string hook)
    {
        using var burst = Workload.Waiting("burst", "1");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "--returns", "--hook", hook, "--output", "json");
        using var slow = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "-s", "read", "--slower", "1ns", "--output", "json");
        burst.Go();
        veil.Stop().ShouldBe(0);
        slow.Stop().ShouldBe(0);

        var read = veil.Events.Where(static e => Is(e, "read")).ShouldHaveSingleItem();
        read.GetProperty("ret").GetInt64().ShouldBe("go\n".Length);
        read.GetProperty("duration_ns").ValueKind.ShouldBe(JsonValueKind.Null);
        veil.Events.Where(static e => Is(e, "getppid")).ShouldHaveSingleItem().GetProperty("duration_ns").GetInt64().ShouldBeGreaterThan(0);
        slow.Events.ShouldBeEmpty();
    }

    /// <summary>Seccomp decides before sys_enter: such a call only has an end.</summary>
    [Theory]
    [MemberData(nameof(Hooks))]
    public void Returns_CallsThatSeccompRefuses_AreThere(string hook)
    {
        using var workload = Workload.Waiting("returns", "refused");
        const string calls = "unshare,sethostname,setdomainname";
        using var all =
            VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "-s", calls, "--returns", "--hook", hook, "--output", "json");
        using var refused =
            VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "-s", calls, "--errno", "EPERM", "--hook", hook, "--output", "json");
        using var counted =
            VeilRun.Attach("--module", "syscall", "-n", "returns", "-p", workload.Pid, "-s", calls, "--failed", "--hook", hook, "--count");
        using var others =
            VeilRun.Attach(
            "--module", "syscall", "-p", workload.Pid, "-s", "!unshare,!sethostname,!setdomainname", "--failed", "--hook", hook,
            "--output", "json");
        workload.Go();
        foreach (var veil in new[] { all, refused, counted, others })
            veil.Stop().ShouldBe(0);

        all.Events.Select(static e => (e.GetProperty("syscall").GetString(), e.GetProperty("ret").GetInt64())).ShouldBe(
        [
            ("unshare", workload.Number("refused.unshare")), ("sethostname", workload.Number("refused.sethostname")),
            ("setdomainname", workload.Number("refused.setdomainname")),
        ]);
        all.Events.ShouldAllBe(static e => e.GetProperty("duration_ns").ValueKind == JsonValueKind.Null);
        refused.Events.ShouldHaveSingleItem().GetProperty("syscall").GetString().ShouldBe("unshare");
        counted.Lines[0].ShouldBe("syscall by syscall, sum of duration_ns: 2 events, 2 keys");
        others.Events.ShouldNotContain(static e => Is(e, "unshare", "sethostname", "setdomainname"));
    }

    /// <summary>fork returns in the child too, which never called it.</summary>
    [Theory]
    [MemberData(nameof(Hooks))]
    public void Returns_CallThatMakesATask_IsOneEvent(string hook)
    {
        using var workload = Workload.Waiting("returns", "fork");
        using var veil =
            VeilRun.Attach(
            "--module", "syscall", "-n", "returns", "-s", "fork,vfork,clone,clone3,getppid", "--returns", "--hook", hook, "--output",
            "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var fork = veil.Events.Where(static e => !Is(e, "getppid")).ShouldHaveSingleItem();
        fork.GetProperty("pid").GetInt64().ShouldBe(long.Parse(workload.Pid));
        fork.GetProperty("ret").GetInt64().ShouldBe(workload.Number("fork.child_pid"));
        veil.Events.Where(static e => Is(e, "getppid")).ShouldHaveSingleItem().GetProperty("pid").GetInt64()
            .ShouldBe(workload.Number("fork.child_pid"));
    }

    /// <summary>A call that begins under one filter and ends under another is one event: with its duration if it was wanted when it
    /// began.</summary>
    [Theory]
    [InlineData("--pid", "1", "add pid", JsonValueKind.Null)]
    [InlineData("--name", "burst", "add pid_deny", JsonValueKind.Number)]
    public void Returns_FilterThatChangesInTheMiddleOfACall_MakesNoSecondEvent(
        string flag, string value, string change, JsonValueKind duration)
    {
        string folder = Directory.CreateTempSubdirectory("veil-returns-").FullName;
        try
        {
            string socket = Path.Combine(folder, "control");
            using var veil =
                VeilRun.Attach("--module", "syscall", flag, value, "-s", "read", "--returns", "--control", socket, "--output", "json");
            using var burst = Workload.Waiting("burst", "1");
            // It says its id just before it reads.
            SpinWait.SpinUntil(
                () => File.ReadAllText($"/proc/{burst.Pid}/syscall").StartsWith("0 ", StringComparison.Ordinal), TimeSpan.FromSeconds(60))
                .ShouldBeTrue();
            VeilRun.ToEnd(["control", socket, .. change.Split(' '), burst.Pid]).ExitCode.ShouldBe(0);
            burst.Go();
            veil.Stop().ShouldBe(0);

            var read = veil.Events.Where(e => e.GetProperty("pid").GetInt64() == long.Parse(burst.Pid)).ShouldHaveSingleItem();
            read.GetProperty("ret").GetInt64().ShouldBe("go\n".Length);
            read.GetProperty("duration_ns").ValueKind.ShouldBe(duration);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
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
