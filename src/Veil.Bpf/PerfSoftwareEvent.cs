namespace Veil.Bpf;

/// <summary>Events that the kernel itself counts (<c>enum perf_sw_ids</c> of linux/perf_event.h).</summary>
public enum PerfSoftwareEvent
{
    /// <summary>Time on a CPU, a sample every period of nanoseconds.</summary>
    CpuClock = 0,

    /// <summary>Every page fault.</summary>
    PageFaults = 2,

    /// <summary>A context switch.</summary>
    ContextSwitches = 3,

    /// <summary>A task moved to another CPU.</summary>
    CpuMigrations = 4,

    /// <summary>A page fault that needed no input or output.</summary>
    PageFaultsMinor = 5,

    /// <summary>A page fault that waited for a device.</summary>
    PageFaultsMajor = 6,
}
