// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;

namespace Veil.Kernel.Tests;

/// <summary>What a trace says that has nothing to show.</summary>
public sealed class SilenceTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Silence_OfAMasterWithWorkers_NamesThemAndTheCommand()
    {
        using var master =
            Process.Start(
            new ProcessStartInfo(
            "bash", ["-c", "sleep 1000 & sleep 1000 & echo $!; read; kill %1 %2"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true
            })!;
        int second = int.Parse(master.StandardOutput.ReadLine()!);
        using var other = VeilRun.Attach("--module", "syscall", "--pid", master.Id.ToString());
        Hint(other)
            .ShouldMatch(
            $"^PID {master.Id} has 2 children \\([0-9]+, {second}\\) that are not traced; -p {master.Id},[0-9]+,{second} traces all$");
        other.Stop().ShouldBe(0);
        other.Lines.ShouldBeEmpty();
        master.StandardInput.Close();
        master.WaitForExit();
    }

    [Fact]
    public void Silence_OfAProcessThatWaits_NamesItsCall()
    {
        using var hold = Workload.Waiting("hold", "0");
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", hold.Pid);
        Hint(veil).ShouldBe($"PID {hold.Pid} has been in read since the trace began");
    }

    [Theory]
    [InlineData(
        "--module syscall",
        "makes no system calls; it has been running on a CPU (state R) since the trace began; see --module scheduler, uprobe or profile")]
    [InlineData(
        "--module syscall --count",
        "makes no system calls; it has been running on a CPU (state R) since the trace began; see --module scheduler, uprobe or profile")]
    [InlineData(
        "--module files",
        "computes: it has been running on a CPU (state R) since the trace began; see --module syscall, scheduler, uprobe or profile")]
    public void Silence_OfAProcessThatComputes_SaysSo(string flags, string hint)
    {
        using var loop =
            Process.Start(new ProcessStartInfo("bash", ["-c", "echo; while :; do :; done"]) { RedirectStandardOutput = true })!;
        loop.StandardOutput.ReadLine();
        using var veil = VeilRun.Attach([.. flags.Split(' '), "--pid", loop.Id.ToString()]);
        Hint(veil).ShouldBe($"PID {loop.Id} {hint}");
        loop.Kill();
    }

    /// <summary>On a terminal filters are counted: the events that one drops are of all other processes.</summary>
    [Fact]
    public void Silence_OfAProcessThatComputes_IsNotBlamedOnTheFilter()
    {
        using var loop =
            Process.Start(new ProcessStartInfo("bash", ["-c", "echo; while :; do :; done"]) { RedirectStandardOutput = true })!;
        loop.StandardOutput.ReadLine();
        using var terminal = new Terminal($"{Repository.Veil} --module syscall --pid {loop.Id}");
        terminal.WaitFor($"veil: nothing yet: PID {loop.Id} makes no system calls");
        loop.Kill();
    }

    [Fact]
    public void Silence_OfAProcessWithoutTcp_SaysWhatIsSeen()
    {
        using var udp = new System.Net.Sockets.UdpClient(0);
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        int port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        using var hold = Workload.Waiting("hold", "0");
        using var none = VeilRun.Attach("--module", "network", "--pid", hold.Pid);
        using var listens = VeilRun.Attach("--module", "network", "--port", port.ToString());

        Hint(none).ShouldBe($"only TCP connections are seen, and PID {hold.Pid} had no TCP socket when the trace began");
        Hint(listens).ShouldBe($"port {port} has a listener and no connection: events come with each connection");
    }

    [Fact]
    public void Silence_OfChildrenThatComeAndGo_NamesThem()
    {
        using var parent =
            Process.Start(new ProcessStartInfo("bash", ["-c", "read; while :; do sleep 2; done"]) { RedirectStandardInput = true })!;
        using var veil = VeilRun.Attach("--module", "memory", "--fault", "major", "--pid", parent.Id.ToString());
        parent.StandardInput.WriteLine();
        Hint(veil).ShouldMatch(
            $"^PID {parent.Id} has 1 child \\([0-9]+\\) that is not traced, and as young as this trace; --follow traces children from " +
            $"the moment they are made$");
        parent.Kill(entireProcessTree: true);
    }

    [Theory]
    [InlineData("--name no-such-name", "no thread has a name with 'no-such-name' in it")]
    [InlineData("--uid 3999999999", "no process of user 3999999999 runs")]
    public void Silence_OfFiltersThatNothingHas_SaysWhich(string flags, string hint)
    {
        using var veil = VeilRun.Attach(["--module", "syscall", .. flags.Split(' ')]);
        Hint(veil).ShouldBe(hint);
    }

    [Fact]
    public void Silence_OfAProcessThatEnded_SaysSo()
    {
        using var burst = Workload.Waiting("burst", "10");
        using var veil = VeilRun.Attach("--module", "network", "--pid", burst.Pid);
        burst.Go();
        Hint(veil).ShouldBe($"PID {burst.Pid} has ended");
    }

    [Fact]
    public void Silence_ThatWasAskedForOrIsNone_SaysNothing()
    {
        using var burst = Workload.Waiting("burst", "10");
        using var quiet = VeilRun.Begin("--module", "syscall", "--name", "no-such-name", "--quiet");
        using var busy = VeilRun.Attach("--module", "syscall", "--pid", burst.Pid);
        burst.Go();
        // Both began before this one, and are past the moment when this one is.
        using var silent = VeilRun.Attach("--module", "syscall", "--name", "no-such-name");
        _ = Hint(silent);

        busy.Stop().ShouldBe(0);
        busy.Errors.ShouldNotContain("nothing yet");
        quiet.Stop().ShouldBe(0);
        quiet.Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--count")]
    [InlineData("--hist duration_ns --returns")]
    [InlineData("--count-by pid --interval 1")]
    public void Silence_WhereNothingIsCounted_SaysWhy(string counting)
    {
        using var hold = Workload.Waiting("hold", "0");
        using var veil = VeilRun.Attach(["--module", "syscall", "--pid", hold.Pid, .. counting.Split(' ')]);
        Hint(veil).ShouldBe($"PID {hold.Pid} has been in read since the trace began");
    }

    [Fact]
    public void Silence_WhereSomethingWasCounted_SaysNothing()
    {
        using var burst = Workload.Waiting("burst", "10");
        using var small = VeilRun.Attach("--module", "syscall", "--pid", burst.Pid, "--count");
        using var other = VeilRun.Attach("--module", "syscall", "--pid", burst.Pid, "--count-by", "comm");
        using var turns = VeilRun.Attach("--module", "syscall", "--pid", burst.Pid, "--count-by", "comm", "--interval", "0.5");
        burst.Go();
        // They began before this one, and are past the moment when this one is.
        using var silent = VeilRun.Attach("--module", "syscall", "--name", "no-such-name", "--count");
        _ = Hint(silent);

        foreach (var veil in new[] { small, other, turns })
        {
            veil.Stop().ShouldBe(0);
            veil.Errors.ShouldNotContain("nothing yet");
        }
    }

    [Fact]
    public void Silence_WhereFileDropsAllInUserspace_SaysHowMany()
    {
        string many = string.Join(',', Enumerable.Range(0, 100).Select(static i => $"/no/such/folder{i}"));
        using var shell =
            Process.Start(
            new ProcessStartInfo(
            "bash", ["-c", "while read -t 0.05; [ $? -gt 128 ]; do : < /etc/hostname; done"])
            { RedirectStandardInput = true })!;
        using var veil = VeilRun.Attach("--module", "files", "--pid", shell.Id.ToString(), "--file", many);
        Hint(veil).ShouldMatch("^--file dropped all [1-9][0-9]* events so far$");
        veil.Stop().ShouldBe(0);
        veil.Lines.ShouldBeEmpty();
        shell.StandardInput.Close();
        shell.WaitForExit();
    }

    /// <summary>Not over what is typed: a pause is a silence that was asked for.</summary>
    [Fact]
    public void Prompt_WhileItIsOpen_HasNoHintOfSilence()
    {
        using var terminal = new Terminal($"{Repository.Veil} --module syscall --name no-such-name");
        terminal.WaitFor("CTRL-C pauses and asks");
        terminal.Type("\u0003");
        terminal.WaitFor("veil $ ");
        Thread.Sleep(5_000);
        terminal.Type("resume\r");
        terminal.WaitFor("resumed; ").ShouldNotContain("nothing yet");
        terminal.WaitFor("veil: nothing yet: no thread has a name with 'no-such-name' in it\r\n");
    }

    private static string Hint(VeilRun veil)
    {
        const string begin = "veil: nothing yet: ";
        SpinWait.SpinUntil(() => veil.Errors.Contains(begin, StringComparison.Ordinal), s_patience).ShouldBeTrue(veil.Errors);
        return veil.Errors.Split('\n').Single(static line => line.StartsWith(begin, StringComparison.Ordinal))[begin.Length..];
    }
}
