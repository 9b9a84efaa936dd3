// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using Veil.Bpf;

namespace Veil.Kernel.Tests;

/// <summary>Exit codes, signals and outputs that fail.</summary>
public sealed class EndingTests
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public void Signal_AnyThatEnds_SumsUpAndReturnsZero(string signal)
    {
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1");
        veil.Signal(signal);
        veil.WaitForExit().ShouldBe(0);
        veil.Errors.ShouldContain("events delivered in");
    }

    public static TheoryData<string, string> Timed
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (string module in (string[])["uprobe", "memory"])
            {
                foreach (string hook in Rungs.Possible(module))
                    rows.Add(module, hook);
            }

            return rows;
        }
    }

    /// <summary>The hooks go one after the other, while what they watch goes on: what is seen to begin until the end is seen to
    /// end.</summary>
    [Theory]
    [MemberData(nameof(Timed))]
    public void End_WhileCallsGoOn_MakesNoEventWithoutDuration(string module, string hook)
    {
        using var workload = module == "uprobe" ? Workload.Waiting("uprobe", "endless") : Workload.Waiting("faults", "endless", "1");
        workload.Begin();
        string[] which = module == "uprobe" ? ["--uprobe", Repository.Workload("uprobe") + ":traced_call", "--latency"] : [];
        using var veil =
            VeilRun.Attach(["--module", module, "--hook", hook, "-p", workload.Pid, "--duration", "1s", "-o", "json", .. which]);
        veil.WaitForExit().ShouldBe(0);

        veil.ShouldHaveLostNothing();
        veil.Events.Length.ShouldBeGreaterThan(50);
        veil.Events.ShouldAllBe(static e => e.GetProperty("duration_ns").ValueKind == System.Text.Json.JsonValueKind.Number);
    }

    /// <summary>While it loads and attaches: the socket is there by then, and the last module is far.</summary>
    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    [InlineData("HUP", 129)]
    public void Signal_WhileItStarts_UndoesWhatWasDoneAndSaysSo(string signal, int exitCode)
    {
        string socket = $"/run/veil-ending-{Guid.NewGuid():N}";
        using var veil = VeilRun.Begin("--module", "syscall,files,scheduler,network", "--name", "no-such-name", "--control", socket);
        SpinWait.SpinUntil(() => File.Exists(socket), TimeSpan.FromSeconds(20)).ShouldBeTrue();
        veil.Signal(signal);

        veil.WaitForExit().ShouldBe(exitCode);
        veil.Errors.Trim().ShouldBe($"veil: stopped by SIG{signal} before the trace began; nothing stays attached");
        File.Exists(socket).ShouldBeFalse();
    }

    /// <summary>At any other moment of the start: it ends as a process without handlers, in order, or as a trace that was
    /// stopped.</summary>
    [Fact]
    public void Signal_AtAnyMomentOfTheStart_LeavesNothing()
    {
        string socket = $"/run/veil-ending-{Guid.NewGuid():N}";
        for (int milliseconds = 0; milliseconds <= 400; milliseconds += 10)
        {
            using var veil = VeilRun.Begin("--module", "syscall", "--name", "no-such-name", "--control", socket);
            Thread.Sleep(milliseconds);
            veil.Signal("TERM");

            string said = $"{milliseconds} ms: {veil.WaitForExit()} {veil.Errors}";
            bool inOrder = veil.ExitCode == 0
                ? veil.Errors.Contains("events delivered in", StringComparison.Ordinal)
                : veil.ExitCode == 143 && veil.Errors.Trim() is ""
                    or "veil: stopped by SIGTERM before the trace began; nothing stays attached";
            inOrder.ShouldBeTrue(said);
            File.Exists(socket).ShouldBeFalse(said);
        }
    }

    /// <summary>A script's background jobs and nohup(1) have them ignored: they stay so while it starts, too.</summary>
    [Fact]
    public void Signal_IgnoredByTheParent_IsIgnoredWhileItStarts()
    {
        string socket = $"/run/veil-ending-{Guid.NewGuid():N}";
        using var veil =
            Shell($"trap '' HUP; {{veil}} --module syscall,files --name no-such-name --control {socket} & pid=$!; until [ -e {socket} ]; " +
            $"do :; done; kill -HUP $pid; {{veil}} control {socket} status; kill -TERM $pid; wait $pid");

        veil.ExitCode.ShouldBe(0, veil.Errors);
        veil.Lines[0].ShouldStartWith("tracing for ");
        veil.Errors.ShouldContain("events delivered in");
    }

    [Fact]
    public void Output_FullDisk_IsAnErrorThatSaysWhy()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var veil = Shell($"timeout 20 {{veil}} --module syscall -p {hold.Pid} > /dev/full");
        veil.ExitCode.ShouldBe(1);
        veil.Errors.ShouldContain("veil: writing the output: No space left on device");
    }

    [Fact]
    public void Output_ReaderThatLeaves_EndsQuietly()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var veil = Shell($"set -o pipefail; timeout 20 {{veil}} --module syscall -p {hold.Pid} | head -1");
        veil.ExitCode.ShouldBe(0);
        veil.Lines.Length.ShouldBe(1);
        veil.Errors.ShouldNotContain("writing");
    }

    [Fact]
    public void Output_ReaderThatLeavesWhileNothingHappens_EndsQuietly()
    {
        var watch = Stopwatch.StartNew();
        using var veil = Shell("set -o pipefail; timeout 20 {veil} --module syscall --name no-such-name | true");
        veil.ExitCode.ShouldBe(0);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public void Output_ReaderThatTakesNothing_DoesNotKeepAStopFromWorking()
    {
        using var burst = Workload.Waiting("burst", "200000");
        using var veil = VeilRun.AttachUnread("--module", "syscall", "-p", burst.Pid);
        burst.Go();
        var watch = Stopwatch.StartNew();
        veil.Stop().ShouldBe(1);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        veil.Errors.ShouldContain("its reader took nothing after the stop");
    }

    [Fact]
    public void Start_NotRoot_SaysWhatIsMissing()
    {
        using var veil =
            VeilRun.ToEndWith("setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", Repository.Veil, "--module", "syscall");
        veil.ExitCode.ShouldBe(1);
        veil.Errors.Trim()
            .ShouldBe("veil: tracing needs root, or CAP_BPF and CAP_PERFMON: this process lacks CAP_BPF and CAP_PERFMON; run it with sudo");
    }

    [Fact]
    public void Start_OnlyBpfAndPerfmon_Traces()
    {
        using var veil = Shell(
            "ulimit -l 64; exec timeout --preserve-status 2 setpriv --reuid=65534 --clear-groups --inh-caps=-all,+bpf,+perfmon " +
                "--ambient-caps=-all,+bpf,+perfmon {veil} --module syscall --name bash");
        if (KernelFeatures.KernelVersion < new Version(5, 11))
        {
            // The ring alone is more than the limit of locked memory, which these capabilities cannot raise.
            veil.Errors.ShouldContain("ulimit -l unlimited");
            veil.ExitCode.ShouldBe(1);
        }
        else
        {
            veil.Errors.ShouldContain("veil: tracing syscall by tp_btf");
            veil.ExitCode.ShouldBe(0);
        }
    }

    [Fact]
    public void Running_AfterAttach_ReadsBeforeOthers()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1");
        // Field 19 of proc_pid_stat(5), counted after the name, which is the second.
        string stat = File.ReadAllText($"/proc/{veil.Pid}/stat");
        stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16].ShouldBe("-5");
        veil.Stop().ShouldBe(0);
    }

    [Fact]
    public void Killed_NothingStaysAttached()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "-p", "1");
        Programs().ShouldContain("syscall_enter_tp_btf");
        veil.Signal("KILL");
        veil.WaitForExit();
        // The kernel frees programs some time after the last reference is gone (RCU).
        SpinWait.SpinUntil(static () => !Programs().Contains("syscall_enter_tp_btf", StringComparison.Ordinal), TimeSpan.FromSeconds(10))
            .ShouldBeTrue();
    }

    private static string Programs()
    {
        using var bpftool = Process.Start(new ProcessStartInfo("bpftool", ["prog", "show"]) { RedirectStandardOutput = true })!;
        string said = bpftool.StandardOutput.ReadToEnd();
        bpftool.WaitForExit();
        return said;
    }

    private static VeilRun Shell(string script) =>
        VeilRun.ToEndWith("bash", "-c", script.Replace("{veil}", Repository.Veil, StringComparison.Ordinal));
}
