// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Comparing;

/// <summary>A thread of a run.</summary>
/// <param name="tid">Its id.</param>
internal sealed class RunThread(uint tid)
{
    /// <summary>Its id.</summary>
    public uint Tid { get; } = tid;

    /// <summary>Its name, as its last event has it.</summary>
    public string Name { get; set; } = "";

    /// <summary>Its events, in their order, by what kind they are of: kinds run beside each other.</summary>
    public Dictionary<string, List<RunEvent>> Lanes { get; } = [];
}
