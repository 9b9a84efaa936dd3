// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Comparing;

/// <summary>What a recording says of a run of a command, as it is compared with another one.</summary>
internal sealed class Run
{
    /// <summary>The events that are compared, from the first: memory is bounded.</summary>
    public const int EventsMax = 1_000_000;

    /// <summary>The processes whose parents were not seen.</summary>
    public List<RunProcess> Roots { get; } = [];

    /// <summary>How many events there are, those that are not compared too.</summary>
    public ulong Events { get; set; }

    /// <summary>How many processes.</summary>
    public int Processes { get; set; }

    /// <summary>Events that were lost while it was recorded.</summary>
    public ulong Lost { get; set; }

    /// <summary>Are there more events than are compared?</summary>
    public bool IsCut { get; set; }

    /// <summary>Could something of it not be read?</summary>
    public bool IsIncomplete { get; set; }
}
