// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>Kinds of hook, as far as their errors differ.</summary>
internal enum HookKind
{
    Other,
    Tracepoint,
    RawTracepoint,
    BtfTracepoint,
    Function,
    Kprobe,
    Uprobe,
    UprobeMulti,
    PerfEvent,
}

/// <summary>Reads the kind from a section name.</summary>
internal static class HookKinds
{
    /// <summary>libbpf's section names before the slash (libbpf documentation, "Program Types and ELF Sections").</summary>
    internal static HookKind OfSection(string section)
    {
        int slash = section.IndexOf('/', StringComparison.Ordinal);
        string head = (slash < 0 ? section : section[..slash]).TrimEnd('+');
        return head switch
        {
            "tracepoint" or "tp" => HookKind.Tracepoint,
            "raw_tracepoint" or "raw_tp" or "raw_tracepoint.w" or "raw_tp.w" => HookKind.RawTracepoint,
            "tp_btf" => HookKind.BtfTracepoint,
            "fentry" or "fexit" or "fmod_ret" or "fentry.s" or "fexit.s" or "fmod_ret.s" => HookKind.Function,
            "kprobe" or "kretprobe" or "ksyscall" or "kretsyscall" => HookKind.Kprobe,
            "uprobe" or "uretprobe" or "uprobe.s" or "uretprobe.s" or "usdt" => HookKind.Uprobe,
            "perf_event" => HookKind.PerfEvent,
            _ => HookKind.Other,
        };
    }
}
