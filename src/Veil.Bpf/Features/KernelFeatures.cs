// SPDX-License-Identifier: GPL-3.0-only
using System.Collections.Concurrent;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// What the running kernel offers, asked of the kernel itself and not guessed from its version: distributions backport, and what a
/// configuration leaves out does not show in a number. Answers are kept for the life of the process.
/// </summary>
public static partial class KernelFeatures
{
    private const string BtfPath = "/sys/kernel/btf/vmlinux";

    private static readonly ConcurrentDictionary<int, bool?> s_programTypes = new();
    private static readonly ConcurrentDictionary<int, bool?> s_mapTypes = new();
    private static readonly Lazy<int> s_possibleCpus = new(ReadPossibleCpuCount);
    private static readonly WeakReference<Btf?> s_btf = new(null);

    /// <summary>Release of the running kernel, <c>major.minor.patch</c> as far as <c>uname -r</c> gives it.</summary>
    public static Version KernelVersion { get; } = ParseRelease(ReadRelease());

    /// <summary>
    /// Whether the kernel describes its own types at /sys/kernel/btf/vmlinux (5.4, CONFIG_DEBUG_INFO_BTF). CO-RE needs it.
    /// </summary>
    public static bool HasBtf { get; } = File.Exists(BtfPath);

    /// <summary>Whether kprobes can be opened as perf events (4.17, CONFIG_KPROBES and CONFIG_KPROBE_EVENTS).</summary>
    public static bool HasKprobes { get; } = HasEventSource("kprobe");

    /// <summary>Whether uprobes can be opened as perf events (4.17, CONFIG_UPROBE_EVENTS).</summary>
    public static bool HasUprobes { get; } = HasEventSource("uprobe");

    /// <summary>Whether unprivileged users may call bpf(2): /proc/sys/kernel/unprivileged_bpf_disabled is 0.</summary>
    public static bool UnprivilegedBpf => KernelFile.Text("/proc/sys/kernel/unprivileged_bpf_disabled") == "0";

    /// <summary>
    /// The lockdown mode, <c>none</c>, <c>integrity</c> or <c>confidentiality</c>; null where it cannot be read. See kernel_lockdown(7).
    /// </summary>
    public static string? Lockdown
    {
        get
        {
            // "[none] integrity confidentiality": the brackets mark the one in force.
            string? text = KernelFile.Text("/sys/kernel/security/lockdown");
            int open = text?.IndexOf('[', StringComparison.Ordinal) ?? -1;
            int close = text?.IndexOf(']', StringComparison.Ordinal) ?? -1;
            return open >= 0 && close > open ? text![(open + 1)..close] : null;
        }
    }

    /// <summary>Number of CPUs that this machine can ever have: how many values an element of a per-CPU map has.</summary>
    /// <exception cref="BpfException">/sys/devices/system/cpu/possible cannot be read.</exception>
    public static int PossibleCpuCount => s_possibleCpus.Value;

    /// <summary>Whether programs of a type can be loaded, by loading an empty one.</summary>
    /// <returns>Null if it cannot be told, usually for lack of privileges.</returns>
    public static bool? SupportsProgramType(BpfProgramType type) =>
        s_programTypes.GetOrAdd((int)type, static type => type == (int)BpfProgramType.Tracing ? ProbeTracing() : ProbeProgramType(type));

    /// <summary>Whether maps of a type can be created, by creating one.</summary>
    /// <returns>Null if it cannot be told, usually for lack of privileges.</returns>
    public static bool? SupportsMapType(BpfMapType type) =>
        s_mapTypes.GetOrAdd((int)type, static type => ProbeMapType(type));

    /// <summary>The kernel's own types. Parsed at first use; given back to the garbage collector when nobody holds it.</summary>
    /// <exception cref="UnsupportedByKernelException">There is no /sys/kernel/btf/vmlinux.</exception>
    public static Btf KernelBtf
    {
        get
        {
            lock (s_btf)
            {
                if (s_btf.TryGetTarget(out var btf))
                    return btf;
                btf = Btf.LoadKernel();
                s_btf.SetTarget(btf);
                return btf;
            }
        }
    }

    /// <summary>Whether the kernel has a function of this name in its BTF: the precondition of fentry, fexit and CO-RE ksyms.</summary>
    public static bool HasFunction(string function) => HasBtf && KernelBtf.HasFunction(function);

    /// <summary>Whether a <c>tp_btf</c> program can be written for a tracepoint: the kernel's BTF describes its arguments (5.5).</summary>
    /// <param name="name">The tracepoint without category, as in <c>sched_switch</c>.</param>
    public static bool HasBtfTracepoint(string name) => HasBtf && KernelBtf.HasTypedef("btf_trace_" + name);

    /// <summary>
    /// Whether tracefs lists a tracepoint. False as well where tracefs is not mounted or not readable, which attaching needs too.
    /// </summary>
    /// <param name="category">The subsystem, as in <c>syscalls</c>.</param>
    /// <param name="name">The event, as in <c>sys_enter_openat</c>.</param>
    public static bool HasTracepoint(string category, string name) =>
        File.Exists($"/sys/kernel/tracing/events/{category}/{name}/id")
            || File.Exists($"/sys/kernel/debug/tracing/events/{category}/{name}/id");

    internal static Version ParseRelease(string release)
    {
        // "6.1.0-18-amd64", "5.10.0-rc1+", "6.18": numbers up to the first thing that is neither digit nor dot.
        Span<int> parts = [0, 0, 0];
        int index = 0;
        int digits = 0;
        foreach (char c in release)
        {
            if (char.IsAsciiDigit(c) && digits < 9)
            {
                parts[index] = parts[index] * 10 + (c - '0');
                digits++;
            }
            else if (c == '.' && digits > 0 && index < 2)
            {
                index++;
                digits = 0;
            }
            else
            {
                break;
            }
        }

        return new Version(parts[0], parts[1], parts[2]);
    }

    private static unsafe bool? ProbeProgramType(int type)
    {
        using var log = LogCapture.Begin();
        return Answer(NativeProbe.libbpf_probe_bpf_prog_type(type, null));
    }

    private static unsafe bool? ProbeMapType(int type)
    {
        using var log = LogCapture.Begin();
        return Answer(NativeProbe.libbpf_probe_bpf_map_type(type, null));
    }

    /// <summary>libbpf takes any refusal for a no, one for lack of privileges too, which says nothing about the kernel.</summary>
    private static bool? Answer(int result) => result switch
    {
        > 0 => true,
        0 when ProcessCapabilities.MissingForTracing() is null => false,
        _ => null,
    };

    private static bool HasEventSource(string name) => File.Exists($"/sys/bus/event_source/devices/{name}/type");

    // By the call, as /proc may be hidden.
    private static unsafe string ReadRelease()
    {
        const int fieldBytes = 65; // struct new_utsname of include/uapi/linux/utsname.h; the release is the third field
        byte* names = stackalloc byte[fieldBytes * 6];
        return NativeFile.uname(names) == 0 ? NativeText.Read(names + fieldBytes * 2) : "";
    }

    private static int ReadPossibleCpuCount()
    {
        using var log = LogCapture.Begin();
        int count = NativeMapElements.libbpf_num_possible_cpus();
        return count > 0 ? count : throw BpfErrors.Create("counting CPUs", "in /sys/devices/system/cpu/possible", -count);
    }
}
