// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The lock module, and <c>veil stuck</c> on deadlocks, against a program that knows who holds what.</summary>
public sealed class LockTests
{
    public static TheoryData<string> Hooks => [.. Rungs.Possible("lock")];

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Waits_ForLocksOfEachKind_NameTheirHoldersAndNobodyElse(string hook)
    {
        using var workload = Workload.Waiting("locks");
        using var veil = VeilRun.Attach("--module", "lock", "--hook", hook, "-p", workload.Pid, "--follow", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        Said("normal", "mutex");
        Said("recursive", "mutex");
        Said("errorcheck", "mutex");
        Said("adaptive", "mutex");
        Said("robust", "robust");
        Said("inheriting", "pi");
        Said("shared", "mutex");
        Said("shared_robust", "robust");
        Said("read_written", "rwlock");
        Said("write_written", "rwlock");
        Said("write_read", null);
        Said("condition", null);
        Said("semaphore", null);
        Said("join", "join");
        var timed = Said("timed", "mutex", isWoken: false);
        timed.GetProperty("errno").GetString().ShouldBe("ETIMEDOUT");
        timed.GetProperty("duration_ns").GetInt64().ShouldBeGreaterThanOrEqualTo(19_000_000);

        JsonElement Said(string kind, string? type, bool isWoken = true)
        {
            string[] said = workload[kind].Split(' ');
            long holder = Number(said[0]);
            ulong start = Address(said[2]), end = Address(said[3]);
            var wait = veil.Events.Where(e => e.GetProperty("tid").GetInt64() == Number(said[1])
                && Address(e.GetProperty("address").GetString()!) is var address && address >= start && address < end).Last();
            wait.GetProperty("lock").GetString().ShouldBe(type, kind);
            TidOf(wait, "holder_tid").ShouldBe(holder == 0 ? null : holder, kind);
            wait.GetProperty("holder").GetString().ShouldBe(holder == 0 ? null : "locks", kind);
            // Who lets it go is who had it; of the others the main thread gives the sign.
            TidOf(wait, "woken_by_tid").ShouldBe(!isWoken ? null : holder == 0 ? Number(workload.Pid) : holder, kind);
            return wait;
        }
    }

    [Theory]
    [InlineData("--failed", "ETIMEDOUT")]
    [InlineData("--errno=ETIMEDOUT", "ETIMEDOUT")]
    public void Failed_KeepsTheWaitThatTimedOut(string flag, string expected)
    {
        using var workload = Workload.Waiting("locks");
        using var veil = VeilRun.Attach("--module", "lock", "-p", workload.Pid, flag, "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Where(static e => e.GetProperty("errno").GetString() != "EAGAIN").Select(static e => e.GetProperty("errno").GetString())
            .ShouldBe([expected]);
    }

    [Fact]
    public void CountBy_Holder_IsTheThreadThatHadTheLocks()
    {
        using var workload = Workload.Waiting("locks");
        using var veil = VeilRun.Attach(
            "--module", "lock", "-p", workload.Pid, "--follow", "--count-by", "lock,holder_tid", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var mutexes = veil.Events.Where(static e => e.TryGetProperty("lock", out var type) && type.GetString() == "mutex").ToList();
        mutexes.ShouldAllBe(e => e.GetProperty("holder_tid").GetInt64() == Number(workload.Pid));
        // Four plain ones, one with a timeout, one of two processes.
        mutexes.Sum(static e => e.GetProperty("count").GetInt64()).ShouldBeGreaterThanOrEqualTo(6);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Stuck_Deadlock_NamesTheCircle(int threads)
    {
        using var workload = Workload.Waiting("locks", "deadlock", threads.ToString(CultureInfo.InvariantCulture));
        workload.ReadAhead($"worker{threads - 1}");
        string[][] workers = [.. Enumerable.Range(0, threads).Select(number => workload[$"worker{number}"].Split(' '))];

        string[] text = [.. VeilRun.ToEnd("stuck", "-p", workload.Pid).Lines];
        var json = VeilRun.ToEnd("stuck", "-p", workload.Pid, "--output", "json").Lines
            .Select(static line => JsonDocument.Parse(line).RootElement).ToList();

        // Thread ids rise as the threads are made, so the circle begins with the first.
        string expected = $"deadlock: {workers[0][0]} (worker-0)" + string.Join(
            ',', Enumerable.Range(1, threads).Select(number => number % threads).Select(number =>
                (number == 1 ? "" : " which") + $" waits for {workers[number][1]} held by {workers[number][0]} (worker-{number})"));
        text.Where(static line => line.StartsWith("deadlock", StringComparison.Ordinal)).ShouldBe([expected]);
        var circle = json.Single(static line => line.TryGetProperty("deadlock", out _)).GetProperty("deadlock");
        circle.EnumerateArray().Select(static wait => $"{wait.GetProperty("tid")} {wait.GetProperty("holder_tid")}")
            .ShouldBe(Enumerable.Range(0, threads).Select(number => $"{workers[number][0]} {workers[(number + 1) % threads][0]}"));
    }

    /// <summary>A link of the circle is a join, which has no lock but a holder.</summary>
    [Fact]
    public void Stuck_JoinOfAThreadThatWaitsForOurLock_IsADeadlock()
    {
        using var workload = Workload.Waiting("locks", "joined");
        string reader = workload["reader"];
        Await(workload.Pid, reader);

        string[] text = [.. VeilRun.ToEnd("stuck", "-p", workload.Pid).Lines];
        workload.End();

        text.ShouldContain($"    waits for the end of {reader} (reader)");
        string line = text.Single(static line => line.StartsWith("deadlock", StringComparison.Ordinal));
        line.ShouldStartWith($"deadlock: {workload.Pid} (locks) waits for the end of {reader} (reader), which waits for 0x");
        line.ShouldEndWith($" held by {workload.Pid} (locks)");
    }

    [Fact]
    public void Stuck_MutexOfAThreadThatHasEnded_SaysSo()
    {
        using var workload = Workload.Waiting("locks", "abandoned");
        Await(workload.Pid);

        string[] text = [.. VeilRun.ToEnd("stuck", "-p", workload.Pid).Lines];
        var json = VeilRun.ToEnd("stuck", "-p", workload.Pid, "--output", "json").Lines
            .Select(static line => JsonDocument.Parse(line).RootElement).Single();
        workload.End();

        text.ShouldContain(line => line.EndsWith(
            $" held by {workload["gone"]}, which is no thread of this process: it has ended, or the lock was copied by fork()",
            StringComparison.Ordinal));
        var wait = json.GetProperty("waits_for_lock");
        wait.GetProperty("holder").ValueKind.ShouldBe(JsonValueKind.Null);
        wait.GetProperty("holder_tid").GetInt64().ShouldBe(workload.Number("gone"));
        wait.GetProperty("holder_ended").GetBoolean().ShouldBeTrue();
    }

    // Until each thread of the process sleeps in a futex call.
    private static void Await(string pid, params string[] others) => SpinWait.SpinUntil(
        () => others.Append(pid).All(tid => File.ReadAllText($"/proc/{pid}/task/{tid}/wchan").Contains("futex", StringComparison.Ordinal)),
        TimeSpan.FromSeconds(60)).ShouldBeTrue();

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static ulong Address(string text) => ulong.Parse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static long? TidOf(JsonElement wait, string field) =>
        wait.GetProperty(field) is { ValueKind: JsonValueKind.Number } tid ? tid.GetInt64() : null;
}
