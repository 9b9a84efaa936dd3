// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Kernel.Tests;

/// <summary>
/// What an event costs in userspace, in instructions, which do not depend on how busy the machine is: the shipped program under callgrind,
/// with few events and with many.
/// </summary>
public sealed class InstructionsTests : IDisposable
{
    private const int Few = 10_000;
    private const int Many = 60_000; // all of them fit into the ring, so that none is lost to a reader that is 50 times slower
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-instructions-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The limits are what was measured, and 5% more.</summary>
    [ProgramTheory("valgrind")]
    [InlineData(1_400, "-o", "text")]
    [InlineData(1_620, "-o", "json")]
    [InlineData(2_810, "--enrich", "time,user,proc")]
    [InlineData(4_480, "--enrich", "all")]
    [InlineData(2_390, "--returns")]
    public void Event_FromRingToFile_TakesAtMost(int limit, params string[] flags)
    {
        long each = (Instructions(Many, flags) - Instructions(Few, flags)) / (Many - Few);

        each.ShouldBeInRange(limit / 2, limit);
    }

    private long Instructions(int calls, string[] flags)
    {
        string profile = Path.Combine(_folder, calls.ToString(CultureInfo.InvariantCulture));
        using var burst = Workload.Waiting("burst", calls.ToString(CultureInfo.InvariantCulture));
        using var veil =
            VeilRun.AttachUnder(
            ["env", "VEIL_KEEP_PRIVILEGES=1", "valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=" + profile],
            ["-m", "syscall", "-p", burst.Pid, "-s", "getppid", .. flags]);
        burst.Go();
        veil.Stop().ShouldBe(0);
        veil.Lines.Length.ShouldBe(calls);
        return long.Parse(
            File.ReadLines(profile).Single(static line => line.StartsWith("totals: ", StringComparison.Ordinal))["totals: ".Length..],
            CultureInfo.InvariantCulture);
    }
}
