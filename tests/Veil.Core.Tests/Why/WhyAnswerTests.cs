// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;
using Veil.Core.Why;

namespace Veil.Core.Tests.Why;

/// <summary>What becomes of measured times: which threads count, what is put together, and what the page says.</summary>
public sealed class WhyAnswerTests
{
    private const uint Pid = 10, Peer = 20;
    private const ulong Second = 1_000_000_000;

    [Fact]
    public void OfProcess_ThreadsThatWaitForWork_AreLeftOut()
    {
        var answer = WhyAnswer.OfProcess(
            Found(
                Row(10, WhyState.User, Second), In(11, "futex", Second), In(12, "epoll_wait", Second), Row(13, WhyState.Other, Second),
                In(14, "read", Second) with { Peer = Pid, Object = "fd 4, pipe:[1]" }), Pid);

        answer.Counted.Select(static thread => thread.Tid).ShouldBe([10u]);
        answer.LeftOut.Select(static thread => thread.Tid).ShouldBe([11u, 12u, 13u, 14u]);
        answer.Ns.ShouldBe(Second);
        answer.Shares.ShouldHaveSingleItem().Tenths.ShouldBe(1000);
    }

    [Fact]
    public void OfProcess_ThreadsThatWaitForSomebody_Count()
    {
        var answer = WhyAnswer.OfProcess(
            Found(
                Row(10, WhyState.User, Second), In(11, "futex", Second) with { Holder = 10 }, In(12, "recvfrom", Second),
                In(13, "poll", Second) with { Object = "fd 5, TCP 10.0.0.1:5 -> 10.0.0.2:5432" }, In(14, "fsync", Second, WhyState.Disk)), Pid);

        answer.LeftOut.ShouldBeEmpty();
        answer.Shares.Select(static share => share.Tenths).ShouldBe([200, 200, 200, 200, 200]);
    }

    [Fact]
    public void OfProcess_AllWaitForWork_AllCount()
    {
        var answer = WhyAnswer.OfProcess(Found(In(10, "epoll_wait", Second), In(11, "futex", Second)), Pid);

        answer.LeftOut.ShouldBeEmpty();
        answer.Shares.Count.ShouldBe(2);
    }

    [Fact]
    public void OfProcess_AThreadThatRunsMoreThanAThousandth_Counts()
    {
        var answer = WhyAnswer.OfProcess(Found(Row(10, WhyState.User, Second), In(11, "futex", Second), Row(11, WhyState.User, Second / 900)), Pid);

        answer.LeftOut.ShouldBeEmpty();
    }

    [Fact]
    public void OfProcess_TimeOutsideOfCalls_IsDividedByTheSamples()
    {
        var found = Found([Row(10, WhyState.User, Second)], Ran("parse", 60), Ran("touch", 30, isFault: true), Ran("hash", 10));

        var shares = WhyAnswer.OfProcess(found, Pid).Shares;

        shares.Select(static share => (share.Kind, share.Tenths)).ShouldBe([("on_cpu_user", 700), ("on_cpu_page_fault", 300)]);
        shares[0].Functions.Select(static hot => (hot.Name, hot.Ns)).ShouldBe([("parse", 600_000_000UL), ("hash", 100_000_000UL)]);
        shares[1].Functions.ShouldHaveSingleItem().Name.ShouldBe("touch");
    }

    [Fact]
    public void Fold_OfMany_HasSoManyLinesAndStillTheWhole()
    {
        var rows = Enumerable.Range(0, 60).Select(at => In(10, at % 2 == 0 ? "recvfrom" : "write", Second + (ulong)at) with { Object = $"fd {at}, x" });

        var folded = WhyAnswer.Fold(WhyAnswer.OfProcess(Found([.. rows]), Pid).Shares, 6);

        folded.Count.ShouldBe(5);
        folded.Sum(static share => share.Tenths).ShouldBe(1000);
        folded[0].Text.ShouldBe("waiting: recvfrom: 29 others, each less");
    }

