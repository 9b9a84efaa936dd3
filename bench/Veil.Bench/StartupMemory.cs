// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bench.Processes;

namespace Veil.Bench;

/// <summary>
/// The peak before the ring is mapped (loading, type information). The peak read at the end, less the ring, would hide
/// it behind the ring's pages; the true peak beyond the ring is the larger of the two.
/// </summary>
internal static class StartupMemory
{
    private const int Runs = 3;
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    internal static double PeakBytes(Programs programs, int idlePid)
    {
        long peak = 0;
        for (int run = 0; run < Runs; run++)
        {
            using var veil = Child.Start(
                [programs.Veil, "--module", "syscall", "--pid", idlePid.ToString(CultureInfo.InvariantCulture)], stdoutFile: "/dev/null");
            long deadline = Environment.TickCount64 + (long)s_timeout.TotalMilliseconds;
            while (true)
            {
                // In this order: a peak that was read counts only if the ring was still not there afterwards.
                long now = ProcessFacts.PeakResidentBytes(veil.Pid);
                if (ProcessFacts.HasRing(veil.Pid) || veil.HasEnded || Environment.TickCount64 > deadline)
                    break;
                peak = Math.Max(peak, now);
            }
            veil.Error!.WaitFor("veil: tracing", s_timeout);
            veil.Signal(Native.Sigterm);
            veil.WaitForEnd(s_timeout);
        }
        return peak;
    }
}
