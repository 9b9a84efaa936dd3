// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary><c>--enrich exe</c>. The oracle is <c>/proc/PID/exe</c>, or who made the process.</summary>
public sealed class ExecutableTests
{
    private const int Calls = 100;
    private const int Many = 2_000;

    [Theory]
    [InlineData("tp_btf")]
    [InlineData("raw_tp")]
    public void Exe_OfAnOlderProcess_IsItsFile(string hook)
    {
        using var burst = Workload.Waiting("burst", $"{Calls}");
        string exe = new FileInfo($"/proc/{burst.Pid}/exe").LinkTarget!;
        using var veil = VeilRun.Attach("-m", "syscall", "--hook", hook, "-p", burst.Pid, "-s", "getppid", "--enrich", "exe", "-o", "json");
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.ShouldAccountFor(veil.Events.Length, Calls);
        veil.Events.ShouldAllBe(e => e.GetProperty("exe").GetString() == exe);
    }

    [Fact]
    public void Exe_OfManyThatLiveShortly_IsKnown()
    {
        using var workload = Workload.Waiting("processes", "many", $"{Many}");
        string exe = new FileInfo($"/proc/{workload.Pid}/exe").LinkTarget!;
        using var veil = VeilRun.Attach("-m", "syscall", "-f", "-p", workload.Pid, "-s", "exit_group,execve", "--enrich", "exe", "-o", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.ShouldHaveLostNothing();
        veil.Events.Count(static e => e.GetProperty("syscall").ValueEquals("exit_group")).ShouldBe(Many + 1);
        veil.Events.ShouldAllBe(e => e.GetProperty("exe").GetString() == exe);
    }

    [Fact]
    public void Exe_OfWhatShellsMake_IsTheShellsUntilItExecutes()
    {
        string copy = Path.Combine(Path.GetTempPath(), $"veil-exe-{Guid.NewGuid():N}");
        File.Copy("/usr/bin/true", copy);
        try
        {
            string script = $"read -r _; (:); {copy}; rm {copy}.2; ln {copy} {copy}.2 && {{ {copy}.2 & }}; wait";
            using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardInput = true, RedirectStandardError = true })!;
            string bash = new FileInfo($"/proc/{shell.Id}/exe").LinkTarget!;
            using var veil =
                VeilRun.Attach("-m", "syscall", "-f", "-p", $"{shell.Id}", "-s", "exit_group", "--enrich", "exe,parent", "-o", "json");
            shell.StandardInput.WriteLine();
            shell.WaitForExit();
            veil.Stop().ShouldBe(0);

            veil.Events.Select(static e => e.GetProperty("exe").GetString()!).Select(exe => exe == bash ? "bash" : Path.GetFileName(exe)).Order()
                .ShouldBe(new[] { "bash", "bash", Path.GetFileName(copy), Path.GetFileName(copy) + ".2", "ln", "rm" }.Order());
        }
        finally
        {
            File.Delete(copy);
            File.Delete(copy + ".2");
        }
    }

    [Fact]
    public void Exe_OfEveryModule_IsTheSame()
    {
        using var veil = VeilRun.ToEnd(
            "-m", "syscall,files,memory,scheduler,signal,process", "--enrich", "exe", "-o", "json", "-w", "-", "--", "bash", "-c", "kill -WINCH $$; cat /etc/hostname >/dev/null");
        veil.ExitCode.ShouldBe(0, veil.Errors);
        var own = veil.Events.Where(static e => e.GetProperty("comm").ValueEquals("cat")).ToList();
        own.Select(static e => e.GetProperty("module").GetString()).Distinct().Count().ShouldBeGreaterThanOrEqualTo(4);
        own.ShouldAllBe(static e => e.GetProperty("exe").GetString()!.EndsWith("/cat"));
    }

    [Fact]
    public void Exe_OfAThreadOfTheKernel_IsNull()
    {
        using var veil =
            VeilRun.ToEnd("-q", "-m", "scheduler", "-n", "rcu", "--enrich", "exe", "-o", "json", "--max-events", "3", "--duration", "20s");
        veil.Events.Where(static e => e.GetProperty("comm").GetString()!.StartsWith("rcu", StringComparison.Ordinal))
            .ShouldAllBe(static e => e.GetProperty("exe").ValueKind == JsonValueKind.Null);
    }
}
