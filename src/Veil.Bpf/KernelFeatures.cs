using System.Text;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>What the running kernel can do.</summary>
public static unsafe class KernelFeatures
{
    /// <summary>The kernel's version, of <c>uname -r</c>.</summary>
    public static Version KernelVersion { get; } = ParseRelease(File.ReadAllText("/proc/sys/kernel/osrelease"));

    /// <summary>CPUs that the kernel could ever have, so the values of every element of a per-CPU map.</summary>
    public static int PossibleCpuCount { get; } = Math.Max(LibbpfNative.libbpf_num_possible_cpus(), 1);

    /// <summary>The kernel describes its types (CONFIG_DEBUG_INFO_BTF), so that programs can be relocated to it.</summary>
    public static bool HasBtf => File.Exists("/sys/kernel/btf/vmlinux");

    /// <summary>kprobes are compiled in (CONFIG_KPROBES).</summary>
    public static bool HasKprobes => File.Exists("/sys/bus/event_source/devices/kprobe/type");

    /// <summary>uprobes are compiled in (CONFIG_UPROBES).</summary>
    public static bool HasUprobes => File.Exists("/sys/bus/event_source/devices/uprobe/type");

    /// <summary>Can programs of this kind be loaded, by this process? Tries it.</summary>
    public static bool SupportsProgramType(BpfProgramType type)
    {
        Libbpf.Install();
        return LibbpfNative.libbpf_probe_bpf_prog_type((int)type, null) == 1;
    }

    /// <summary>Can maps of this kind be made, by this process? Tries it.</summary>
    public static bool SupportsMapType(BpfMapType type)
    {
        Libbpf.Install();
        return LibbpfNative.libbpf_probe_bpf_map_type((int)type, null) == 1;
    }

    /// <summary>Is there a tracepoint? Needs tracefs, and the right to look into it.</summary>
    public static bool HasTracepoint(string category, string name) =>
        Directory.Exists($"/sys/kernel/tracing/events/{category}/{name}") || Directory.Exists($"/sys/kernel/debug/tracing/events/{category}/{name}");

    /// <summary>Can <c>tp_btf</c> take the tracepoint? Needs no privilege.</summary>
    /// <param name="kernel">What <see cref="Btf.LoadKernel"/> gave.</param>
    /// <param name="name">The tracepoint, without its category.</param>
    public static bool HasBtfTracepoint(Btf kernel, string name) => kernel.HasTypedef("btf_trace_" + name);

    internal static Version ParseRelease(string release)
    {
        var digits = new StringBuilder();
        foreach (char c in release)
        {
            if (!char.IsAsciiDigit(c) && c != '.')
                break;
            digits.Append(c);
        }

        return Version.TryParse(digits.ToString().TrimEnd('.'), out var version) ? version : new Version(0, 0);
    }
}
