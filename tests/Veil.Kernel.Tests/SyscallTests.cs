// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>The syscall module on this kernel: counts and values against workloads that know what they did.</summary>
public sealed class SyscallTests
{
    public static TheoryData<string> Hooks => [.. Rungs.Possible("syscall")];

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Syscall_KnownMix_EveryCallOnceByEachHook(string hook)
    {
        using var mix = Workload.Waiting("mix", "200");
        using var veil = VeilRun.Attach("--module", "syscall", "--hook", hook, "-p", mix.Pid, "--output", "json");
        mix.Go();
        veil.Stop().ShouldBe(0);

        var counts = veil.Events.CountBy(static e => e.GetProperty("syscall").GetString()!).ToDictionary();
        foreach (string call in new[] { "getppid", "getuid", "close" })
            counts.GetValueOrDefault(call).ShouldBe((int)mix.Number(call), call);
        veil.Errors.ShouldContain($"tracing syscall by {hook};");
    }

    [Fact]
    public void Syscall_OneCall_CarriesEveryField()
    {
        using var burst = Workload.Waiting("burst", "1");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "-s", "getppid", "--output", "json");
        burst.Go();
        veil.Stop().ShouldBe(0);

        var call = veil.Events.ShouldHaveSingleItem();
        string.Join(' ', call.EnumerateObject().Select(static p => p.Name))
            .ShouldBe("module comm pid tid uid timestamp gid syscall syscall_nr arch");
        call.GetProperty("module").GetString().ShouldBe("syscall");
        call.GetProperty("comm").GetString().ShouldBe("burst");
        call.GetProperty("pid").GetInt64().ShouldBe(long.Parse(burst.Pid));
        call.GetProperty("tid").GetInt64().ShouldBe(long.Parse(burst.Pid));
        call.GetProperty("uid").GetInt64().ShouldBe(0);
        call.GetProperty("gid").GetInt64().ShouldBe(0);
        call.GetProperty("syscall").GetString().ShouldBe("getppid");
        call.GetProperty("syscall_nr").GetInt64().ShouldBe(110);
        call.GetProperty("arch").GetString().ShouldBe("x86_64");
        var age = TimeSpan.FromMilliseconds(Environment.TickCount64) - TimeSpan.FromSeconds(call.GetProperty("timestamp").GetInt64() / 1e9);
        Math.Abs(age.TotalSeconds).ShouldBeLessThan(60);
    }

    [Fact]
    public void Syscall_OneCallAsText_IsTheDocumentedLine()
    {
        using var burst = Workload.Waiting("burst", "1");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "-s", "getppid");
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldBe([$"burst            PID={burst.Pid,-7}  TID={burst.Pid,-7}  UID=0      GID=0      syscall=getppid(110)"]);
    }

    [Theory]
    [InlineData("--pid 1")]
    [InlineData("--uid 54321")]
    [InlineData("--name zzz")]
    [InlineData("--syscall mseal")]
    [InlineData("--pid {pid} --pid !{pid}")]
    [InlineData("--uid root --uid !0")]
    [InlineData("--name urs,!burst")]
    [InlineData("--uid 64")]
    [InlineData("--uid 64,128")]
    [InlineData("--uid !0,!64")]
    [InlineData("--pid {pid},1 --pid !{pid}")]
    [InlineData("--pid !{pid}")]
    [InlineData("--syscall getppid,!getppid")]
    public void Filter_DeniedOrNotAllowed_NothingPasses(string filters)
    {
        using var burst = Workload.Waiting("burst", "50");
        string[] given = filters.Replace("{pid}", burst.Pid, StringComparison.Ordinal).Split(' ');
        // The allowed PID keeps the rest of the machine out where the filter under test is another one.
        string[] scope = filters == "--pid !{pid}" ? ["-n", "burst"] : given[0] == "--pid" ? [] : ["-p", burst.Pid];
        using var veil = VeilRun.Attach(["--module", "syscall", .. scope, .. given]);
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--uid root")]
    [InlineData("--uid !1")]
    [InlineData("--name burst")]
    [InlineData("--name urs")]
    [InlineData("--name t")]
    [InlineData("--name nothing,bur")]
    [InlineData("--name !zzz")]
    [InlineData("--uid !64,!128")]
    [InlineData("--uid 0,64")]
    [InlineData("--syscall 110")]
    public void Filter_Allowed_EveryCallPasses(string filters)
    {
        using var burst = Workload.Waiting("burst", "50");
        using var veil = VeilRun.Attach(["--module", "syscall", "-p", burst.Pid, .. filters.Split(' '), "--fields", "syscall"]);
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.Count(static line => line == "syscall=getppid").ShouldBe(50);
    }

    [Fact]
    public void Filter_TwoPidsAfterOneFlag_BothPass()
    {
        using var one = Workload.Waiting("burst", "3");
        using var two = Workload.Waiting("burst", "4");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", one.Pid, two.Pid, "-s", "getppid", "--fields", "pid");
        one.Go();
        two.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.Count(line => line == $"pid={one.Pid}").ShouldBe(3);
        veil.Lines.Count(line => line == $"pid={two.Pid}").ShouldBe(4);
    }

    [Fact]
    public void Filter_NameOfShortLivedProcesses_EveryOneIsSeen()
    {
        const int children = 100_000;
        using var spawner = Workload.Waiting("spawner", children.ToString(), "veil-child");
        using var veil = VeilRun.Attach("--module", "syscall", "--name", "veil-chi", "-s", "getppid", "--fields", "comm,syscall");
        spawner.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.Count(static line => line == "comm=veil-child syscall=getppid").ShouldBe(children);
    }

    [Fact]
    public void Syscall_Int80_IsNamedFromThe32BitTable()
    {
        using var caller = Workload.Waiting("int80", "25");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", caller.Pid, "-s", "getppid,getpid", "--output", "json");
        caller.Go();
        veil.Stop().ShouldBe(0);

        var events = veil.Events;
        events.Count(
            static e => e.GetProperty("syscall").GetString() == "getppid" && e.GetProperty("arch").GetString() == "i386"
            && e.GetProperty("syscall_nr").GetInt32() == 64)
            .ShouldBe((int)caller.Number("getppid"));
        events.Count(
            static e => e.GetProperty("syscall").GetString() == "getpid" && e.GetProperty("arch").GetString() == "i386"
            && e.GetProperty("syscall_nr").GetInt32() == 20)
            .ShouldBe((int)caller.Number("getpid"));
        caller.Number("getppid").ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Syscall_Burst_NothingIsLost()
    {
        const int calls = 1_000_000;
        using var burst = Workload.Waiting("burst", calls.ToString());
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "-s", "getppid", "--fields", "syscall");
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.ShouldAccountFor(veil.Lines.Length, calls);
        veil.Errors.ShouldContain($"veil: {veil.Lines.Length} events delivered in ");
        veil.ShouldHaveLostNothing();
    }

    [Fact]
    public void Syscall_RingTooSmallForAStoppedReader_EveryCallIsDeliveredOrCountedAsLost()
    {
        const int calls = 300_000;
        using var burst = Workload.Waiting("burst", calls.ToString());
        using var veil =
            VeilRun.Attach(
            "--module", "syscall", "-p", burst.Pid, "-s", "getppid", "--output", "json", "--buffer", "64K", "--fail-on-loss");
        veil.Signal("STOP");
        burst.Go();
        veil.Signal("CONT");
        veil.Stop().ShouldBe(3);

        var events = veil.Events;
        int delivered = events.Count(static e => e.TryGetProperty("syscall", out _));
        long lost = events.Where(static e => e.TryGetProperty("evt_type", out var type) && type.GetString() == "lost")
            .Sum(static e => e.GetProperty("count").GetInt64());
        lost.ShouldBeGreaterThan(0);
        (delivered + lost).ShouldBe(calls);
        events.First(static e => e.TryGetProperty("evt_type", out _)).GetProperty("cause").GetString().ShouldBe("ring_full");
        veil.Errors.ShouldContain($"veil: lost {lost}: syscall: ring_full");
    }

    [Fact]
    public void Stop_InTheMiddleOfABurst_DeliversWhatWasProduced()
    {
        using var burst = Workload.Waiting("burst", "3000000");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "-s", "getppid", "--fields", "timestamp");
        burst.Begin();
        Thread.Sleep(300);
        veil.Stop().ShouldBe(0);
        burst.Finish();

        // Whole lines only, in order, and as many as the summary says.
        long before = 0;
        foreach (string line in veil.Lines)
        {
            long timestamp = long.Parse(line["timestamp=".Length..]);
            timestamp.ShouldBeGreaterThanOrEqualTo(before);
            before = timestamp;
        }

        veil.Errors.ShouldContain($"veil: {veil.Lines.Length} events delivered in ");
        veil.Lines.Length.ShouldBeGreaterThan(1000);
    }

    [Fact]
    public void Syscall_ItsOwnCalls_AreLeftOut()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--name", "veil", "--fields", "pid");
        Thread.Sleep(500);
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldNotContain($"pid={veil.Pid}");
    }

    [Fact]
    public void Syscall_IncludeSelf_SeesItsOwnCalls()
    {
        using var veil =
            VeilRun.Attach("--module", "syscall", "--name", "veil", "--fields", "pid", "--include-self", "-s", "epoll_wait,epoll_pwait");
        Thread.Sleep(500);
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldContain($"pid={veil.Pid}");
    }

    [Fact]
    public void Comm_HostileBytes_NeverReachTheTerminalRaw()
    {
        // ESC [ 3 1 m X newline 0xff "
        const string hostile = "1b5b33316d580aff22";
        using var renamer = Workload.Waiting("renamer", hostile);
        using var text = VeilRun.Attach("--module", "syscall", "-p", renamer.Pid, "-s", "getppid");
        using var json = VeilRun.Attach("--module", "syscall", "-p", renamer.Pid, "-s", "getppid", "--output", "json");
        renamer.Go();
        text.Stop().ShouldBe(0);
        json.Stop().ShouldBe(0);

        text.RawOutput.ShouldNotContain((byte)0x1b);
        text.RawOutput.ShouldNotContain((byte)0xff);
        text.Lines.Length.ShouldBe(3);
        text.Lines[0].ShouldStartWith("\\x1b[31mX\\n\\xff\"  PID=");
        json.Events.Length.ShouldBe(3);
        json.RawOutput.ShouldNotContain((byte)0x1b);
        json.Events[0].GetProperty("comm").GetString().ShouldBe("\u001b[31mX\n\ufffd\"");
        json.Events[0].GetProperty("comm_hex").GetString().ShouldBe(hostile);
    }

    [Fact]
    public void Enrich_All_AddsTimeUserAndProcess()
    {
        using var hold = Workload.Waiting("hold", "20");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", hold.Pid, "-s", "getppid", "--enrich", "all", "--output", "json");
        var before = DateTimeOffset.UtcNow;
        hold.Go();
        veil.Stop().ShouldBe(0);

        var call = veil.Events[0];
        call.GetProperty("username").GetString().ShouldBe("root");
        call.GetProperty("proc_name").GetString().ShouldBe("hold");
        var time = DateTimeOffset.Parse(call.GetProperty("time").GetString()!);
        (time - before).Duration().ShouldBeLessThan(TimeSpan.FromSeconds(30));
        call.GetProperty("time").GetString()!.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$");
    }
}
