// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary><c>--output strace</c> by every hook, without strace beside it: <see cref="OracleTests"/> has that.</summary>
public sealed class StraceTests
{
    private const string Refused = "--args is refused";

    public static TheoryData<string> Hooks => [.. Rungs.Possible("syscall")];

    [KernelTheory(6, 2, Refused)]
    [MemberData(nameof(Hooks))]
    public void Output_OfAShell_HasItsCallsAndItsEnd(string hook)
    {
        string[] lines = Trace("cd /; exit 3", wait: true, out int pid, "--hook", hook);

        lines.ShouldContain($"{pid,-5} chdir(\"/\")                        = 0");
        lines[^2..].ShouldBe([$"{pid,-5} exit_group(3)                     = ?", $"{pid,-5} +++ exited with 3 +++"]);
    }

    [KernelTheory(6, 2, Refused)]
    [MemberData(nameof(Hooks))]
    public void Output_OfSignals_IsLikeThatOfATracerByPtrace(string hook)
    {
        string[] lines =
            Trace("trap '' HUP; kill -HUP $$; trap : USR1; kill -USR1 $$; kill -TERM $$", wait: true, out int pid, "--hook", hook);

        lines.Where(static line => line.Contains("---", StringComparison.Ordinal) || line.Contains("+++", StringComparison.Ordinal))
            .ShouldBe(
        [
            $"{pid,-5} --- SIGHUP {{si_signo=SIGHUP, si_code=SI_USER, si_pid={pid}, si_uid=0}} ---",
            $"{pid,-5} --- SIGUSR1 {{si_signo=SIGUSR1, si_code=SI_USER, si_pid={pid}, si_uid=0}} ---",
            $"{pid,-5} --- SIGTERM {{si_signo=SIGTERM, si_code=SI_USER, si_pid={pid}, si_uid=0}} ---",
            $"{pid,-5} +++ killed by SIGTERM +++",
        ]);
    }

    [KernelTheory(6, 2, Refused)]
    [MemberData(nameof(Hooks))]
    public void Output_OfACallUnderWay_IsUnfinished(string hook) =>
        Trace("read -r again", wait: false, out int pid, "--hook", hook)[^1].ShouldBe($"{pid,-5} read(0 <unfinished ...>");

    [KernelFact(6, 2, Refused)]
    public void Output_WithTimeAndDuration_HasBoth()
    {
        string[] lines = Trace("cd /; exit 0", wait: true, out int pid, "--enrich", "time", "--fields", "duration_ns");

        lines.ShouldContain(
            line => Regex.IsMatch(
            line, $@"^{pid,-5} \d{{10}}\.\d{{6}} chdir\(""/""\) += 0 <\d\.\d{{6}}>$", RegexOptions.None, TimeSpan.FromSeconds(10)));
        lines[^1].ShouldMatch($@"^{pid,-5} \d{{10}}\.\d{{6}} \+\+\+ exited with 0 \+\+\+$");
    }

    // A shell that begins when it is traced; ended, or left in what it does last.
    private static string[] Trace(string script, bool wait, out int pid, params string[] more)
    {
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", "read -r _; " + script]) { RedirectStandardInput = true })!;
        pid = shell.Id;
        using var veil = VeilRun.Attach(["--module", "syscall", "--output", "strace", "-p", shell.Id.ToString(), .. more]);
        shell.StandardInput.WriteLine();
        if (wait)
            shell.WaitForExit();
        else
            WaitForRead(shell.Id);
        veil.Stop().ShouldBe(0);
        shell.StandardInput.Close();
        shell.WaitForExit();
        return veil.Lines;
    }

    // Until it has taken the first line and waits in read for the next: nothing of it runs.
    private static void WaitForRead(int pid)
    {
        var until = DateTime.UtcNow.AddSeconds(30);
        while (!File.ReadAllText($"/proc/{pid}/syscall").StartsWith("0 0x0 ", StringComparison.Ordinal)
            || File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1][0] != 'S')
        {
            (DateTime.UtcNow < until).ShouldBeTrue("the shell does not read");
            Thread.Sleep(20);
        }

        Thread.Sleep(200);
    }
}
