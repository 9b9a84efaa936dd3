// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;

namespace Veil.Core.Kernel;

/// <summary>Where the kernel counts, for each CPU, what keeps it from switching: by it an interrupt is told from a task.</summary>
public static class PreemptCount
{
    /// <summary>
    /// From a CPU's run queue to its count, in bytes, by the kernel's BTF. 0: it does not tell (it was made without variables), or the
    /// count is kept with the task, as on arm64.
    /// </summary>
    public static long BytesFromRunQueue { get; } = Find();

    private static long Find()
    {
        if (!KernelFeatures.HasBtf || !KernelFeatures.KernelBtf.TryGetVariable("runqueues", out var queues))
            return 0;
        var btf = KernelFeatures.KernelBtf;
        if (btf.TryGetVariable("__preempt_count", out var count) && count.Section == queues.Section)
            return (long)count.OffsetBytes - queues.OffsetBytes;
        // From 6.2 (commit 64701838bf05) to 6.14 it is the second member of a structure.
        return btf.TryGetVariable("pcpu_hot", out var hot) && hot.Section == queues.Section
            ? (long)hot.OffsetBytes + sizeof(ulong) - queues.OffsetBytes : 0;
    }
}
