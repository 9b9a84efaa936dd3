// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>Events that the kernel counts itself, without hardware (<c>enum perf_sw_ids</c>); see perf_event_open(2).</summary>
public enum PerfSoftwareEvent
{
    /// <summary>A high-resolution timer per CPU.</summary>
    CpuClock = 0,

    /// <summary>A clock of the running task.</summary>
    TaskClock = 1,

    /// <summary>All page faults.</summary>
    PageFaults = 2,

    /// <summary>Context switches.</summary>
    ContextSwitches = 3,

    /// <summary>Migrations to another CPU.</summary>
    CpuMigrations = 4,

    /// <summary>Page faults that needed no disk access.</summary>
    MinorPageFaults = 5,

    /// <summary>Page faults that needed disk access.</summary>
    MajorPageFaults = 6,

    /// <summary>Unaligned accesses that the kernel fixed up.</summary>
    AlignmentFaults = 7,

    /// <summary>Instructions that the kernel emulated.</summary>
    EmulationFaults = 8,
}
