// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Stacks of code without frame pointers, against what the compiler's own unwinder says in the program.</summary>
public sealed class UnwindTests
{
    [Theory]
    [InlineData("chain", "calls")]
    [InlineData("chain", "sort")]
    [InlineData("chain", "signal")]
    [InlineData("chain", "thread")]
    [InlineData("chain", "tail")]
    [InlineData("chain-dynamic", "calls")]
    [InlineData("chain-dynamic", "sort")]
    [InlineData("chain-dynamic", "signal")]
    [InlineData("chain-dynamic", "thread")]
    [InlineData("chain-dynamic", "tail")]
    [InlineData("chain-stripped", "sort")]
    [InlineData("chain-stripped", "signal")]
    [InlineData("chain-pie", "sort")]
    [InlineData("chain-pie", "signal")]
    public void Events_CodeWithoutFramePointers_HaveTheStackOfTheProgramsOwnUnwinder(string program, string way)
    {
        using var workload = Workload.Waiting(program, way, "25");
        using var veil = Attach(workload, "--stack", "user", "--unwind", "dwarf");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(25);
        foreach (var stack in veil.Events.Select(static e => e.GetProperty("ustack")))
            Returns(stack).ShouldBe(workload["stack"]);
        veil.ShouldHaveLostNothing();
    }

    [Fact]
    public void Names_ProcessThatHasEnded_AreThoseOfItsFunctions()
    {
        using var workload = Workload.Waiting("chain-dynamic", "sort", "1");
        using var veil = Attach(workload, "--stack", "user", "--unwind", "auto");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var names = Names(veil.Events.ShouldHaveSingleItem().GetProperty("ustack"));
        names[..2].ShouldBe(["leaf", "compare"]);
        names.ShouldContain(static name => name.StartsWith("qsort", StringComparison.Ordinal));
        string[] chain = ["sort", "f10", "f9", "f8", "f7", "f6", "f5", "f4", "f3", "f2", "f1", "main"];
        names[Array.IndexOf(names, "sort")..].Take(chain.Length).ShouldBe(chain);
        names[^1].ShouldBe("_start");
    }

    /// <summary>The same program by frame pointers: nobody reaches its first function.</summary>
    [Fact]
    public void FramePointers_CodeWithoutThem_EndEarly()
    {
        using var workload = Workload.Waiting("chain-dynamic", "calls", "1");
        using var veil = Attach(workload, "--stack", "user", "--unwind", "fp");
        workload.Go();
        veil.Stop().ShouldBe(0);

        Names(veil.Events.ShouldHaveSingleItem().GetProperty("ustack")).ShouldNotContain("_start");
    }

    [Fact]
    public void Counts_ByStack_AreExactAndCountedFromWhatWasSent()
    {
        using var workload = Workload.Waiting("chain-dynamic", "calls", "500");
        using var veil = Attach(workload, "--count-by", "ustack", "--unwind", "dwarf");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var key = veil.Events.Where(static e => e.TryGetProperty("percent", out _)).ShouldHaveSingleItem();
        key.GetProperty("count").GetInt64().ShouldBe(500);
        Returns(key.GetProperty("ustack")).ShouldBe(workload["stack"]);
        veil.ShouldHaveLostNothing();
    }

    [Fact]
    public void Counts_MoreThanTheRingHolds_AreCountedOrLostAndSaid()
    {
        const int calls = 20_000;
        using var workload = Workload.Waiting("chain-dynamic", "calls", calls.ToString(CultureInfo.InvariantCulture));
        using var veil = Attach(workload, "--count-by", "ustack", "--unwind", "dwarf", "--stack-copy", "64K", "--buffer", "1M");
        workload.Go();
        veil.Stop();

        // An event whose copy found no room is there without its stack.
        veil.Events.Single(static e => e.TryGetProperty("total", out _)).GetProperty("total").GetInt64().ShouldBeLessThanOrEqualTo(calls);
        veil.Events.Where(static e => e.TryGetProperty("percent", out _)).Select(static e => e.GetProperty("ustack"))
            .ShouldAllBe(stack => stack.ValueKind == JsonValueKind.Null || Returns(stack) == workload["stack"]);
        veil.Errors.ShouldContain("stacks");
    }

    [Fact]
    public void Copy_DeeperThanItReaches_SaysSo()
    {
        using var workload = Workload.Waiting("chain", "deep", "40");
        using var veil = VeilRun.Attach(
            "--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--stack", "user", "--unwind", "dwarf", "--stack-copy", "8K");
        workload.Go();
        veil.Stop().ShouldBe(0);

        // A page or two, in frames of a kilobyte.
        veil.Lines.Length.ShouldBeInRange(1 + 7, 1 + 14);
        veil.Lines[^1].ShouldContain("--stack-copy");
    }

