// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text.RegularExpressions;
using Veil.Bpf;

namespace Veil.Kernel.Tests;

/// <summary>Several rings, read as one: everything comes, in the order of time.</summary>
public sealed partial class RingsTests
{
    // What the documentation promises (RingMerge.BoundNs).
    private const ulong BoundNs = 5_000_000;

    private const int CallsEach = 60_000;

    public static TheoryData<string> Choices =>
        [.. new[] {
            "", "1", Math.Min(2, KernelFeatures.PossibleCpuCount).ToString(CultureInfo.InvariantCulture),
            KernelFeatures.PossibleCpuCount.ToString(CultureInfo.InvariantCulture) }.Distinct()];

    [Theory]
    [MemberData(nameof(Choices))]
    public void Rings_AllCpusFlooding_EverythingComesInOrder(string rings)
    {
        int threads = KernelFeatures.PossibleCpuCount;
        using var workload = Workload.Waiting("threads", threads.ToString(), CallsEach.ToString());
        string[] flag = rings.Length == 0 ? [] : ["--rings", rings];
        using var veil = VeilRun.Attach(["-m", "syscall", "-p", workload.Pid, "-s", "getppid", "--fields", "timestamp", .. flag]);
        workload.Go();
        veil.Stop().ShouldBe(0);

        (long delivered, long lost) = Summary(veil);
        delivered.ShouldBe(veil.Lines.Length);
        veil.ShouldAccountFor(delivered + lost, (long)threads * CallsEach);
        // A hypervisor, or an emulator, may stop a CPU between a program's place in the ring and its clock. Each stop is one step back, and
        // they are few.
        ulong before = 0;
        int back = 0;
        foreach (string line in veil.Lines)
        {
            ulong time = ulong.Parse(line.AsSpan("timestamp=".Length), CultureInfo.InvariantCulture);
            if (time + BoundNs < before)
                back++;
            before = time;
        }

        back.ShouldBeLessThanOrEqualTo(veil.Lines.Length / 1_000);
    }

    [Fact]
    public void Rings_TooSmallForAStoppedReader_DeliveredAndLostAreAll()
    {
        const int calls = 200_000;
        using var burst = Workload.Waiting("burst", calls.ToString());
        using var veil =
            VeilRun.Attach(
            "-m", "syscall", "-p", burst.Pid, "-s", "getppid", "--fields", "pid", "--rings", Math.Min(2, KernelFeatures.PossibleCpuCount)
            .ToString(), "--buffer", "128K");
        veil.Signal("STOP");
        burst.Go();
        veil.Signal("CONT");
        veil.Stop().ShouldBe(0);

        (long delivered, long lost) = Summary(veil);
        lost.ShouldBeGreaterThan(0);
        veil.ShouldAccountFor(delivered + lost, calls);
    }

    /// <summary>Paths are of any length, and go another way into the ring.</summary>
    [Fact]
    public void Rings_WithPaths_ComeToo()
    {
        using var veil =
            VeilRun.Attach(
            "-m", "files", "-n", "dd", "--op", "write", "--rings", Math.Min(2, KernelFeatures.PossibleCpuCount).ToString(), "-o", "json");
        using (var run = VeilRun.ToEndWith("bash", "-c", "dd if=/dev/zero of=/dev/null bs=1 count=5000 status=none"))
            run.ExitCode.ShouldBe(0);
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(5_000);
        veil.Events.ShouldAllBe(static e => e.GetProperty("filename").ValueEquals("/dev/null"));
    }

    private static (long Delivered, long Lost) Summary(VeilRun veil)
    {
        var summary = Counts().Match(veil.Errors);
        return (long.Parse(summary.Groups["delivered"].Value, CultureInfo.InvariantCulture),
            long.Parse(summary.Groups["lost"].Value, CultureInfo.InvariantCulture) - veil.SkipsOfAll);
    }

    [GeneratedRegex("(?<delivered>[0-9]+) events? delivered in .* (?<lost>[0-9]+) lost", RegexOptions.None, 1_000)]
    private static partial Regex Counts();
}
