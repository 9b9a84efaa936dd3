// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>Effective capabilities of this process; see capabilities(7).</summary>
internal static class ProcessCapabilities
{
    private const int SysAdmin = 21;
    private const int PerfMon = 38;
    private const int BpfCapability = 39;

    /// <summary>What tracing programs need and this process lacks, as in "CAP_BPF and CAP_PERFMON"; null if nothing.</summary>
    internal static string? MissingForTracing()
    {
        // No /proc: the hint is lost, the error itself is not.
        return Effective() is { } effective ? MissingForTracing(effective) : null;
    }

    /// <summary>Has this process CAP_SYS_ADMIN? So it seems where nobody can tell.</summary>
    internal static bool HasSysAdmin() => Effective() is not { } effective || Has(effective, SysAdmin);

    internal static string? MissingForTracing(ulong effective)
    {
        // CAP_SYS_ADMIN stands for both, as it did before they were split from it in 5.8 (commit 2c78ee898d8f).
        if (Has(effective, SysAdmin))
            return null;
        return (Has(effective, BpfCapability), Has(effective, PerfMon)) switch
        {
            (true, true) => null,
            (false, true) => "CAP_BPF",
            (true, false) => "CAP_PERFMON",
            (false, false) => "CAP_BPF and CAP_PERFMON",
        };
    }

    private static ulong? Effective() =>
        Array.Find(KernelFile.Lines("/proc/self/status"), static line => line.StartsWith("CapEff:", StringComparison.Ordinal)) is { } line
            && ulong.TryParse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong effective) ? effective
                : null;

    private static bool Has(ulong set, int capability) => (set >> capability & 1) != 0;
}
