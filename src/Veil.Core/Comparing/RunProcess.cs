// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Comparing;

/// <summary>A process of a run.</summary>
/// <param name="pid">Its id.</param>
internal sealed class RunProcess(uint pid)
{
    /// <summary>Its id.</summary>
    public uint Pid { get; } = pid;

    /// <summary>The name that it was seen with first.</summary>
    public string FirstName { get; set; } = "";

    /// <summary>The name that it had last.</summary>
    public string Name { get; set; } = "";

    /// <summary>What it executed last, without what differs from run to run.</summary>
    public string Executed { get; set; } = "";

    /// <summary>Whose child it is; none where that was not seen.</summary>
    public RunProcess? Parent { get; set; }

    /// <summary>Was its end seen?</summary>
    public bool HasEnded { get; set; }

    /// <summary>Microseconds from the beginning of the run to its first event.</summary>
    public uint FirstUs { get; set; }

    /// <summary>In the order in which they were made.</summary>
    public List<RunProcess> Children { get; } = [];

    /// <summary>In the order of their first events.</summary>
    public List<RunThread> Threads { get; } = [];

    /// <summary>By call.</summary>
    public Dictionary<int, CallTotals> Totals { get; } = [];
}
