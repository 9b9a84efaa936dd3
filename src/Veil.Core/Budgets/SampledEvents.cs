// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Budgets;

/// <summary>How many events of a module there were since the last time, where not all were sent.</summary>
/// <param name="Module">The module.</param>
/// <param name="Rate">What was sent of them.</param>
/// <param name="Seen">Events that passed the filters.</param>
/// <param name="Sent">Those of them that were sent.</param>
/// <param name="Over">The time that it was.</param>
/// <param name="TimestampNs">Its end, in nanoseconds since boot.</param>
public sealed record SampledEvents(string Module, SampleRate Rate, ulong Seen, ulong Sent, TimeSpan Over, long TimestampNs)
    : BudgetNotice(TimestampNs)
{
    /// <inheritdoc/>
    public override string Name => "sampled";

    /// <inheritdoc/>
    public override string Text => Exactly($"budget: {Module}: {Seen} events in {Over.TotalSeconds:F1} s, {Sent} sent ({Rate})");

    /// <inheritdoc/>
    public override string Json => Exactly(
        $$"""{"module":"{{Module}}","evt_type":"sampled","one_in":{{Rate.OneIn}},"seen":{{Seen}},"sent":{{Sent}},"seconds":{{Over.TotalSeconds:0.###}},"timestamp":{{TimestampNs}}}""");
}
