// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The uprobe module against a program that knows how often it called what, and how each call ended.</summary>
public sealed class UprobeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-uprobe-").FullName;

    /// <summary>The workload in each form, and the file that its functions are in.</summary>
    public static TheoryData<string, string> Forms
    {
        get
        {
            var forms = new TheoryData<string, string> { { "uprobe", "uprobe" }, { "uprobe-pie", "uprobe-pie" } };
            // Not where the workloads were built elsewhere: the initramfs of a guest has no dynamic linker.
            if (File.Exists(Path.Combine(Repository.Root, "artifacts/workloads/libtraced.so")))
                forms.Add("uprobe-dynamic", "libtraced.so");
            if (File.Exists(Path.Combine(Repository.Root, "artifacts/workloads/uprobe-32")))
                forms.Add("uprobe-32", "uprobe-32");
            return forms;
        }
    }

    public static TheoryData<string> Programs =>
        [.. Forms.Select(static row => (string)row[0]).Where(static form => form != "uprobe-dynamic")];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Call_ManyTimes_IsAnEventEach(string form, string file)
    {
        var (workload, events) = Trace(form, "calls", [$"{file}:traced_call"]);

        events.Length.ShouldBe(1000);
        foreach (var e in events)
        {
            e.GetProperty("module").GetString().ShouldBe("uprobe");
            e.GetProperty("symbol").GetString().ShouldBe("traced_call");
            e.GetProperty("path").GetString().ShouldBe(Repository.Workload(file));
            e.GetProperty("pid").GetInt64().ShouldBe(workload.Number("pid"));
            e.GetProperty("tid").GetInt64().ShouldBe(workload.Number("pid"));
            e.TryGetProperty("duration_ns", out _).ShouldBeFalse();
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Latency_ManyCalls_IsAnEventEachWithItsDuration(string form, string file)
    {
        var (_, events) = Trace(form, "calls", [$"{file}:traced_call"], "--latency");

        events.Length.ShouldBe(1000);
        Durations(events).ShouldAllBe(static duration => duration > 0 && duration < 1_000_000_000);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Latency_BusyFunction_AgreesWithTheProgramsOwnClock(string form, string file)
    {
        var (workload, events) = Trace(form, "busy", [$"{file}:traced_busy"], "--latency");

        Durations(events).ShouldHaveSingleItem().ShouldNotBeNull()
            .ShouldBeInRange(workload.Number("at_least_ns"), workload.Number("at_most_ns"));
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Latency_Recursion_EachCallHasItsOwnDuration(string form)
    {
        var (workload, events) = Trace(form, "recursion", [$"{form}:traced_recurse"], "--latency");

        long?[] durations = Durations(events);
        durations.Length.ShouldBe((int)workload.Number("calls"));
        // The innermost returns first; each caller takes longer than what it called.
        durations.ShouldBe(durations.Order());
        durations.Distinct().Count().ShouldBe(durations.Length);
    }

    [Fact]
    public void Latency_RecursionBeyondWhatTheKernelWatches_HasNoDurationThere()
    {
        const int watched = 64;
        var (workload, events) = Trace("uprobe", "deep-recursion", ["uprobe:traced_recurse"], "--latency");

        events.Length.ShouldBe((int)workload.Number("calls"));
        Durations(events).Count(static duration => duration is not null).ShouldBe(watched);
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Latency_TailCalls_AllReturnAtOnce(string form)
    {
        var (workload, events) = Trace(form, "tail-calls", [$"{form}:traced_ping", $"{form}:traced_pong"], "--latency");

        Durations(events).ShouldAllBe(static duration => duration > 0);
        foreach (string function in new[] { "ping", "pong" })
            events.Count(e => e.GetProperty("symbol").GetString() == "traced_" + function).ShouldBe((int)workload.Number(function));
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Latency_Longjmp_AbandonedCallsHaveNoDuration(string form)
    {
        var (workload, events) = Trace(form, "longjmp", [$"{form}:traced_jump"], "--latency");

        long?[] durations = Durations(events);
        durations.Count(static duration => duration is null).ShouldBe((int)workload.Number("abandoned"));
        durations.Count(static duration => duration is not null).ShouldBe((int)workload.Number("returned"));
        durations[^1].ShouldNotBeNull();
    }

    [Fact]
    public void Latency_Fork_ReturnsOnceThoughTheChildReturnsToo()
    {
        // By name, so that the child passes too.
        using var workload = Workload.Waiting("uprobe", "fork");
        using var veil =
            VeilRun.Attach(
            "--module", "uprobe", "--uprobe", Repository.Workload("uprobe") + ":traced_fork", "--uid", "0", "-n", "uprobe", "--latency",
            "-o", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.ShouldHaveSingleItem().GetProperty("pid").GetInt64().ShouldBe(long.Parse(workload.Pid));
    }

    [Fact]
    public void Latency_ManyThreads_KeepTheirCallsApart()
    {
        using var veil = Trace("uprobe", "threads", ["uprobe:traced_recurse"], out var workload, "--latency");
        var events = veil.Events;

        veil.ShouldAccountFor(events.Length, workload.Number("calls"));
        if (veil.HasSkippedNothing)
            Durations(events).ShouldAllBe(static duration => duration > 0);
        events.Select(static e => e.GetProperty("tid").GetInt64()).Distinct().Count().ShouldBe(8);
    }

    [Fact]
    public void Latency_ThreadThatEndsInACall_IsAnEventWithoutDuration()
    {
        var (workload, events) = Trace("uprobe", "thread-exit", ["uprobe:traced_never"], "--latency");

        var call = events.ShouldHaveSingleItem();
        call.GetProperty("duration_ns").ValueKind.ShouldBe(JsonValueKind.Null);
        call.GetProperty("tid").GetInt64().ShouldBe(workload.Number("tid"));
    }

    [Theory]
    [InlineData("exec")]
    [InlineData("thread-exec")]
    public void Latency_ProgramReplacedInACall_IsAnEventWithoutDuration(string name)
    {
        var (workload, events) = Trace("uprobe", name, ["uprobe:traced_never", "uprobe:traced_call"], "--latency");

        var replaced = events.Where(static e => e.GetProperty("symbol").GetString() == "traced_never").ShouldHaveSingleItem();
        replaced.GetProperty("duration_ns").ValueKind.ShouldBe(JsonValueKind.Null);
        replaced.GetProperty("tid").GetInt64().ShouldBe(workload.Number("pid"));
        // The program that took its place is traced like any other.
        events.Count(static e => e.GetProperty("symbol").GetString() == "traced_call").ShouldBe(1000);
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Latency_ReturnedStruct_IsMatched(string form)
    {
        var (_, events) = Trace(form, "struct", [$"{form}:traced_struct"], "--latency");

        events.Length.ShouldBe(1000);
        Durations(events).ShouldAllBe(static duration => duration > 0);
    }

    [Fact]
    public void Uprobe_TwoTargets_BothCounted()
    {
        var (workload, events) = Trace("uprobe", "two", ["uprobe:traced_call", "uprobe:traced_other"]);

        events.Count(static e => e.GetProperty("symbol").GetString() == "traced_call").ShouldBe((int)workload.Number("calls"));
        events.Count(static e => e.GetProperty("symbol").GetString() == "traced_other").ShouldBe((int)workload.Number("others"));
    }

    [Fact]
    public void Uprobe_TwoFilesAtOnce_HaveTheirOwnPaths()
    {
        using var other = Workload.Waiting("uprobe-pie", "calls");
        using var workload = Workload.Waiting("uprobe", "calls");
        using var veil = VeilRun.Attach("--module", "uprobe", "-p", workload.Pid, other.Pid, "-o", "json",
            "--uprobe", Repository.Workload("uprobe") + ":traced_call," + Repository.Workload("uprobe-pie") + ":traced_call");
        workload.Go();
        other.Go();
        veil.Stop().ShouldBe(0);

        foreach (var (program, run) in new[] { ("uprobe", workload), ("uprobe-pie", other) })
        {
            veil.Events.Count(
                e => e.GetProperty("path").GetString() == Repository.Workload(program) && e.GetProperty("pid")
                .GetInt64() == long.Parse(run.Pid))
                .ShouldBe(1000);
        }
    }

    [Fact]
    public void Uprobe_LocalFunctionsOfOneName_AreAllTraced()
    {
        var (workload, events) = Trace("uprobe", "twins", ["uprobe:traced_twin"], "--latency");

        events.Length.ShouldBe((int)workload.Number("calls"));
    }

    [Fact]
    public void Uprobe_TargetNamedTwice_IsTracedOnce()
    {
        var (_, events) = Trace("uprobe", "calls", ["uprobe:traced_call", "uprobe:traced_call", "../workloads/uprobe:traced_call"]);

        events.Length.ShouldBe(1000);
    }

    [Fact]
    public void Pid_OfAnotherProcess_LeavesTheCallsOut()
    {
        using var workload = Workload.Waiting("uprobe", "calls");
        using var veil =
            VeilRun.Attach(
            "--module", "uprobe", "-p", "!" + workload.Pid, "--uid", "0", "--latency", "--uprobe", Repository.Workload("uprobe")
            + ":traced_call");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldBeEmpty();
    }

    [Fact]
    public void Uprobe_Text_HasItsColumns()
    {
        using var workload = Workload.Waiting("uprobe", "busy");
        using var veil =
            VeilRun.Attach(
            "--module", "uprobe", "-p", workload.Pid, "--latency", "--uprobe", Repository.Workload("uprobe") + ":traced_busy");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldHaveSingleItem()
            .ShouldMatch(@"^uprobe +PID=\d+ +TID=\d+ +UID=0 +duration=\d+\.\d{3}ms +symbol=traced_busy +path=/.*/uprobe$");
    }

    [Fact]
    public void Fields_OfAUprobe_CanBeChosen()
    {
        using var workload = Workload.Waiting("uprobe", "two");
        using var veil =
            VeilRun.Attach(
            "--module", "uprobe", "-p", workload.Pid, "--fields", "symbol,pid", "--uprobe", Repository.Workload("uprobe")
            + ":traced_other");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.Distinct(StringComparer.Ordinal).ShouldBe([$"symbol=traced_other pid={workload.Pid}"]);
    }

    [Fact]
    public void Uprobe_ProgramsAndLibrariesByName_AreFound()
    {
        // veil runs to the question, so the name was found.
        foreach (string name in new[] { "libc:getppid", "libc.so.6:getppid" })
        {
            var run = VeilRun.ToEnd("--module", "uprobe", "--uprobe", name);
            run.Errors.Trim().ShouldMatch(@"at each call of getppid \(/.*/libc\.so\.6\)");
        }
    }

    [Fact]
    public void Uprobe_WithoutScopeAndTerminal_IsNotStarted()
    {
        var run =
            VeilRun.ToEnd(
            "--module", "uprobe", "--uprobe", Repository.Workload("uprobe") + ":traced_call," + Repository.Workload("uprobe")
            + ":traced_other");

        Refused(run)
            .ShouldBe(
            $"veil: without --pid, --tid or --uid, every process is stopped for an instant at each call of traced_call " +
            $"({Repository.Workload("uprobe")}), "
            + $"traced_other ({Repository.Workload("uprobe")}): nobody can be asked without a terminal; narrow it down, or add --yes");
    }

    [Theory]
    [InlineData("--pid", "!1")]
    [InlineData("--name", "uprobe")]
    public void Uprobe_FilterThatNarrowsNothingDown_IsNoScope(string flag, string value) =>
        Refused(VeilRun.ToEnd("--module", "uprobe", "--uprobe", Repository.Workload("uprobe") + ":traced_call", flag, value))
            .ShouldContain("nobody can be asked");

    [Fact]
    public void Uprobe_WithYes_Starts()
    {
        using var workload = Workload.Waiting("uprobe", "calls");
        using var veil = VeilRun.Attach("--module", "uprobe", "--yes", "--uprobe", Repository.Workload("uprobe") + ":traced_call");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.Length.ShouldBe(1000);
    }

    [Theory]
    [InlineData("traced_cal", "has no function traced_cal; did you mean traced_call?")]
    [InlineData("traced_variable", "has no function traced_variable: that is a variable")]
    [InlineData(
        "traced_chosen",
        "has several implementations of traced_chosen, and which one is called is decided when a program starts (IFUNC): name the " +
        "implementation, or give its address (PATH:0x…, as nm and objdump show it)")]
    public void Uprobe_NoSuchFunction_SaysWhy(string symbol, string message) =>
        ErrorOf(Repository.Workload("uprobe"), symbol).ShouldBe(message);

    [Fact]
    public void Uprobe_StrippedProgram_SaysSo() =>
        ErrorOf(Repository.Workload("uprobe-stripped"), "traced_call")
            .ShouldBe("has no symbol tables: it is stripped, and its functions have no names any more");

    [Fact]
    public void Uprobe_ImportedFunction_SaysWhereToLook() =>
        ErrorOf(Repository.Workload("uprobe-dynamic"), "traced_call")
            .ShouldBe("only imports traced_call: name the library that defines it");

    [Fact]
    public void Uprobe_NoProgram_SaysWhat()
    {
        string fifo = Path.Combine(_folder, "fifo");
        System.Diagnostics.Process.Start("mkfifo", [fifo]).WaitForExit();
        string text = Path.Combine(_folder, "text");
        File.WriteAllText(text, "no program\n");
        string cut = Path.Combine(_folder, "cut");
        File.WriteAllBytes(cut, File.ReadAllBytes(Repository.Workload("uprobe"))[..100_000]);

        ErrorOf(_folder, "f").ShouldBe("is a directory");
        ErrorOf(_folder + "/nothing", "f").ShouldBe("does not exist");
        ErrorOf(text + "/below", "f").ShouldBe("cannot be opened: Not a directory");
        ErrorOf(text, "f").ShouldBe("is not an ELF file");
        ErrorOf(cut, "f").ShouldMatch("^is truncated: its [a-z ]+ would end beyond the file's 100000 bytes$");
        ErrorOf(fifo, "f").ShouldBe("is not a regular file");
        ErrorOf("/dev/zero", "f").ShouldBe("is empty, or not a regular file");
    }

    [Theory]
    [InlineData("/usr/bin/bash", "'/usr/bin/bash' is not PATH:SYMBOL, such as /usr/bin/bash:readline")]
    [InlineData("/usr/bin/bash:", "'/usr/bin/bash:' names no function; give PATH:SYMBOL, such as /usr/bin/bash:readline")]
    [InlineData(":readline", "':readline' names no file; give PATH:SYMBOL, such as /usr/bin/bash:readline")]
    [InlineData("", "the value '' is empty")]
    public void Uprobe_WrongValue_SaysTheForm(string value, string message) =>
        Refused(VeilRun.ToEnd("--module", "uprobe", "--uprobe", value)).ShouldBe("veil: --uprobe: " + message);

    [Fact]
    public void Uprobe_NoTarget_SaysWhatIsMissing() => Refused(VeilRun.ToEnd("--module", "uprobe", "--latency"))
        .ShouldBe("veil: --module uprobe: say which function: --uprobe PATH:SYMBOL, such as /usr/bin/bash:readline");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static long?[] Durations(JsonElement[] events) =>
        [.. events.Select(static e => e.GetProperty("duration_ns"))
            .Select(static value => value.ValueKind == JsonValueKind.Null ? (long?)null : value.GetInt64())];

    private static string ErrorOf(string path, string symbol)
    {
        string start = $"veil: --uprobe: {path} ";
        string error = Refused(VeilRun.ToEnd("--module", "uprobe", "--uprobe", path + ":" + symbol));
        error.ShouldStartWith(start);
        return error[start.Length..];
    }

    private static string Refused(VeilRun run)
    {
        run.ExitCode.ShouldBe(2);
        return run.Errors.Trim().Split('\n').ShouldHaveSingleItem();
    }

    private static (Workload Workload, JsonElement[] Events) Trace(string program, string name, string[] targets, params string[] more)
    {
        using var veil = Trace(program, name, targets, out var workload, more);
        return (workload, veil.Events);
    }

    private static VeilRun Trace(string program, string name, string[] targets, out Workload workload, params string[] more)
    {
        workload = Workload.Waiting(program, name);
        string[] uprobes = [.. targets.Select(static target => $"--uprobe={Path.Combine(Repository.WorkloadsFolder, target)}")];
        var veil = VeilRun.Attach(["--module", "uprobe", "-p", workload.Pid, "--output", "json", .. uprobes, .. more]);
        workload.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        workload.Dispose(); // what it said stays
        return veil;
    }
}
