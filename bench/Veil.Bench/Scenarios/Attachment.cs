// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bench.Scenarios;

/// <summary>How one knows that a tracer has attached.</summary>
internal enum Attachment
{
    /// <summary>It prints `ready` on stdout (the C programs of bench/floor).</summary>
    ReadyLine,

    /// <summary>It prints `veil: tracing…` on stderr.</summary>
    VeilLine,

    /// <summary>It holds a perf event, and then needs a moment to enable it (bpftrace, perf): neither says when it has.</summary>
    PerfEvent,

    /// <summary>The workload has a ptrace parent (strace).</summary>
    Ptrace,
}
