// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>--slower, --failed and --errno: what did not take long or fail never leaves the kernel.</summary>
public sealed class ThresholdTests
{
    public static TheoryData<string> SyscallHooks => [.. Rungs.Exact("syscall")];

    public static TheoryData<string> FilesHooks => [.. Rungs.Exact("files")];

    public static TheoryData<string> MemoryHooks => [.. Rungs.Exact("memory")];

    /// <summary>What hangs is seen while it does, once, and again at its end.</summary>
    [Theory]
    [InlineData("--returns")]
    [InlineData("--args")]
    public void Slower_CallThatIsUnderWay_IsShownMeanwhileAndAtItsEnd(string events)
    {
        using var veil =
            VeilRun.Attach("-m", "syscall", "-n", "sleeps-long", "-s", "clock_nanosleep", "--slower", "300ms", events, "-o", "json");
        Bash("cp $(command -v sleep) $T/sleeps-long; $T/sleeps-long 1.5");
        veil.Stop().ShouldBe(0);

        var calls = veil.Events;
        calls.Length.ShouldBe(2);
        calls[0].GetProperty("ret").ValueKind.ShouldBe(JsonValueKind.Null);
        calls[0].GetProperty("duration_ns").GetInt64().ShouldBeInRange(300_000_000, 1_400_000_000);
        calls[1].GetProperty("ret").GetInt64().ShouldBe(0);
        calls[1].GetProperty("duration_ns").GetInt64().ShouldBeGreaterThan(1_500_000_000);
    }

    [Theory]
    [MemberData(nameof(SyscallHooks))]
    public void Slower_Syscalls_OnlyThoseThatTookLong(string hook)
    {
        using var veil = VeilRun.Attach("-m", "syscall", "--hook", hook, "-n", "slow-sleep", "--slower", "80ms", "-o", "json");
        Bash("cp $(readlink -f $(command -v sleep)) $T/slow-sleep; $T/slow-sleep 0.1; $T/slow-sleep 0.15; $T/slow-sleep 0.001");
        veil.Stop().ShouldBe(0);

        veil.Events.Select(static e => e.GetProperty("syscall").GetString())
            .ShouldAllBe(static call => call!.EndsWith("nanosleep", StringComparison.Ordinal));
        // At least what was asked for: how much more is the machine's matter, and whether a look finds the call under way (it has no result then).
        var durations = veil.Events.Where(static e => e.GetProperty("ret").ValueKind == JsonValueKind.Number)
            .Select(static e => e.GetProperty("duration_ns").GetInt64()).ToList();
        durations.Count.ShouldBe(2);
        durations[0].ShouldBeGreaterThanOrEqualTo(100_000_000);
        durations[1].ShouldBeGreaterThanOrEqualTo(150_000_000);
    }

    [Fact]
    public void Slower_WithNothingSlow_IsSilentAndExact()
    {
        using var burst = Workload.Waiting("burst", "200000");
        using var veil = VeilRun.Attach("-m", "syscall", "-p", burst.Pid, "-s", "getppid", "--slower", "10s", "--count");
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldBe(["syscall by syscall, sum of duration_ns: 0 events, 0 keys"]);
        veil.ShouldHaveLostNothing();
    }

    [Theory]
    [MemberData(nameof(SyscallHooks))]
    public void Failed_Syscalls_OnlyErrors(string hook)
    {
        using var all = VeilRun.Attach("-m", "syscall", "--returns", "-n", "failing-ls", "-o", "json");
        using var failed = VeilRun.Attach("-m", "syscall", "--hook", hook, "-n", "failing-ls", "--failed", "-o", "json");
        using var missing = VeilRun.Attach("-m", "syscall", "--hook", hook, "-n", "failing-ls", "--errno", "ENOENT,20", "-o", "json");
        Bash("cp $(readlink -f $(command -v ls)) $T/failing-ls; $T/failing-ls /nonexistent /etc/passwd/x 2>/dev/null");
        foreach (var veil in new[] { all, failed, missing })
            veil.Stop().ShouldBe(0);

        var expected = all.Events.Where(static e => e.GetProperty("errno").ValueKind == JsonValueKind.String)
            .Select(static e => e.GetProperty("errno").GetString()).ToList();
        expected.ShouldContain("ENOENT");
        expected.ShouldContain("ENOTDIR");
        failed.Events.Select(static e => e.GetProperty("errno").GetString()).ShouldBe(expected);
        missing.Events.Select(static e => e.GetProperty("errno").GetString())
            .ShouldBe(expected.Where(static name => name is "ENOENT" or "ENOTDIR"));
    }

