// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The memory module against getrusage(2), page by page.</summary>
public sealed class MemoryTests
{
    private const long PageBytes = 4096;

    public static TheoryData<string> Hooks => [.. Rungs.Possible("memory")];

    public static TheoryData<string, string, string> Touches
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (string hook in Rungs.Possible("memory"))
            {
                data.Add(hook, "read", "read");
                data.Add(hook, "write", "write");
                data.Add(hook, "kernel", "write");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Touches))]
    public void Minor_FreshPages_EachOnceWithItsAddressAndAccess(string hook, string kind, string access)
    {
        var (workload, events) = Trace(hook, kind, "1000");

        workload.Number("minor").ShouldBe(1000);
        var faults = InWindow(workload, events);
        faults.Select(static e => Page(e)).ShouldBe(Enumerable.Range(0, 1000).Select(i => workload.Number("start") + (i * PageBytes)));
        faults.ShouldAllBe(e => e.GetProperty("evt_type").GetString() == "minor" && e.GetProperty("access").GetString() == Seen(hook, access));
        faults.ShouldAllBe(e => Took(hook, e));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Minor_Code_IsExecuted(string hook)
    {
        var (workload, events) = Trace(hook, "exec", "200");

        // A fault on a file takes neighbours with it, so they are fewer than the pages.
        workload.Number("minor").ShouldBeInRange(1, 200);
        var faults = InWindow(workload, events);
        faults.Length.ShouldBe((int)workload.Number("minor"));
        faults.ShouldAllBe(e => InRegion(workload, e, "") && e.GetProperty("access").GetString() == Seen(hook, "exec"));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Major_FileThatIsNotInMemory_AsManyAsTheKernelCounts(string hook)
    {
        string file = Path.GetTempFileName();
        try
        {
            var (workload, events) = Trace(hook, "cold", "200", file);

            var faults = InWindow(workload, events);
            Count(faults, "major").ShouldBe(workload.Number("major"));
            Count(faults, "minor").ShouldBe(workload.Number("minor"));
            faults.ShouldAllBe(e => InRegion(workload, e, "") && e.GetProperty("access").GetString() == Seen(hook, "read"));
            faults.ShouldAllBe(e => Took(hook, e));
            if (new DriveInfo(file).DriveFormat is not ("tmpfs" or "rootfs" or "ramfs"))
                workload.Number("major").ShouldBeGreaterThan(0);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Threads_AtOnce_EachHasItsOwn(string hook)
    {
        using var veil = Trace(hook, "threads", "500", out var workload);
        var events = veil.Events;

        for (int i = 0; i < workload.Number("threads"); i++)
        {
            string prefix = i + ".";
            workload.Number(prefix + "minor").ShouldBe(500);
            veil.ShouldAccountFor(
                events.Count(e => e.GetProperty("tid").GetInt64() == workload.Number(prefix + "tid") && InWindow(workload, e, prefix)),
                500);
            veil.ShouldAccountFor(events.Count(e => InRegion(workload, e, prefix)), 500);
        }
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Fault_ThatFails_IsNone(string hook)
    {
        var (workload, events) = Trace(hook, "failing", "20");

        workload.Number("minor").ShouldBe(0);
        events.ShouldNotContain(e => InRegion(workload, e, ""));
    }

    /// <summary>The kernel counts them in getrusage but makes no perf event of them, as there is no exception.</summary>
    [Theory]
    [MemberData(nameof(Hooks))]
    public void Fault_ByMlock_IsSeenWhereTheFunctionIs(string hook)
    {
        var (workload, events) = Trace(hook, "lock", "100");

        workload.Number("minor").ShouldBe(100);
        InWindow(workload, events).Length.ShouldBe(hook == "perf" ? 0 : 100);
    }

    [Theory]
    [InlineData("minor", "minor")]
    [InlineData("!major", "minor")]
    [InlineData("major", "major")]
    [InlineData("!minor", "major")]
    public void Fault_Filter_LeavesOthersOut(string filter, string left)
    {
        string file = Path.GetTempFileName();
        try
        {
            var (workload, events) = Trace(Rungs.Best("memory"), "cold", "50", file, "--fault", filter);

            events.ShouldAllBe(e => e.GetProperty("evt_type").GetString() == left);
            InWindow(workload, events).Length.ShouldBe((int)workload.Number(left));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Fault_OneEvent_CarriesEveryField()
    {
        var (workload, events) = Trace(Rungs.Best("memory"), "write", "1");

        var fault = InWindow(workload, events).ShouldHaveSingleItem();
        string.Join(' ', fault.EnumerateObject().Select(static p => p.Name))
            .ShouldBe("module comm pid tid uid timestamp evt_type address access duration_ns");
        fault.GetProperty("comm").GetString().ShouldBe("faults");
        fault.GetProperty("pid").GetInt64().ShouldBe(workload.Number("pid"));
    }

    [Fact]
    public void Fault_UnknownKind_IsAUsageError()
    {
        var run = VeilRun.ToEnd("--module", "memory", "--fault", "huge");

        run.ExitCode.ShouldBe(2);
        run.Errors.ShouldBe("veil: --fault: unknown page fault 'huge' (available: minor, major)\n");
    }

    // Which access it was, and since when, perf's event has from the exception before it, of which only x86 has a tracepoint.
    private static bool LacksException(string hook) => hook == "perf" && RuntimeInformation.OSArchitecture == Architecture.Arm64;

    private static string Seen(string hook, string access) => LacksException(hook) ? "unknown" : access;

    private static bool Took(string hook, JsonElement fault) =>
        LacksException(hook) ? fault.GetProperty("duration_ns").ValueKind == JsonValueKind.Null : fault.GetProperty("duration_ns").GetInt64() > 0;

    private static (Workload Workload, JsonElement[] Events) Trace(string hook, string kind, string pages, params string[] more)
    {
        using var veil = Trace(hook, kind, pages, out var workload, more);
        return (workload, veil.Events);
    }

    private static VeilRun Trace(string hook, string kind, string pages, out Workload workload, params string[] more)
    {
        workload = Workload.Waiting("faults", [kind, pages, .. kind == "cold" ? more[..1] : []]);
        var veil =
            VeilRun.Attach(
            ["--module", "memory", "--hook", hook, "--pid", workload.Pid, "--output", "json", .. kind == "cold" ? more[1..] : more]);
        workload.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        workload.Dispose(); // what it said stays
        return veil;
    }

    private static JsonElement[] InWindow(Workload workload, JsonElement[] events) => [.. events.Where(e => InWindow(workload, e, ""))];

    private static bool InWindow(Workload workload, JsonElement e, string prefix) =>
        e.GetProperty("timestamp").GetInt64() is var time && time >= workload.Number(prefix + "from_ns")
            && time <= workload.Number(prefix + "to_ns");

    private static bool InRegion(Workload workload, JsonElement e, string prefix) =>
        Address(e) is var address && address >= workload.Number(prefix + "start") && address < workload.Number(prefix + "end");

    private static long Address(JsonElement e) =>
        long.Parse(e.GetProperty("address").GetString()!.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static long Page(JsonElement e) => Address(e) / PageBytes * PageBytes;

    private static long Count(JsonElement[] events, string type) => events.Count(e => e.GetProperty("evt_type").GetString() == type);
}
