// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Stacks against a program that follows its own frame pointers.</summary>
public sealed class StackTests
{
    private const int FramesMax = 127; // PERF_MAX_STACK_DEPTH

    [Fact]
    public void Events_CallsByTwoWays_EachHasTheProgramsOwnStack()
    {
        using var workload = Workload.Waiting("stacks", "calls", "20", "30");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--stack", "user,kernel", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var byWay = veil.Events.GroupBy(static e => Returns(e.GetProperty("ustack"), 2)).ToDictionary(static way => way.Key, static way => way.Count());
        byWay.ShouldBe(new Dictionary<string, int> { [workload["one"]] = 20, [workload["two"]] = 30 }, ignoreOrder: true);
        // What called the hook: each task came in by the same function.
        veil.Events.ShouldAllBe(static e => e.GetProperty("kstack").GetArrayLength() > 0);
        veil.ShouldHaveLostNothing();
    }

    [Fact]
    public void Counts_ByStack_AreExactForEachWay()
    {
        using var workload = Workload.Waiting("stacks", "calls", "1000", "2500");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--count-by", "ustack", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        Keys(veil).ToDictionary(static key => Returns(key.GetProperty("ustack"), 2), static key => key.GetProperty("count").GetInt64())
            .ShouldBe(new Dictionary<string, long> { [workload["one"]] = 1000, [workload["two"]] = 2500 }, ignoreOrder: true);
    }

    [Fact]
    public void Counts_OfMoreStacksThanKeys_AreOthersAndNoneIsMissing()
    {
        using var workload = Workload.Waiting("stacks", "calls", "10", "7");
        using var veil = VeilRun.Attach(
            "--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--count-by", "ustack", "--keys", "1", "--output", "json");
        workload.Go();
        veil.Stop();

        var key = Keys(veil).ShouldHaveSingleItem();
        Returns(key.GetProperty("ustack"), 2).ShouldBe(workload["one"]);
        veil.Events.Single(static e => e.TryGetProperty("total", out _)).GetProperty("total").GetInt64().ShouldBe(17);
        // The stack that had no room is said.
        veil.Errors.ShouldContain("stacks");
    }

    [Fact]
    public void Events_DeeperThanTheKernelWalks_AreCutThere()
    {
        using var workload = Workload.Waiting("stacks", "deep", "200");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--stack", "user", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var frames = veil.Events.ShouldHaveSingleItem().GetProperty("ustack").EnumerateArray().ToList();
        frames.Count.ShouldBe(FramesMax + 1);
        frames[^1].GetProperty("symbol").GetString().ShouldBe("[cut]");
    }

    [Fact]
    public void Text_Stack_IsBelowTheLineOfItsEvent()
    {
        using var workload = Workload.Waiting("stacks", "deep", "200");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--stack", "user");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.Length.ShouldBe(1 + FramesMax + 1);
        veil.Lines[0].ShouldContain("syscall=getppid");
        veil.Lines[1..].ShouldAllBe(static line => line.StartsWith("    ", StringComparison.Ordinal));
        veil.Lines[^1].ShouldContain("cut off");
    }

