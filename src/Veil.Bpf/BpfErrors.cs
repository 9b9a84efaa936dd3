using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>From an error number, and what libbpf said, to the exception that explains it.</summary>
internal static class BpfErrors
{
    private const string CapabilityHint = "root, or CAP_BPF and CAP_PERFMON, can";

    public static BpfException Open(string name, int errno, string said) => new("opening", name, errno, FirstLine(said));

    public static BpfException Load(string name, int errno, string said)
    {
        if (VerifierLog(said) is { } log)
            return new BpfVerifierException(name, errno, log);
        if (said.Contains("is not found in vmlinux BTF", StringComparison.Ordinal) || said.Contains("failed to find kernel BTF type ID", StringComparison.Ordinal))
            return new UnsupportedByKernelException("loading", name, errno, Quoted(said) ?? "a BTF type of the kernel that a program attaches to", null);
        if (said.Contains("Unable to find valid BTF", StringComparison.OrdinalIgnoreCase) || said.Contains("failed to find valid kernel BTF", StringComparison.Ordinal))
            return new UnsupportedByKernelException("loading", name, errno, "BTF (CONFIG_DEBUG_INFO_BTF)", new Version(5, 2));
        return new BpfException("loading", name, errno, FirstLine(said), errno == ErrnoNames.Eperm ? CapabilityHint : null);
    }

    public static BpfException Attach(string hook, int errno, string said)
    {
        switch (errno)
        {
            case ErrnoNames.Eacces when hook.StartsWith("tracepoint", StringComparison.Ordinal):
                return new BpfException("attaching", hook, errno, "tracefs, where its number stands, is not for this user to read", "a tp_btf or raw_tp hook needs none");
            case ErrnoNames.Eperm or ErrnoNames.Eacces:
                return new BpfException("attaching", hook, errno, hint: CapabilityHint);
            case ErrnoNames.Enotsupp or ErrnoNames.Eopnotsupp:
                return new UnsupportedByKernelException("attaching", hook, errno, "this kind of hook (function tracing is off or refused)", null);
            case ErrnoNames.Enoent when said.Contains("kprobe", StringComparison.Ordinal) && !File.Exists("/sys/bus/event_source/devices/kprobe/type"):
                return new UnsupportedByKernelException("attaching", hook, errno, "kprobes (CONFIG_KPROBES)", null);
            case ErrnoNames.Enoent when said.Contains("tracepoint", StringComparison.Ordinal) && !Directory.Exists("/sys/kernel/tracing/events") && !Directory.Exists("/sys/kernel/debug/tracing/events"):
                return new BpfException("attaching", hook, errno, "tracefs is not mounted", "mount -t tracefs tracefs /sys/kernel/tracing");
            default:
                return new BpfException("attaching", hook, errno);
        }
    }

    public static BpfException CreateMap(BpfMapType type, string name, int errno)
    {
        if (errno == ErrnoNames.Eperm)
            return new BpfException("creating map", name, errno, hint: CapabilityHint);
        // An unknown map type is EINVAL, like every other wrong number: ask which it was.
        var minimum = MinimumVersion(type);
        return errno == ErrnoNames.Einval && minimum is not null && KernelFeatures.KernelVersion < minimum
            ? new UnsupportedByKernelException("creating map", name, errno, $"maps of type {type}", minimum)
            : new BpfException("creating map", name, errno);
    }

    public static Version? MinimumVersion(BpfMapType type) => type switch
    {
        BpfMapType.RingBuffer => new Version(5, 8),
        BpfMapType.TaskStorage => new Version(5, 11),
        BpfMapType.PerCpuHash or BpfMapType.PerCpuArray => new Version(4, 6),
        BpfMapType.LruHash or BpfMapType.LruPerCpuHash => new Version(4, 10),
        _ => null,
    };

    private static string? VerifierLog(string said)
    {
        const string begin = "-- BEGIN PROG LOAD LOG --";
        const string end = "-- END PROG LOAD LOG --";
        int from = said.IndexOf(begin, StringComparison.Ordinal);
        if (from < 0)
            return null;
        from += begin.Length;
        int to = said.IndexOf(end, from, StringComparison.Ordinal);
        string log = to < 0 ? said[from..] : said[from..to];
        return BpfVerifierException.LastUseful(log).Count > 0 ? log : null;
    }

    private static string? FirstLine(string said)
    {
        // The first complaint is the cause; what follows says that it stopped something.
        foreach (string line in said.Split('\n'))
        {
            string text = line.Trim();
            if (text.StartsWith("libbpf: ", StringComparison.Ordinal))
                text = text["libbpf: ".Length..];
            if (text.Length > 0)
                return text;
        }

        return null;
    }

    private static string? Quoted(string said)
    {
        int from = said.IndexOf('\'', StringComparison.Ordinal);
        int to = from < 0 ? -1 : said.IndexOf('\'', from + 1);
        return to < 0 ? null : $"the hook {said[(from + 1)..to]}";
    }
}
