// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;
using Veil.Core.Losses;

namespace Veil.Core.Session;

/// <summary>A module at one moment.</summary>
/// <param name="Name">The module.</param>
/// <param name="Hook">How it is attached.</param>
/// <param name="Events">Events shown.</param>
/// <param name="DroppedPaused">Events dropped in all pauses so far.</param>
/// <param name="EventsPerSecond">Over the last five seconds; nothing where that is not known yet, or events are counted and not
/// sent.</param>
/// <param name="Lost">Events lost, by cause.</param>
/// <param name="Filters">Its filters, with their keys.</param>
public sealed record ModuleStatus(
    string Name, string Hook, ulong Events, ulong DroppedPaused, ulong? EventsPerSecond, IReadOnlyDictionary<string, LossCount> Lost,
    IReadOnlyList<FilterMap> Filters)
{
    /// <summary>What is counted in the kernel, in words; nothing where events are sent.</summary>
    public string? Counting { get; init; }
}
