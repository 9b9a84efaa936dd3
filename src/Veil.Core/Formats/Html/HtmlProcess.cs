// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats.Html;

/// <summary>A process of the page.</summary>
/// <param name="pid">Its id.</param>
internal sealed class HtmlProcess(uint pid)
{
    /// <summary>Its id.</summary>
    public uint Pid { get; } = pid;

    /// <summary>The place of its parent in the list; -1 where that is not in it.</summary>
    public int Parent { get; set; } = -1;

    /// <summary>Its last name.</summary>
    public int Name { get; set; }

    /// <summary>What it executed last, as the event says it.</summary>
    public byte[] Executed { get; set; } = [];

    /// <summary>How it ended, as the event says it.</summary>
    public byte[] Ended { get; set; } = [];

    /// <summary>When its first event was, in nanoseconds since the first of all.</summary>
    public long FirstNs { get; set; }

    /// <summary>When its last one was.</summary>
    public long LastNs { get; set; }

    /// <summary>How many it has.</summary>
    public long Events { get; set; }

    /// <summary>How many of these failed.</summary>
    public long Errors { get; set; }
}