    [Theory]
    [MemberData(nameof(SyscallHooks))]
    public void Errno_DeniedOfSyscalls_EverythingElseIsThere(string hook)
    {
        using var all = VeilRun.Attach("-m", "syscall", "--returns", "-n", "denied-ls", "-o", "json");
        using var others = VeilRun.Attach("-m", "syscall", "--hook", hook, "-n", "denied-ls", "--errno", "!ENOENT", "-o", "json");
        using var failed =
            VeilRun.Attach("-m", "syscall", "--hook", hook, "-n", "denied-ls", "--failed", "--errno", "!ENOENT", "-o", "json");
        Bash("cp $(readlink -f $(command -v ls)) $T/denied-ls; $T/denied-ls /nonexistent /etc/passwd/x 2>/dev/null");
        foreach (var veil in new[] { all, others, failed })
            veil.Stop().ShouldBe(0);

        var expected = all.Events.Select(static e => e.GetProperty("errno").GetString()).Where(static errno => errno != "ENOENT").ToList();
        expected.ShouldContain("ENOTDIR");
        expected.ShouldContain((string?)null);
        others.Events.Select(static e => e.GetProperty("errno").GetString()).ShouldBe(expected);
        failed.Events.Select(static e => e.GetProperty("errno").GetString()).ShouldBe(expected.Where(static errno => errno is not null));
    }

    [Theory]
    [MemberData(nameof(FilesHooks))]
    public void Errno_DeniedOfFiles_TheOthersAreThere(string hook)
    {
        using var veil =
            VeilRun.Attach("-m", "files", "--hook", hook, "-n", "denied-cat", "--op", "open", "--errno", "!ENOENT", "-o", "json");
        Bash("cp $(readlink -f $(command -v cat)) $T/denied-cat; $T/denied-cat /etc/passwd /nonexistent-one >/dev/null 2>&1");
        veil.Stop().ShouldBe(0);

        var names = veil.Events.Select(static e => e.GetProperty("filename").GetString()).ToList();
        names.ShouldContain("/etc/passwd");
        names.ShouldNotContain("/nonexistent-one");
    }

    [Theory]
    [MemberData(nameof(FilesHooks))]
    public void Slower_Files_TheReadThatWaited(string hook)
    {
        // In an emulated guest a program may take a tenth of a second to start.
        using var veil = VeilRun.Attach("-m", "files", "--hook", hook, "-n", "slow-cat", "--slower", "500ms", "-o", "json");
        Bash("cp $(readlink -f $(command -v cat)) $T/slow-cat; (sleep 2; echo hello) | $T/slow-cat");
        veil.Stop().ShouldBe(0);

        var read = veil.Events.ShouldHaveSingleItem();
        read.GetProperty("op").GetString().ShouldBe("read");
        read.GetProperty("bytes").GetInt32().ShouldBe(6);
        read.GetProperty("filename").GetString()!.ShouldStartWith("pipe:[");
        read.GetProperty("duration_ns").GetInt64().ShouldBeGreaterThanOrEqualTo(500_000_000);
    }

    [Theory]
    [MemberData(nameof(FilesHooks))]
    public void Errno_Files_TheOnesThatAreMissing(string hook)
    {
        using var veil =
            VeilRun.Attach("-m", "files", "--hook", hook, "-n", "miss-cat", "--errno", "ENOENT", "--slower", "1ns", "-o", "json");
        Bash("cp $(readlink -f $(command -v cat)) $T/miss-cat; $T/miss-cat /etc/passwd /nonexistent-one /nonexistent-two >/dev/null 2>&1");
        veil.Stop().ShouldBe(0);

        veil.Events.ShouldAllBe(
            static e => e.GetProperty("errno").ValueEquals("ENOENT") && e.GetProperty("op").ValueEquals("open")
            && e.GetProperty("duration_ns").GetInt64() > 0);
        veil.Events.Select(static e => e.GetProperty("filename").GetString())
            .Where(static name => name!.StartsWith("/nonexistent", StringComparison.Ordinal))
            .ShouldBe(["/nonexistent-one", "/nonexistent-two"]);
    }

    [Theory]
    [MemberData(nameof(MemoryHooks))]
    public void Slower_Memory_AllOrNone(string hook)
    {
        using var workload = Workload.Waiting("faults", "write", "500");
        using var none = VeilRun.Attach("-m", "memory", "--hook", hook, "-p", workload.Pid, "--slower", "100s", "-o", "json");
        using var all = VeilRun.Attach("-m", "memory", "--hook", hook, "-p", workload.Pid, "--slower", "1ns", "-o", "json");
        workload.Go();
        none.Stop().ShouldBe(0);
        all.Stop().ShouldBe(0);

        none.Events.ShouldBeEmpty();
        all.ShouldAccountFor(Math.Min(all.Events.Length, 500), 500);
        all.Events.ShouldAllBe(static e => e.GetProperty("duration_ns").GetInt64() > 0);
    }

    [Theory]
    [InlineData("1ns", 1_000)]
    [InlineData("100s", 0)]
    public void Slower_Uprobe_AllOrNone(string slower, int events)
    {
        using var workload = Workload.Waiting("uprobe", "calls");
        using var veil =
            VeilRun.Attach(
            "-m", "uprobe", "-p", workload.Pid, "--uprobe", Repository.Workload("uprobe") + ":traced_call", "--slower", slower, "-o",
            "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.ShouldAccountFor(veil.Events.Length, events);
    }

    private static void Bash(string script)
    {
        string folder = Directory.CreateTempSubdirectory("veil-threshold-").FullName;
        try
        {
            using var run = VeilRun.ToEndWith("bash", "-c", $"T={folder}; {script}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
