// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>Events that the kernel counts itself, without hardware (<c>enum perf_sw_ids</c>); see perf_event_open(2).</summary>
public enum PerfSoftwareEvent
{
    /// <summary>The time of a CPU, by its clock: occurs at the frequency that is asked for, whatever runs.</summary>
    CpuClock = 0,

    /// <summary>All page faults.</summary>
    PageFaults = 2,

    /// <summary>Page faults that needed no disk access.</summary>
    MinorPageFaults = 5,

    /// <summary>Page faults that needed disk access.</summary>
    MajorPageFaults = 6,
}
