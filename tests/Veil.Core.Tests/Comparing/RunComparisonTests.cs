// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Comparing;

namespace Veil.Core.Tests.Comparing;

/// <summary>Who stands for whom, and what is the first difference, of runs that are made by hand.</summary>
public sealed class RunComparisonTests
{
    private const int Open = 1, Close = 2, Exec = 3;

    [Fact]
    public void Compare_OfChildrenInAnotherOrder_IsTheSame()
    {
        var good = Run(Process("make", [], Process("cc", [Event(Open, 10)]), Process("as", [Event(Open, 11)]), Process("cc", [Event(Open, 12)])));
        var bad = Run(Process("make", [], Process("as", [Event(Open, 11)]), Process("cc", [Event(Open, 10)]), Process("cc", [Event(Open, 12)])));
        new RunComparison(good, bad).First.ShouldBeNull();
    }

    [Fact]
    public void Compare_OfProgramsOfOneName_GoesByWhatTheyExecute()
    {
        var good = Run(Process("make", [], Executing("cc", "cc a.c", Event(Open, 10)), Executing("cc", "cc b.c", Event(Open, 11))));
        var bad = Run(Process("make", [], Executing("cc", "cc b.c", Event(Open, 11)), Executing("cc", "cc a.c", Event(Open, 10))));
        new RunComparison(good, bad).First.ShouldBeNull();
    }

    [Fact]
    public void Compare_WithAChildThatCouldNotExecute_ComparesItWithTheOneThatCould()
    {
        var child = Process("tar", [Event(Exec, 30)]);
        child.FirstName = "sh";
        var good = Run(Process("sh", [], child));
        var bad = Run(Process("sh", [], Process("sh", [Event(Exec, 30, whole: 31, failed: true)])));
        var first = new RunComparison(good, bad).FirstFailure!;
        (first.Role, first.Change, first.Bad!.Value.Whole).ShouldBe(("sh > tar", "changed", 31));
    }

    [Fact]
    public void Compare_WithAnExtraCall_HasOneDifference()
    {
        var good = Run(Process("a", [Event(Open, 10), Event(Open, 11), Event(Close, 20)]));
        var bad = Run(Process("a", [Event(Open, 10), Event(Open, 15), Event(Open, 11), Event(Close, 20)]));
        var role = new RunComparison(good, bad).Roles.ShouldHaveSingleItem();
        (role.Equal, role.Changed, role.Missing, role.Extra).ShouldBe((3, 0, 0, 1));
        (role.First!.Change, role.First.EqualBefore, role.First.Bad!.Value.Anchor).ShouldBe(("extra", 1, 15));
    }

    [Fact]
    public void Compare_WithAnotherPath_PairsTheCalls()
    {
        var good = Run(Process("a", [Event(Open, 10), Event(Close, 20)]));
        var bad = Run(Process("a", [Event(Open, 11), Event(Close, 20)]));
        var role = new RunComparison(good, bad).Roles.ShouldHaveSingleItem();
        (role.Equal, role.Changed, role.Missing, role.Extra).ShouldBe((1, 1, 0, 0));
        (role.First!.Good!.Value.Anchor, role.First.Bad!.Value.Anchor).ShouldBe((10, 11));
    }

    [Fact]
    public void Compare_WithAnotherCallInItsPlace_SaysBoth()
    {
        var good = Run(Process("a", [Event(Open, 10), Event(Open, 11)]));
        var bad = Run(Process("a", [Event(Open, 10), Event(Close, 20)]));
        var comparison = new RunComparison(good, bad);
        (comparison.First!.Change, comparison.First.Good!.Value.Anchor, comparison.First.Bad!.Value.Anchor).ShouldBe(("replaced", 11, 20));
        comparison.FirstFailure.ShouldBeNull();
    }

    [Fact]
    public void Compare_WithAProcessMore_NamesItAndWhatIsBelow()
    {
        var good = Run(Process("a", [], Process("b", [Event(Open, 10)])));
        var bad = Run(Process("a", [], Process("b", [Event(Open, 10)]), Process("b", [Event(Open, 10)], Process("c", [Event(Open, 10)]))));
        var comparison = new RunComparison(good, bad);
        comparison.Roles.Select(static role => (role.Role, role.First!.Change)).ShouldBe(
            [("a > b[2]", "extra_process"), ("a > b[2] > c", "extra_process")], ignoreOrder: true);
        new RunComparison(bad, good).Roles.ShouldAllBe(static role => role.First!.Change == "missing_process");
    }

    [Fact]
    public void Compare_OfDifferencesInTwoProcesses_HasTheEarlierOneFirst()
    {
        var good = Run(Process("a", [], Process("b", [Event(Open, 10, time: 5)]), Process("c", [Event(Open, 11, time: 2)])));
        var bad = Run(Process("a", [], Process("b", [Event(Open, 10, 12, 50, true)]), Process("c", [Event(Open, 11, 13, 20)])));
        var comparison = new RunComparison(good, bad);
        comparison.First!.Role.ShouldBe("a > c");
        comparison.FirstFailure!.Role.ShouldBe("a > b");
    }

    [Fact]
    public void Compare_OfThreads_GoesByNameAndOrder()
    {
        var good = Process("a", []);
        AddThread(good, 2, "worker", Event(Open, 10));
        AddThread(good, 3, "worker", Event(Open, 11));
        var bad = Process("a", []);
        AddThread(bad, 8, "worker", Event(Open, 10));
        AddThread(bad, 9, "worker", Event(Open, 12));
        new RunComparison(Run(good), Run(bad)).Roles.ShouldHaveSingleItem().Role.ShouldBe("a > thread worker[2]");
    }

    [Fact]
    public void Compare_OfMoreCalls_HasTotalsOfBoth()
    {
        var good = Process("a", []);
        good.Totals[Open] = new(3, 1, 100);
        var bad = Process("a", []);
        bad.Totals[Open] = new(4, 2, 200);
        new RunComparison(Run(good), Run(bad)).Totals[("a", Open)].ShouldBe((new CallTotals(3, 1, 100), new CallTotals(4, 2, 200)));
    }

    private static RunEvent Event(int name, int anchor, int? whole = null, uint time = 0, bool failed = false) =>
        new(name, anchor, whole ?? anchor, RunEvent.TimeOf(time, failed));

    private static RunProcess Process(string name, RunEvent[] events, params RunProcess[] children)
    {
        var process = new RunProcess(1) { Name = name, FirstName = name };
        AddThread(process, 1, name, events);
        process.Children.AddRange(children);
        return process;
    }

    private static RunProcess Executing(string name, string executed, params RunEvent[] events)
    {
        var process = Process(name, events);
        process.Executed = executed;
        return process;
    }

    private static void AddThread(RunProcess process, uint tid, string name, params RunEvent[] events)
    {
        var thread = new RunThread(tid) { Name = name };
        thread.Lanes.Add("calls", [.. events]);
        process.Threads.Add(thread);
    }

    private static Run Run(params RunProcess[] roots)
    {
        var run = new Run();
        run.Roots.AddRange(roots);
        return run;
    }
}