    [Fact]
    public void Text_OfAUsualCase_IsAPage()
    {
        var found = Found(
            [
                In(10, "recvfrom", 62 * Second / 10) with { Object = "fd 7, TCP 127.0.0.1:4000 -> 127.0.0.1:5432", Peer = Peer },
                Row(10, WhyState.User, 2 * Second), Row(10, WhyState.Kernel, Second, number: NumberOf("write")),
                Row(10, WhyState.Runnable, 6 * Second / 10, other: 30), Row(10, WhyState.Runnable, 2 * Second / 10, other: WhyKey.Unknown),
                Row(20, WhyState.User, 8 * Second), In(20, "fsync", 2 * Second, WhyState.Disk),
                In(11, "futex", 10 * Second),
            ],
            Ran("parse", 9, "handle", "main"), Ran("hash", 1)) with
        {
            MinorFaults = 12,
            HasEnded = true,
        };

        WhyReport.Text(found).ShouldBe(
            """
            shop (PID 10): where the time went in 10.0 s, of one thread
              62.0%  waiting: recvfrom on fd 7, TCP 127.0.0.1:4000 -> 127.0.0.1:5432, of
                     postgres (PID 20), which spent 80.0% on CPU, in its own code, and 20.0%
                     waiting: fsync (not to be interrupted: the disk, as a rule)
              20.0%  on CPU, in its own code
                     18.0%  parse (shop) < handle < main
                      2.0%  hash (shop)
              10.0%  on CPU, in the kernel, for its calls
                     10.0%  write
               8.0%  waiting for a CPU, while others had it
                      6.0%  stress (PID 30)
                      2.0%  not known
            Left out: 1 thread that only waited for work (pool)
            Page faults: 12, 0 of them had to be read from disk
            It ended meanwhile: this is what was seen until then

            """);
    }

    [Fact]
    public void Text_OfHostileNames_HasNoControlCharacters()
    {
        var found = Found([In(10, "read", Second) with { Object = "fd 3, /tmp/\u001b[2Jx\ny" }], Ran("\u001b[31m", 5)) with
        {
            NoFunctions = "\u001b",
        };

        WhyReport.Text(found).Where(static c => c < ' ' && c != '\n').ShouldBeEmpty();
    }

    [Fact]
    public void Json_HasTheSharesOfEach()
    {
        var found = Found(
            Row(10, WhyState.User, Second), In(10, "read", 2 * Second) with { Object = "fd 3, pipe:[7]", Peer = Peer }, Row(20, WhyState.User, Second));

        var json = JsonDocument.Parse(WhyReport.Json(found)).RootElement;

        json.GetProperty("comm").GetString().ShouldBe("shop");
        json.GetProperty("shares").EnumerateArray().Select(static share => share.GetProperty("percent").GetDecimal()).ShouldBe([66.7m, 33.3m]);
        json.GetProperty("shares")[0].GetProperty("peer_comm").GetString().ShouldBe("postgres");
        json.GetProperty("peers")[0].GetProperty("shares")[0].GetProperty("percent").GetDecimal().ShouldBe(100.0m);
    }

    private static WhyFound Found(params WhyRow[] rows) => Found(rows, []);

    private static WhyFound Found(WhyRow[] rows, params WhyFunction[] functions) => new(
        Pid, 10 * Second, rows, functions,
        new Dictionary<uint, string> { [10] = "shop", [11] = "pool", [20] = "postgres", [30] = "stress" });

    private static WhyRow Row(uint tid, WhyState state, ulong ns, int number = -1, uint other = 0) =>
        new(new WhyKey(tid == Peer ? Peer : Pid, tid, state, number, 0, other, 0, 0, 0), ns, 1);

    private static WhyRow In(uint tid, string call, ulong ns, WhyState state = WhyState.Blocked) => Row(tid, state, ns, NumberOf(call));

    private static WhyFunction Ran(string name, ulong samples, params string[] callers) => Ran(name, samples, isFault: false, callers);

    private static WhyFunction Ran(string name, ulong samples, bool isFault, params string[] callers) => new(
        Pid, WhyState.User, "", isFault, [(name, "shop"), .. callers.Select(static caller => (caller, (string?)"shop"))], samples);

    private static int NumberOf(string call)
    {
        SyscallTable.For(SyscallArch.X64).TryGetNumber(call, out int number).ShouldBeTrue();
        return number;
    }
}