    /// <summary>Here they are kept, and lead on where the copy ends.</summary>
    [Theory]
    [InlineData("auto", true)]
    [InlineData("dwarf", false)]
    public void Auto_DeeperThanTheCopy_GoesOnByFramePointers(string unwind, bool reachesMain)
    {
        using var workload = Workload.Waiting("chain-frames", "deep", "40");
        using var veil = Attach(workload, "--stack", "user", "--unwind", unwind, "--stack-copy", "4K");
        workload.Go();
        veil.Stop().ShouldBe(0);

        string[] names = Names(veil.Events.ShouldHaveSingleItem().GetProperty("ustack"));
        names.Contains("main").ShouldBe(reachesMain);
        if (reachesMain)
            names.Count(static name => name == "deep").ShouldBe(41);
    }

    [Fact]
    public void Profile_EachSampleOfTheProgram_ReachesItsFirstFunction()
    {
        using var workload = Workload.Waiting("chain-dynamic", "spin", "1000");
        using var veil = VeilRun.Attach("--module", "profile", "--hz", "299", "-p", workload.Pid, "--unwind", "dwarf", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        string chain = workload["stack"][(workload["stack"].IndexOf(',', StringComparison.Ordinal) + 1)..];
        var stacks = veil.Events.Select(static e => e.GetProperty("ustack")).Where(static stack => stack.ValueKind == JsonValueKind.Array).ToList();
        stacks.Count.ShouldBeGreaterThan(100);
        // Before and after its work it is elsewhere.
        var inWork = stacks.Where(stack => Returns(stack).EndsWith(chain, StringComparison.Ordinal)).ToList();
        ((double)inWork.Count / stacks.Count).ShouldBeGreaterThan(0.95);
        int most = chain.Split(',').Length + 4;
        inWork.ShouldAllBe(stack => stack.GetArrayLength() <= most);
        veil.ShouldHaveLostNothing();
    }

    [Fact]
    public void Folded_Profile_EndsInTheWorkOfEachFunction()
    {
        using var workload = Workload.Waiting("chain-dynamic", "spin", "600");
        using var veil = VeilRun.Attach(
            "--module", "profile", "--hz", "199", "-p", workload.Pid, "--count-by", "comm,ustack", "--unwind", "dwarf", "--output", "folded");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldContain(static line => line.Contains(";main;f1;f2;f3;f4;f5;f6;f7;f8;f9;f10;leaf", StringComparison.Ordinal));
    }

    [Fact]
    public void Uprobe_FunctionOfTheLibrary_HasItsCallers()
    {
        using var workload = Workload.Waiting("chain-dynamic", "signal", "1");
        using var veil = VeilRun.Attach("--module", "uprobe", "-p", workload.Pid, "--uprobe", "libc.so.6:raise", "--stack", "user", "--unwind", "dwarf", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        string[] names = Names(veil.Events.ShouldHaveSingleItem().GetProperty("ustack"));
        string[] expected = ["interrupt", "f10", "f9", "f8", "f7", "f6", "f5", "f4", "f3", "f2", "f1", "main"];
        names[1..(1 + expected.Length)].ShouldBe(expected);
        names[^1].ShouldBe("_start");
    }

    [Fact]
    public void Replay_OfUnwoundStacks_GivesTheSameBytes()
    {
        string file = Path.Combine(Path.GetTempPath(), $"veil-unwind-{Environment.ProcessId}.rec");
        try
        {
            using var workload = Workload.Waiting("chain-dynamic", "sort", "20");
            using var veil = Attach(workload, "--stack", "user,kernel", "--unwind", "dwarf", "--record", file, "--force");
            workload.Go();
            veil.Stop().ShouldBe(0);
            var replay = VeilRun.ToEnd("replay", file, "--stack", "user,kernel", "--output", "json");

            veil.Lines.Length.ShouldBe(20);
            Encoding.UTF8.GetString(replay.RawOutput).ShouldBe(Encoding.UTF8.GetString(veil.RawOutput));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static VeilRun Attach(Workload workload, params string[] flags) =>
        VeilRun.Attach(["--module", "syscall", "-p", workload.Pid, "--syscall", "getppid", "--output", "json", .. flags]);

    // All but the innermost, which is where the call is made.
    private static string Returns(JsonElement stack) => stack.ValueKind != JsonValueKind.Array ? "none"
        : string.Join(',', stack.EnumerateArray().Skip(1).Select(static frame => frame.GetProperty("address").GetString()));

    private static string[] Names(JsonElement stack) =>
        [.. stack.EnumerateArray().Select(static frame => frame.GetProperty("symbol").GetString() ?? "?")];
}
