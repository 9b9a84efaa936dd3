// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Which file and which place uprobe probes, where names and paths are not the whole truth.</summary>
public sealed class UprobeFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-uprobe-").FullName;

    public static TheoryData<string> Hooks => [.. Rungs.Possible("uprobe")];

    [Fact]
    public void Uprobe_OneFileByTwoNames_IsOneEventForACall()
    {
        string link = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(link, Repository.Workload("uprobe"));
        using var workload = Workload.Waiting("uprobe", "calls");
        using var veil = Attach(workload, $"{Repository.Workload("uprobe")}:traced_call,{link}:traced_call");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(1000);
        veil.Errors.ShouldContain(
            $"warning: traced_call ({link}) is the same code as traced_call ({Repository.Workload("uprobe")}): its calls " +
            $"are events of that alone");
    }

    [Fact]
    public void Pid_OfAProgramThatWasReplaced_IsTracedAsItRuns()
    {
        string program = Path.Combine(_folder, "program");
        File.Copy(Repository.Workload("uprobe"), program);
        using var workload = Workload.Waiting(program, "calls");
        // Another file, in which the function is elsewhere.
        string next = program + ".new";
        File.Copy(Repository.Workload("uprobe-pie"), next);
        File.Move(next, program, overwrite: true);
        using var veil = Attach(workload, program + ":traced_call");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(1000);
        veil.Events.ShouldAllBe(e => e.GetProperty("path").GetString() == program);
        veil.Errors.ShouldNotContain("warning");
    }

    [Fact]
    public void Pid_OfAProgramThatWasDeleted_IsTraced()
    {
        string program = Path.Combine(_folder, "program");
        File.Copy(Repository.Workload("uprobe"), program);
        using var workload = Workload.Waiting(program, "calls");
        File.Delete(program);
        using var veil = Attach(workload, program + ":traced_call");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(1000);
    }

    [Fact]
    public void Pid_OfAProcessWithoutTheFile_IsAWarning()
    {
        using var workload = Workload.Waiting("uprobe", "calls");
        using var veil = Attach(workload, Repository.Workload("uprobe-pie") + ":traced_call");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.ShouldBeEmpty();
        veil.Errors.ShouldContain(
            $"warning: process {workload.Pid} has not mapped {Repository.Workload("uprobe-pie")}; nothing will be seen until it does");
    }

    [Fact]
    public void Pid_OfAProcessInAnotherRoot_MeansItsFiles()
    {
        // There the path leads to another file than here, by a link that is absolute there.
        string program = Path.Combine(_folder, "program");
        File.Copy(Repository.Workload("uprobe-pie"), program);
        string root = Path.Combine(_folder, "root");
        string there = root + program;
        Directory.CreateDirectory(Path.GetDirectoryName(there)!);
        File.Copy(Repository.Workload("uprobe"), Path.Combine(root, "real"));
        File.CreateSymbolicLink(there, "/real");
        string script = Path.Combine(_folder, "script");
        File.WriteAllText(script, $"#!/bin/sh\nexec chroot {root} {program} \"$@\"\n");
        System.Diagnostics.Process.Start("chmod", ["+x", script]).WaitForExit();
        using var workload = Workload.Waiting(script, "calls");
        using var veil = Attach(workload, program + ":traced_call");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(1000);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Hook_EachWay_SeesEachCallAndItsDuration(string hook)
    {
        using var workload = Workload.Waiting("uprobe", "recursion");
        using var veil = Attach(workload, Repository.Workload("uprobe") + ":traced_recurse", "--latency", "--hook", hook);
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe((int)workload.Number("calls"));
        veil.Events.ShouldAllBe(static e => e.GetProperty("duration_ns").GetInt64() > 0);
    }

    [KernelFact(6, 6, "it depends on the stable release: ba677dbe77af is in some")]
    public void Uprobe_WithTwoCapabilities_Traces()
    {
        using var workload = Workload.Waiting("uprobe", "calls");
        using var veil = VeilRun.AttachUnder(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all,+bpf,+perfmon",
                "--ambient-caps=-all,+bpf,+perfmon"],
            "--module", "uprobe", "--latency", "--yes", "-o", "json", "-p", workload.Pid, "--uprobe", Repository.Workload("uprobe")
                + ":traced_call");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(1000);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Latency_ExceptionsThroughTheFunction_TheProgramGoesOn(string hook)
    {
        using var workload = Workload.Waiting("thrower");
        using var veil = Attach(workload, Repository.Workload("thrower") + ":Thrower::some(int)", "--latency", "--hook", hook);
        workload.Go();
        veil.Stop().ShouldBe(0);

        workload.Number("caught").ShouldBe(3);
        // One call more, behind the loop, by a jump from another function.
        veil.Events.Length.ShouldBe((int)workload.Number("calls") + 1);
        veil.Events.Count(static e => e.GetProperty("duration_ns").ValueKind == JsonValueKind.Null).ShouldBe(3);
        veil.Events.ShouldAllBe(static e => e.GetProperty("symbol").GetString() == "Thrower::some(int)");
    }

    [Fact]
    public void Latency_WhereAnExceptionWouldEndTheProgram_IsAsked()
    {
        string program = Repository.Workload("thrower");
        using var workload = Workload.Waiting("thrower");
        string[] arguments = ["--module", "uprobe", "--latency", "-p", workload.Pid, "--uprobe", program + ":Thrower::passed_on"];
        var refused = VeilRun.ToEnd(arguments);

        refused.ExitCode.ShouldBe(2);
        refused.Errors.Trim()
            .ShouldBe(
            $"veil: --latency: an exception that passes through Thrower::passed_on ({program}) would end the program, and its " +
            $"file has what throws them: "
            + "nobody can be asked without a terminal; narrow it down, or add --yes");
        using var veil = VeilRun.Attach([.. arguments, "--yes", "-o", "json"]);
        workload.Go();
        veil.Stop().ShouldBe(0);
        veil.Events.ShouldHaveSingleItem().GetProperty("duration_ns").GetInt64().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Uprobe_OverloadedFunctions_AreListed() =>
        VeilRun.ToEnd("--module", "uprobe", "--uprobe", Repository.Workload("thrower") + ":Thrower::some").Errors.Trim()
            .ShouldBe(
                $"veil: --uprobe: {Repository.Workload("thrower")} has 2 functions Thrower::some: give " +
                $"Thrower::some(double) or Thrower::some(int)");

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Usdt_Probe_IsAnEventEachAndCountsItsSemaphoreUp(string hook)
    {
        string program = Repository.Workload("usdt");
        using var workload = Workload.Waiting("usdt");
        using var veil = Attach(workload, $"{program}:workload:round,{program}:workload:looked", "--hook", hook);
        workload.Go();
        veil.Stop().ShouldBe(0);

        workload.Number("looked").ShouldBe(workload.Number("rounds"));
        foreach (string probe in new[] { "round", "looked" })
            veil.Events.Count(e => e.GetProperty("symbol").GetString() == "workload:" + probe).ShouldBe((int)workload.Number("rounds"));
    }

    [Fact]
    public void Usdt_NoSuchProbe_SaysWhichThereAre() =>
        VeilRun.ToEnd("--module", "uprobe", "--uprobe", Repository.Workload("usdt") + ":workload:nothing").Errors.Trim()
            .ShouldBe(
                $"veil: --uprobe: {Repository.Workload("usdt")} has no USDT probe workload:nothing; there is " +
                $"workload:looked, workload:round");

    [Fact]
    public void Uprobe_AddressAndInstruction_AreTraced()
    {
        string program = Repository.Workload("uprobe");
        string symbol =
            VeilRun.ToEndWith("nm", program).Lines.Single(static line => line.EndsWith(" traced_call", StringComparison.Ordinal));
        using var workload = Workload.Waiting("uprobe", "two");
        using var veil = Attach(workload, $"{program}:0x{symbol.Split(' ')[0]},{program}:traced_other+0");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Count(e => e.GetProperty("symbol").GetString() == "0x" + symbol.Split(' ')[0]).ShouldBe((int)workload.Number("calls"));
        veil.Events.Count(static e => e.GetProperty("symbol").GetString() == "traced_other+0").ShouldBe((int)workload.Number("others"));
    }

    /// <summary>A breakpoint there would make another instruction of it, and break the program.</summary>
    [Fact]
    public void Uprobe_MiddleOfAnInstruction_IsRefused()
    {
        string program = Repository.Workload("uprobe");
        string start =
            VeilRun.ToEndWith("nm", program).Lines.Single(static line => line.EndsWith(" traced_recurse", StringComparison.Ordinal))
            .Split(' ')[0];
        string inside = $"{ulong.Parse(start, System.Globalization.NumberStyles.HexNumber) + 1:x}";
        foreach (
            var (place, name, first) in new[] {
            ("traced_recurse+1", "traced_recurse+0x1", "traced_recurse+0x0"), ("0x" + inside, "0x" + inside, "0x" + start.TrimStart('0')) })
        {
            var run = VeilRun.ToEnd("--module", "uprobe", "--yes", "--uprobe", $"{program}:{place}");
            run.ExitCode.ShouldBe(2);
            run.Errors.Trim()
                .ShouldStartWith(
                $"veil: --uprobe: {program} has no instruction that begins at {name}: a probe there would break the program; one begins " +
                $"at {first}, the next at ");
        }
    }

    /// <summary>Where it is certain, there is nothing to warn of.</summary>
    [Fact]
    public void Uprobe_StartOfAnInstruction_IsNoWarning()
    {
        using var workload = Workload.Waiting("uprobe", "two");
        using var veil = Attach(workload, Repository.Workload("uprobe") + ":traced_other+0");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Errors.ShouldNotContain("warning");
    }

    [Fact]
    public void Tid_OfAProgramThatWasReplaced_IsTracedAsItRuns()
    {
        string program = Path.Combine(_folder, "program");
        File.Copy(Repository.Workload("uprobe"), program);
        using var workload = Workload.Waiting(program, "calls");
        string next = program + ".new";
        File.Copy(Repository.Workload("uprobe-pie"), next);
        File.Move(next, program, overwrite: true);
        using var veil =
            VeilRun.Attach("--module", "uprobe", "--tid", workload.Pid, "--output", "json", "--uprobe", program + ":traced_call");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(1000);
        veil.Errors.ShouldNotContain("warning");
    }

    [WorkloadFact("libtraced.so")]
    public void Uprobe_FunctionThatTheCpuChooses_CountsItsCalls()
    {
        using var workload = Workload.Waiting("uprobe-dynamic", "copies");
        using var veil = Attach(workload, "libc:memcpy@@GLIBC_2.14", "--count");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Single(static record => record.TryGetProperty("symbol", out _)).GetProperty("count").GetInt64()
            .ShouldBe(workload.Number("copies"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static VeilRun Attach(Workload workload, string targets, params string[] more) =>
        VeilRun.Attach(["--module", "uprobe", "-p", workload.Pid, "--output", "json", "--uprobe", targets, .. more]);
}
