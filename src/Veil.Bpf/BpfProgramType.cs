namespace Veil.Bpf;

/// <summary>The kinds of programs (<c>enum bpf_prog_type</c> of linux/bpf.h) that tracing uses.</summary>
public enum BpfProgramType
{
    /// <summary>None.</summary>
    Unspecified = 0,

    /// <summary>kprobe, kretprobe, uprobe, uretprobe. Linux 4.1.</summary>
    Kprobe = 2,

    /// <summary>A tracepoint with its formatted record. Linux 4.7.</summary>
    Tracepoint = 5,

    /// <summary>A perf event. Linux 4.9.</summary>
    PerfEvent = 7,

    /// <summary>A tracepoint with its raw arguments. Linux 4.17.</summary>
    RawTracepoint = 17,

    /// <summary>fentry, fexit, tp_btf: typed by the kernel's BTF. Linux 5.5.</summary>
    Tracing = 26,
}
