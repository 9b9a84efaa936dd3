// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Cgroups;

/// <summary>How a program finds a task's cgroup in a hierarchy: <c>enum veil_cgroup_by</c> of <c>bpf/veil/origin.bpf.h</c>.</summary>
public enum CgroupBy
{
    /// <summary>That of version 2.</summary>
    Default,

    /// <summary>By a controller of version 1, as are those that follow.</summary>
    Memory,

    /// <summary>pids.</summary>
    Pids,

    /// <summary>cpu.</summary>
    Cpu,

    /// <summary>cpuset.</summary>
    Cpuset,

    /// <summary>devices.</summary>
    Devices,

    /// <summary>freezer.</summary>
    Freezer,

    /// <summary>blkio.</summary>
    Io,
}
