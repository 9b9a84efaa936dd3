// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Interop;
using Veil.Core.Sources;

namespace Veil.Core.Session;

/// <summary>What a trace itself costs, measured while <c>--stats</c> is on (BPF_ENABLE_STATS, Linux 5.8; the measuring adds some 20 ns a run).</summary>
/// <param name="Programs">Each program that is attached.</param>
/// <param name="Cpu">CPU time of this process, user and system.</param>
/// <param name="MemoryBytes">Memory of this process in RAM, with the ring.</param>
/// <param name="MapBytes">Kernel memory of its BPF maps.</param>
/// <param name="Duration">Since the hooks were attached.</param>
public sealed record SessionCost(IReadOnlyList<ProgramCost> Programs, TimeSpan Cpu, long MemoryBytes, long MapBytes, TimeSpan Duration)
{
    private const double BytesPerMiB = 1024 * 1024;

    /// <summary>CPU time of this process so far.</summary>
    public static TimeSpan ProcessCpu
    {
        get
        {
            const int clockProcessCpu = 2; // CLOCK_PROCESS_CPUTIME_ID
            return TimeSpan.FromMicroseconds(LibC.NowNs(clockProcessCpu) / 1_000.0);
        }
    }

    /// <summary>Lines for people.</summary>
    public IEnumerable<string> Lines()
    {
        ulong runs = 0, timeNs = 0;
        foreach (var program in Programs)
        {
            runs += program.Runs;
            timeNs += program.TimeNs;
        }

        yield return Text($"cost: BPF programs ran {runs} times in {timeNs / 1e9:F3} s ({Share(timeNs / 1e9):F1}% of a CPU), {Each(timeNs, runs)} ns each");
        foreach (var program in Programs)
            yield return Text($"cost: {program.Program}: {program.Runs} runs, {Each(program.TimeNs, program.Runs)} ns each");
        yield return Text($"cost: veil took {Cpu.TotalSeconds:F3} s of CPU ({Share(Cpu.TotalSeconds):F1}% of a CPU), {MemoryBytes / BytesPerMiB:F1} MiB of memory, {MapBytes / BytesPerMiB:F1} MiB in BPF maps");
    }

    private double Share(double seconds) => 100 * seconds / Math.Max(Duration.TotalSeconds, 0.001);

    private static ulong Each(ulong timeNs, ulong runs) => runs == 0 ? 0 : timeNs / runs;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
