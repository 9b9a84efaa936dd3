// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Descendants: of what filters choose, of a command, and of what is added while the trace runs.</summary>
public sealed class FollowTests
{
    // Every way to make a task, so often.
    private const int Times = 200;
    private const long Calls = 5 * Times;

    // Marks are kept with the tasks, and by their ids where a hook was asked for.
    [Theory]
    [InlineData("--module", "syscall")]
    [InlineData("--module", "syscall", "--hook", "tp_btf")]
    [InlineData("--module", "syscall", "--hook", "raw_tp")]
    [InlineData("--module", "syscall", "--returns")]
    public void Follow_EveryWayToMakeATask_SeesEachCall(params string[] flags)
    {
        using var family = Workload.Waiting("family", Times.ToString());
        using var veil = VeilRun.Attach([.. flags, "-f", "-p", family.Pid, "--syscall", "getppid", "-o", "json"]);
        family.Go();
        veil.Stop().ShouldBe(0);

        veil.ShouldHaveLostNothing();
        veil.ShouldAccountFor(veil.Events.Length, Calls);
        family.Number("getppid").ShouldBe(Calls);
    }

    [Fact]
    public void Follow_TenThousandChildrenOfACommand_LosesNone()
    {
        string file = Path.GetTempFileName();
        using var veil =
            VeilRun.ToEnd(
            "--module", "syscall", "--syscall", "getppid", "-o", "json", "-w", file, "--", Repository.Workload("family"), "2000");
        veil.ExitCode.ShouldBe(0, veil.Errors);
        veil.ShouldHaveLostNothing();
        veil.ShouldAccountFor(File.ReadAllLines(file).Length, 10_000);
        File.Delete(file);
    }

    [Fact]
    public void Follow_Off_SeesTheProcessAndItsThreads()
    {
        using var family = Workload.Waiting("family", "10");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", family.Pid, "--syscall", "getppid", "-o", "json");
        family.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldAccountFor(veil.Events.Length, 10);
    }

    /// <summary>A descendant needs no allow, but no deny is skipped: one call of five is that of a program, which is run as
    /// /proc/self/exe.</summary>
    [Fact]
    public void Follow_Denied_IsNotSeen()
    {
        using var family = Workload.Waiting("family", "10");
        using var veil = VeilRun.Attach("--module", "syscall", "-f", "-n", "family", "-n", "!exe", "--syscall", "getppid", "-o", "json");
        family.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldAccountFor(veil.Events.Length, 4 * 10);
    }

    /// <summary>A mark holds for all modules, whoever put it there.</summary>
    [Fact]
    public void Follow_SeveralModules_FollowTheSame()
    {
        using var family = Workload.Waiting("family", "10");
        using var veil =
            VeilRun.Attach("--module", "scheduler,syscall,memory", "-f", "-p", family.Pid, "--syscall", "getppid", "-o", "json");
        family.Go();
        veil.Stop().ShouldBe(0);
        var byModule = veil.Events.Where(static e => e.TryGetProperty("pid", out _))
            .ToLookup(
            static e => e.TryGetProperty("syscall", out _) ? "syscall" : e.TryGetProperty("address", out _) ? "memory" : "scheduler");
        veil.ShouldAccountFor(byModule["syscall"].Count(), 50);
        var programs = byModule["memory"].Select(static e => e.GetProperty("comm").GetString()).Distinct();
        programs.ShouldContain("exe");
    }

    [Fact]
    public void Follow_AddedAtRuntime_BringsTheProcessAndItsChildren()
    {
        string socket = $"/run/veil-follow-{Guid.NewGuid():N}";
        using var family = Workload.Waiting("family", "10");
        using var veil =
            VeilRun.Attach(
            "--module", "syscall,files", "-f", "-n", "no-such-name", "--syscall", "getppid", "-o", "json", "--control", socket);
        using var added = VeilRun.ToEnd("control", socket, "add", "follow", family.Pid);
        added.ExitCode.ShouldBe(0, added.Errors);
        using var listed = VeilRun.ToEnd("control", socket, "list", "follow");
        listed.Lines.ShouldBe([family.Pid]);
        family.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldAccountFor(veil.Events.Count(static e => e.TryGetProperty("syscall", out _)), 50);
    }

    [Fact]
    public void Follow_BesideACommand_AddsRoots()
    {
        string file = Path.GetTempFileName(), end = file + ".end";
        string workload = Repository.Workload("family");
        using var family = Workload.Waiting("family", "10");
        using var veil =
            VeilRun.Begin(
            "--module", "syscall", "-p", family.Pid, "--syscall", "getppid", "-o", "json", "-w", file, "--", "sh", "-c",
            $"{workload} 10; until [ -e {end} ]; do sleep 0.1; done");
        SpinWait.SpinUntil(() => File.ReadAllLines(file).Length >= 50, TimeSpan.FromSeconds(20)).ShouldBeTrue();
        family.Go();
        File.WriteAllText(end, "");
        veil.WaitForExit().ShouldBe(0);
        // The shell asks for its parent too.
        veil.ShouldAccountFor(
            File.ReadAllLines(file).Count(static line => JsonDocument.Parse(line).RootElement.GetProperty("comm").GetString() != "sh"),
            100);
        File.Delete(file);
        File.Delete(end);
    }
}
