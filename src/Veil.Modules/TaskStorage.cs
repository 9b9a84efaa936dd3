using Veil.Bpf;

namespace Veil.Modules;

/// <summary>Values that programs leave with a task (<c>BPF_MAP_TYPE_TASK_STORAGE</c>).</summary>
internal static class TaskStorage
{
    /// <summary>
    /// Whether they can be asked for at any moment. Before 6.2 (commit e8b02296a6b8) a look fails while another program on the CPU has one, and
    /// nothing but the version tells.
    /// </summary>
    internal static bool IsSteady { get; } = KernelFeatures.KernelVersion >= new Version(6, 2);
}
