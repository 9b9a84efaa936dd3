// SPDX-License-Identifier: GPL-3.0-only
using Veil.Modules;

namespace Veil.Kernel.Tests;

/// <summary>
/// The ways of attaching that must work. Which there are, the modules declare; where each works is written down here and not asked of the
/// product: what Veil refuses and should work is a fault, and so is what it takes and should not. <see cref="RungTests"/> holds the product
/// against it in both directions.
/// </summary>
internal static class Rungs
{
    // 6.18 as small virtual machines have it: built without kprobes, and function tracing is refused.
    private static readonly Version s_small = new(6, 18);
    private static readonly string[] s_notInSmall = ["fentry", "kprobe"];

    /// <summary>The modules.</summary>
    public static string[] Modules => [.. ModuleCatalog.All.Select(static module => module.Name)];

    /// <summary>Every way that there is, best first.</summary>
    public static string[] All(string module) =>
        [.. ModuleCatalog.All.Single(known => known.Name == module).Rungs.Select(static rung => rung.Name)];

    /// <summary>Those that must work on this kernel and under these conditions, best first.</summary>
    public static string[] Possible(string module) => [.. All(module).Where(IsPossible)];

    /// <summary>
    /// Those of them that lose nothing uncounted: before Linux 6.7 the kernel skips a classic tracepoint's program while another one runs
    /// on that CPU, and does not say so.
    /// </summary>
    public static string[] Exact(string module) =>
        [.. Possible(module).Where(static name => name != "tracepoint" || Environment.OSVersion.Version >= new Version(6, 7))];

    /// <summary>Those that must be refused here.</summary>
    public static string[] Impossible(string module) => [.. All(module).Where(static rung => !IsPossible(rung))];

    /// <summary>The one that a trace takes.</summary>
    public static string Best(string module) => Possible(module)[0];

    /// <summary>Has the system mounted tracefs, through which classic tracepoints are found?</summary>
    public static bool HasTracefs => Directory.Exists("/sys/kernel/tracing/events");

    /// <summary>
    /// Does the kernel run no program while PID 1 is the running task? So it is where PID 1 is the agent of such a machine: perf counts its
    /// context switches and not one of their tracepoints. What an interrupt does meanwhile is not traced either.
    /// </summary>
    public static bool SkipsPid1 => IsSmall;

    private static bool IsSmall =>
        Environment.OSVersion.Version.Major == s_small.Major && Environment.OSVersion.Version.Minor == s_small.Minor;

    private static bool IsPossible(string rung)
    {
        var kernel = Environment.OSVersion.Version;
        if (IsSmall && s_notInSmall.Contains(rung))
            return false;
        return rung switch
        {
            "tracepoint" => HasTracefs && !VeilRun.HasCapabilitiesAlone, // only root reads it
            "kprobe" or "uprobe" => !VeilRun.HasCapabilitiesAlone, // perf_kprobe_event_init(), perf_uprobe_event_init(): CAP_SYS_ADMIN
            "uprobe_multi" => kernel >= new Version(6, 6), // commit 89ae89f53d20
            _ => true,
        };
    }
}
