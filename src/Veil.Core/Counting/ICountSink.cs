// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Counting;

/// <summary>Takes what was counted, each time that it is complete.</summary>
internal interface ICountSink
{
    /// <summary>Takes it.</summary>
    /// <param name="modules">The modules, in their order.</param>
    /// <param name="duration">How long was counted.</param>
    /// <param name="endedAtNs">When that ended, by the wall clock.</param>
    void Print(IReadOnlyList<(CountPlan Plan, CountedEvents Counted)> modules, TimeSpan duration, long endedAtNs);
}
