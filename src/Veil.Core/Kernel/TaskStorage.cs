// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;

namespace Veil.Core.Kernel;

/// <summary>Values that programs leave with a task (<c>BPF_MAP_TYPE_TASK_STORAGE</c>).</summary>
public static class TaskStorage
{
    /// <summary>
    /// Whether they can be asked for at any moment. Before 6.2 (commit e8b02296a6b8) a look fails while another program on the CPU has one,
    /// and nothing but the version tells.
    /// </summary>
    public static bool IsSteady { get; } = KernelFeatures.KernelVersion >= new Version(6, 2);

    /// <summary>
    /// Whether they can also be made while a run queue is locked. Since 6.4 (commits 08a7ce384e33 and 6ae9d5e99e1d) their memory comes from
    /// BPF's own allocator; before, kmalloc() might wake kswapd, which takes that lock.
    /// </summary>
    public static bool IsSteadyInScheduler { get; } = KernelFeatures.KernelVersion >= new Version(6, 4);
}
