// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>The signal module against a program that knows what it sends, and against strace.</summary>
public sealed class SignalTests
{
    public static TheoryData<string> Hooks => [.. Rungs.Possible("signal")];

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Sent_ByAProcess_AreAllThereInOrder(string hook)
    {
        var (workload, events) = Trace(hook, "sent");

        string sender = workload["sender"], target = workload["target"], thread = workload["thread"];
        events.Select(Line).ShouldBe(
        [
            $"SIGUSR1 SI_USER user {sender} > {target}/{target} delivered handled",
            $"SIGUSR2 SI_USER user {sender} > {target}/{target} ignored none",
            $"SIGHUP SI_USER user {sender} > {target}/{target} delivered blocked",
            $"SIGHUP SI_USER user {sender} > {target}/{target} pending blocked",
            $"SIGUSR2 SI_QUEUE user {sender} > {target}/{target} ignored none",
            $"SIGUSR1 SI_TKILL user {sender} > {target}/{thread} delivered handled",
            $"SIGWINCH SI_USER user {sender} > {target}/{target} ignored none",
            $"SIGSTOP SI_USER user {sender} > {target}/{target} delivered stops",
            $"SIGCONT SI_USER user {sender} > {target}/{target} ignored continues",
            $"SIGTERM SI_USER user {sender} > {target}/{target} delivered deadly",
        ]);
        events.ShouldAllBe(static e => Text(e, "comm") == "signals" && Text(e, "target_comm") == "signals" && Text(e, "evt_type") == "SENT"
            && e.GetProperty("uid").GetInt32() == 0 && e.GetProperty("address").ValueKind == JsonValueKind.Null
            && Text(e, "sender_comm") == "signals" && Text(e, "sender_pid") == Text(e, "pid"));
        Text(events[0], "signal_nr").ShouldBe("10");
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Raised_ByWhatAProcessDoes_AreOfTheKernelAndHaveTheirAddress(string hook)
    {
        var (workload, events) = Trace(hook, "raised");

        string unmapped = workload["unmapped"], readOnly = workload["read_only"], aborted = workload["aborted"], pipe = workload["pipe"];
        events.Select(static e => $"{Line(e)} {Text(e, "address")}").ShouldBe(
        [
            $"SIGSEGV SEGV_MAPERR kernel {unmapped} > {unmapped}/{unmapped} delivered deadly 0x1230",
            $"SIGSEGV SEGV_ACCERR kernel {readOnly} > {readOnly}/{readOnly} delivered deadly 0x10000008",
            $"SIGABRT SI_TKILL user {aborted} > {aborted}/{aborted} delivered deadly ",
            $"SIGPIPE SI_USER kernel {pipe} > {pipe}/{pipe} delivered handled ",
        ]);
    }

    /// <summary>A timer of the kernel ends in whatever runs then, which has nothing to do with it.</summary>
    [Theory]
    [MemberData(nameof(Hooks))]
    public void Timers_HaveNoSender(string hook)
    {
        var (workload, events) = Trace(hook, "timers");

        string alarm = workload["alarm"], timer = workload["timer"];
        events.Select(e => Line(e).Replace($"kernel {Text(e, "target_pid")} ", "kernel  ", StringComparison.Ordinal)).ShouldBe(
        [
            $"SIGALRM SI_KERNEL kernel  > {alarm}/{alarm} delivered deadly",
            $"SIGUSR1 SI_TIMER kernel  > {timer}/{timer} delivered deadly",
        ]);
    }

    /// <summary>A signal's number alone is the key of a count, and a code is counted with its signal.</summary>
    [Theory]
    [MemberData(nameof(Hooks))]
    public void Counted_ByEveryField_AreAllCounted(string hook)
    {
        using var fields = VeilRun.ToEnd("--list-fields", "signal", "--output", "json");
        foreach (string field in fields.Lines.Select(static line => JsonDocument.Parse(line).RootElement)
            .Where(static field => field.GetProperty("needs").ValueKind == JsonValueKind.Null)
            .Select(static field => field.GetProperty("field").GetString()!).Where(static name => name != "module"))
        {
            using var workload = Workload.Waiting("signals", "sent");
            using var veil = VeilRun.Attach(
                "--module", "signal", "--hook", hook, "-p", workload.Pid, "--count-by", field, "--output", "json");
            workload.Go();
            veil.Stop().ShouldBe(0);
            var counts = veil.Events.Where(static record => record.TryGetProperty("count", out _)).ToList();
            counts.Sum(static record => record.GetProperty("count").GetInt64()).ShouldBe(10, field);
            if (field == "signal")
                counts.Single(static record => Text(record, "signal") == "SIGUSR1").GetProperty("count").GetInt64().ShouldBe(2);
            if (field == "code")
                counts.Where(static record => Text(record, "code") == "SI_USER").Sum(static record => record.GetProperty("count").GetInt64())
                    .ShouldBe(8);
        }
    }

    [Theory]
    [InlineData("--signal SIGUSR1", 2)]
    [InlineData("--signal usr1,15", 3)]
    [InlineData("--signal !SIGUSR1", 8)]
    [InlineData("--effect deadly", 1)]
    [InlineData("--effect !none", 7)]
    public void Filters_AllowAndDeny(string flags, int expected)
    {
        using var workload = Workload.Waiting("signals", "sent");
        using var veil = VeilRun.Attach(["--module", "signal", "-p", workload.Pid, "--output", "json", .. flags.Split(' ')]);
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(expected, veil.Errors);
    }

    /// <summary>Of each child, and of the workload itself to us.</summary>
    [Fact]
    public void Filter_ThatNamesSigchld_ShowsIt()
    {
        using var workload = Workload.Waiting("signals", "raised");
        using var veil = VeilRun.Attach("--module", "signal", "-p", workload.Pid, "--signal", "SIGCHLD", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        // Whether a core is dumped is the machine's affair.
        veil.Events.Select(static e => Text(e, "code").Replace("DUMPED", "KILLED", StringComparison.Ordinal))
            .ShouldBe(["CLD_KILLED", "CLD_KILLED", "CLD_KILLED", "CLD_EXITED", "CLD_EXITED"]);
        veil.Events[..4].ShouldAllBe(e => Text(e, "target_pid") == workload.Pid && Text(e, "from") == "kernel");
    }

    /// <summary>Either side may be the one that is asked for, and a deny of either is enough.</summary>
    [Fact]
    public void Filters_ByTask_MatchEitherSide()
    {
        using var workload = Workload.Waiting("signals", "sent");
        string[] common = ["--module", "signal", "--output", "json"];
        using var sender = VeilRun.Attach([.. common, "--tid", workload.Pid]);
        using var denied = VeilRun.Attach([.. common, "--name", "signals", "--pid", "!" + workload.Pid]);
        using var target = VeilRun.Attach([.. common, "--name", "signals"]);
        workload.Go();
        foreach (var veil in new[] { sender, denied, target })
            veil.Stop().ShouldBe(0);

        sender.Events.Length.ShouldBe(10);
        target.Events.Length.ShouldBe(10);
        denied.Events.ShouldBeEmpty();
    }

    [Fact]
    public void Follow_OfAProcess_HasTheSignalsOfItsChildren()
    {
        using var workload = Workload.Waiting("signals", "raised");
        using var veil = VeilRun.Attach("--module", "signal", "-p", workload.Pid, "--follow", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Select(static e => Text(e, "signal")).ShouldBe(["SIGSEGV", "SIGSEGV", "SIGABRT", "SIGPIPE"]);
    }

    [Theory]
    [InlineData("--signal SIGTREM", "did you mean 'SIGTERM'")]
    [InlineData("--signal 65", "is not a signal's name")]
    [InlineData("--signal 0", "is not a signal's name")]
    [InlineData("--effect dead", "unknown effect 'dead'")]
    public void Filters_ThatAreNone_AreErrors(string flags, string error)
    {
        using var veil = VeilRun.ToEnd(["--module", "signal", .. flags.Split(' ')]);

        veil.ExitCode.ShouldBe(2);
        veil.Errors.ShouldContain(error);
        veil.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1);
    }

    [StraceFact]
    public void Raised_AgreeWithStrace()
    {
        string file = Path.GetTempFileName();
        StraceFile.Run("-f", "-qq", "-e", "trace=none", "-o", file, Repository.Workload("signals"), "raised");
        var told = File.ReadLines(file)
            .Select(static line =>
                Regex.Match(
                line, @"--- (?<signal>SIG\w+) \{si_signo=\w+, si_code=(?<code>\w+)(, si_addr=(?<address>\w+))?",
                RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Groups)
            .Where(static match => match[0].Success && match["signal"].Value != "SIGCHLD")
            .Select(static match => $"{match["signal"]} {match["code"]} {match["address"]}").ToList();
        File.Delete(file);

        var (_, events) = Trace(Rungs.Best("signal"), "raised");
        told.Count.ShouldBe(4);
        events.Select(static e => $"{Text(e, "signal")} {Text(e, "code")} {Text(e, "address")}").ShouldBe(told);
    }

    private static (Workload Workload, List<JsonElement> Events) Trace(string hook, string mode)
    {
        using var workload = Workload.Waiting("signals", mode);
        using var veil = VeilRun.Attach("--module", "signal", "--hook", hook, "-n", "signals", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        return (workload, [.. veil.Events]);
    }

    private static string Line(JsonElement e) =>
        $"{Text(e, "signal")} {Text(e, "code")} {Text(e, "from")} {Text(e, "pid")} > {Text(e, "target_pid")}/{Text(e, "target_tid")} " +
        $"{Text(e, "result")} {Text(e, "effect")}";

    private static string Text(JsonElement e, string field) => e.GetProperty(field).ToString();
}
