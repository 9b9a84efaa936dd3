using System.Diagnostics;

namespace Veil.Kernel.Tests;

/// <summary>What a trace says that has nothing to show.</summary>
public sealed class SilenceTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Silence_OfAMasterWithWorkers_NamesThemAndTheCommand()
    {
        using var master = Process.Start(new ProcessStartInfo("bash", ["-c", "sleep 1000 & sleep 1000 & echo $!; read; kill %1 %2"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        int second = int.Parse(master.StandardOutput.ReadLine()!);
        using var other = VeilRun.Attach("--module", "syscall", "--pid", master.Id.ToString());
        Hint(other).ShouldMatch($"^PID {master.Id} has 2 children \\([0-9]+, {second}\\) that are not traced; -p {master.Id},[0-9]+,{second} traces all$");
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
    public void Silence_WhereFileDropsAll_SaysHowMany()
    {
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", "while read -t 0.05; [ $? -gt 128 ]; do : < /etc/hostname; done"]) { RedirectStandardInput = true })!;
        using var veil = VeilRun.Attach("--module", "files", "--pid", shell.Id.ToString(), "--file", "/no/such/folder");
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