    [Fact]
    public void Folded_Counts_HaveACountBehindTheOutermostFirst()
    {
        using var workload = Workload.Waiting("stacks", "calls", "5", "9");
        using var veil = VeilRun.Attach(
            "--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--count-by", "comm,ustack", "--output", "folded");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.Length.ShouldBe(2);
        veil.Lines.Select(static line => int.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture)).ShouldBe([9, 5]);
        veil.Lines.ShouldAllBe(static line => line.StartsWith("stacks;", StringComparison.Ordinal) && line.Contains(";main;", StringComparison.Ordinal));
    }

    /// <summary>A call that has become slow is told of by a look at all tasks, which the tracer makes: its stacks are not the call's.</summary>
    [Theory]
    [InlineData()]
    [InlineData("--args")]
    public void Slower_CallUnderWay_HasNoStackOfAnotherTask(params string[] flags)
    {
        using var veil = VeilRun.ToEnd(
            ["--module", "syscall", "--syscall", "clock_nanosleep", "--slower", "200ms", "--stack", "user,kernel", "--output", "json", "-w", "-",
                .. flags, "--", "sleep", "1"]);
        veil.ExitCode.ShouldBe(0, veil.Errors);

        var (waits, ended) = (veil.Events[0], veil.Events[1]);
        waits.GetProperty("ret").ValueKind.ShouldBe(JsonValueKind.Null);
        waits.GetProperty("ustack").ValueKind.ShouldBe(JsonValueKind.Null);
        waits.GetProperty("kstack").ValueKind.ShouldBe(JsonValueKind.Null);
        ended.GetProperty("ret").GetInt64().ShouldBe(0);
        ended.GetProperty("kstack").GetArrayLength().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Replay_OfStacks_GivesTheSameBytes()
    {
        string file = Path.Combine(Path.GetTempPath(), $"veil-stacks-{Environment.ProcessId}.rec");
        try
        {
            using var workload = Workload.Waiting("stacks", "calls", "20", "30");
            using var veil = VeilRun.Attach(
                "--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--stack", "user,kernel", "--output", "json", "--record", file, "--force");
            workload.Go();
            veil.Stop().ShouldBe(0);
            var replay = VeilRun.ToEnd("replay", file, "--stack", "user,kernel", "--output", "json");

            veil.Lines.Length.ShouldBe(50);
            Encoding.UTF8.GetString(replay.RawOutput).ShouldBe(Encoding.UTF8.GetString(veil.RawOutput));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Code that takes the place of other code has its own name from then on: a jitdump has times.</summary>
    [Fact]
    public void Jitdump_FunctionThatTookAnothersPlace_EachCallHasItsOwnName()
    {
        string folder = Directory.CreateTempSubdirectory("veil-jit-").FullName;
        try
        {
            using var workload = Workload.Waiting("jit", folder, "20", "30");
            using var veil = VeilRun.Attach(
                "--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--stack", "user", "--lines", "--output", "json");
            workload.Go();
            veil.Stop().ShouldBe(0);

            var frames = veil.Events.Select(static e => e.GetProperty("ustack")[0]).ToList();
            frames.Select(static frame => (frame.GetProperty("symbol").GetString(), frame.GetProperty("source").GetString())).CountBy(static name => name)
                .ShouldBe([new(("first", "/src/first.js:11"), 20), new(("second", "/src/second.js:21"), 30)]);
            frames.ShouldAllBe(static frame => frame.GetProperty("file").GetString() == "[jit]");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Jitdump_OfAnotherUser_IsNotRead()
    {
        string folder = Directory.CreateTempSubdirectory("veil-jit-").FullName;
        try
        {
            using var workload = Workload.Waiting("jit", folder, "20", "30");
            using var veil = VeilRun.Attach("--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--stack", "user", "--output", "json");
            string dump = Path.Combine(folder, $"jit-{workload.Pid}.dump");
            File.WriteAllText(dump, "");
            Process.Start("chown", ["65534", dump]).WaitForExit();
            workload.Go();
            veil.Stop().ShouldBe(0);

            veil.Events.ShouldAllBe(static e => e.GetProperty("ustack")[0].GetProperty("symbol").ValueKind == JsonValueKind.Null);
            veil.Events.Length.ShouldBe(50);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What a .NET process has compiled has names once it was asked for them, and only then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void JitAsk_DotNetProcess_HasNamesOfItsMethods(bool asks)
    {
        using var program = ManagedWorkload.Start();
        string map = $"/tmp/perf-{program.Pid}.map";
        try
        {
            using var veil = VeilRun.Attach(
                ["--module", "syscall", "-p", program.Pid, "--syscall", "getppid", "--stack", "user", "--output", "json", "--max-events", "200",
                    .. asks ? ["--jit", "ask"] : Array.Empty<string>()]);
            program.Go();
            veil.WaitForExit().ShouldBe(0, veil.Errors);

            int named = veil.Events.Count(static e => e.GetProperty("ustack").EnumerateArray().Any(static frame =>
                frame.GetProperty("symbol").GetString()?.Contains("ManagedWorkload::Work", StringComparison.Ordinal) == true));
            File.Exists(map).ShouldBe(asks);
            // Of the calls before it had answered the code may have been replaced by a better one.
            named.ShouldBe(asks ? 200 : 0);
        }
        finally
        {
            File.Delete(map);
        }
    }

    [Fact]
    public void Memory_FaultsCountedByStack_AreThePagesOfTheirFunction()
    {
        using var workload = Workload.Waiting("stacks", "touch", "500");
        using var veil = VeilRun.Attach("--module", "memory", "-p", workload.Pid, "--count-by", "ustack", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        // By its caller: the fault itself is at one instruction, or a few.
        Keys(veil).Where(key => Returns(key.GetProperty("ustack"), 1) == workload["one"]).Sum(static key => key.GetProperty("count").GetInt64()).ShouldBe(500);
    }

    [Fact]
    public void Profile_ProgramThatComputes_SharesAreThoseOfItsFunctions()
    {
        using var workload = Workload.Waiting("stacks", "spin", "1200");
        using var veil = VeilRun.Attach("--module", "profile", "--hz", "499", "-p", workload.Pid, "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        long start = Hex(workload["long"]), between = Hex(workload["short"]), end = between + (between - start);
        int inLong = 0, inShort = 0;
        foreach (var sample in veil.Events.Select(static e => e.GetProperty("ustack")).Where(static stack => stack.ValueKind == JsonValueKind.Array))
        {
            var addresses = sample.EnumerateArray().Select(static frame => Hex(frame.GetProperty("address").GetString()!)).ToList();
            if (addresses.Exists(address => address >= start && address < between))
                inLong++;
            else if (addresses.Exists(address => address >= between && address < end))
                inShort++;
        }

        // Three parts to one, by the program's own CPU clock. Of 600 samples the share's deviation is 2 in a hundred.
        ((double)inLong / (inLong + inShort)).ShouldBeInRange(0.65, 0.85);
        veil.Events.ShouldAllBe(static e => e.GetProperty("comm").GetString() == "stacks");
        veil.ShouldHaveLostNothing();
    }

    [Fact]
    public void OffCpu_Sleeps_AreEachAsLongAsTheyWereAskedFor()
    {
        using var workload = Workload.Waiting("stacks", "sleep", "20");
        using var veil = VeilRun.Attach("--module", "scheduler", "--off-cpu", "--slower", "500us", "-p", workload.Pid, "--stack", "user,kernel", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var sleeps = veil.Events.Where(static e => e.GetProperty("off_state").GetString() == "SLEEPING").ToList();
        // The program also waits for its test before, which may be one more. On a busy machine a sleep may be over before it could begin.
        sleeps.Count.ShouldBeInRange((int)workload.Number("voluntary") - 2, (int)workload.Number("voluntary") + 1);
        sleeps.ShouldAllBe(static e => e.GetProperty("off_cpu_ns").GetInt64() >= 500_000);
        sleeps.ShouldAllBe(static e => e.GetProperty("kstack").GetArrayLength() > 0 && e.GetProperty("ustack").GetArrayLength() > 0);
        sleeps.ShouldAllBe(static e => e.GetProperty("wait_ns").GetInt64() <= e.GetProperty("off_cpu_ns").GetInt64());
    }

    [Fact]
    public void OffCpu_ReaderOfAPipe_IsWokenByItsChild()
    {
        using var workload = Workload.Waiting("stacks", "pipe", "20");
        using var veil = VeilRun.Attach("--module", "scheduler", "--off-cpu", "-p", workload.Pid, "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        long child = workload.Number("child");
        var sleeps = veil.Events.Where(static e => e.GetProperty("off_state").GetString() == "SLEEPING").ToList();
        // 20 reads, and the wait for the child's end. A byte may have come before the reader could wait.
        sleeps.Count.ShouldBeInRange(15, 22);
        sleeps.Count(e => e.GetProperty("waker_pid").ValueKind == JsonValueKind.Number && e.GetProperty("waker_pid").GetInt64() == child)
            .ShouldBeGreaterThanOrEqualTo(15);
        veil.Events.ShouldAllBe(static e => e.GetProperty("ustack").ValueKind == JsonValueKind.Null);
    }

    /// <summary>What runs where the clock's interrupt comes has not woken the sleeper.</summary>
    [PreemptCountFact]
    public void OffCpu_SleeperBesideBusyTasks_IsWokenByNobody()
    {
        using var workload = Workload.Waiting("stacks", "sleep", "50");
        using var veil = VeilRun.Attach("--module", "scheduler", "--off-cpu", "-p", workload.Pid, "--output", "json");
        var busy = Enumerable.Range(0, Environment.ProcessorCount).Select(static _ => Process.Start("sh", ["-c", "while :; do :; done"])).ToList();
        workload.Go();
        foreach (var one in busy)
        {
            one.Kill();
            one.Dispose();
        }

        veil.Stop().ShouldBe(0);

        var sleeps = veil.Events.Where(static e => e.GetProperty("off_state").GetString() == "SLEEPING"
            && e.GetProperty("off_cpu_ns").GetInt64() >= 500_000 && e.GetProperty("wait_ns").ValueKind == JsonValueKind.Number).ToList();
        sleeps.Count.ShouldBeGreaterThan(40);
        // The program waits for its test before, who writes to it.
        sleeps.Count(static e => e.GetProperty("waker_pid").ValueKind != JsonValueKind.Null).ShouldBeLessThanOrEqualTo(1);
    }

    /// <summary>The CPU may be free: it is the cgroup's share that is used up.</summary>
    [FolderFact("/sys/fs/cgroup/cpu")]
    public void OffCpu_TaskThatItsCgroupHoldsBack_IsThrottled()
    {
        const string mount = "/sys/fs/cgroup/cpu";
        string cgroup = Directory.CreateDirectory($"{mount}/veil-throttled-{Environment.ProcessId}").FullName;
        using var busy = Process.Start("sh", ["-c", "while :; do :; done"]);
        try
        {
            File.WriteAllText(cgroup + "/cpu.cfs_period_us", "100000");
            File.WriteAllText(cgroup + "/cpu.cfs_quota_us", "5000");
            File.WriteAllText(cgroup + "/cgroup.procs", busy.Id.ToString(CultureInfo.InvariantCulture));

            string pid = busy.Id.ToString(CultureInfo.InvariantCulture);
            var veil = VeilRun.ToEnd(
                "--module", "scheduler", "--off-cpu", "--slower", "30ms", "-p", pid, "--duration", "2s", "--output", "json");
            string[] looks = [.. Enumerable.Range(0, 20).Select(_ =>
            {
                Thread.Sleep(17);
                return string.Join('\n', VeilRun.ToEnd("stuck", "-p", pid).Lines);
            })];

            var states = veil.Lines.Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("off_state").GetString()).ToList();
            states.Count(static state => state == "THROTTLED").ShouldBeGreaterThan(5);
            looks.ShouldContain(static look => look.Contains(" waits for its cgroup's next share of CPU time (cpu.max)", StringComparison.Ordinal));
        }
        finally
        {
            busy.Kill();
            busy.WaitForExit();
            Directory.Delete(cgroup);
        }
    }

    /// <summary>Events that lack the usual key are counted by whose they are.</summary>
    [Fact]
    public void OffCpu_SumWithoutAKey_IsByName()
    {
        using var workload = Workload.Waiting("stacks", "sleep", "5");
        using var veil = VeilRun.Attach("--module", "scheduler", "-p", workload.Pid, "--sum", "off_cpu_ns", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        Keys(veil).Single().GetProperty("comm").GetString().ShouldBe("stacks");
    }

    [Fact]
    public void OffCpu_SumByStack_AddsUpTheSleeps()
    {
        using var workload = Workload.Waiting("stacks", "sleep", "20");
        using var veil = VeilRun.Attach("--module", "scheduler", "-p", workload.Pid, "--sum", "off_cpu_ns", "--count-by", "kstack,ustack", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var most = Keys(veil).MaxBy(static key => key.GetProperty("count").GetInt64());
        long voluntary = workload.Number("voluntary");
        // A page that has to come from the disk is a sleep of its own.
        most.GetProperty("count").GetInt64().ShouldBeInRange(voluntary - 2, voluntary);
        most.GetProperty("sum").GetInt64().ShouldBeGreaterThanOrEqualTo((voluntary - 2) * 500_000);
        most.GetProperty("ustack").GetArrayLength().ShouldBeGreaterThan(0);
    }

    private static IEnumerable<JsonElement> Keys(VeilRun veil) => veil.Events.Where(static e => e.TryGetProperty("percent", out _));

    // The addresses that the innermost functions return to.
    private static string Returns(JsonElement stack, int count) => stack.ValueKind != JsonValueKind.Array ? "none"
        : string.Join(',', stack.EnumerateArray().Skip(1).Take(count).Select(static frame => frame.GetProperty("address").GetString()));

    private static long Hex(string text) => long.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
