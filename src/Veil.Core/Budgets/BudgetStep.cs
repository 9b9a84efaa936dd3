// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Budgets;

/// <summary>Another part of the events is sent from now on; or no smaller part is left.</summary>
/// <param name="From">What was sent until now.</param>
/// <param name="To">What is sent from now on; the same: there is nothing more to give up.</param>
/// <param name="Cost">What the trace cost, in CPUs.</param>
/// <param name="Budget">What it may cost.</param>
/// <param name="TimestampNs">When, in nanoseconds since boot.</param>
public sealed record BudgetStep(SampleRate From, SampleRate To, double Cost, double Budget, long TimestampNs) : BudgetNotice(TimestampNs)
{
    /// <summary>Does it say that what is left costs more than the budget?</summary>
    public bool IsFloor => From == To;

    /// <inheritdoc/>
    public override string Name => "budget";

    /// <inheritdoc/>
    public override string Text => IsFloor
        ? Exactly($"budget: {To} cost {100 * Cost:F1}% of a CPU, more than {100 * Budget:0.##}%, and nothing more can be left out; filter more")
        : Exactly($"budget: {100 * Cost:F1}% of a CPU of {100 * Budget:0.##}%: from {From} to {To}");

    /// <inheritdoc/>
    public override string Json => Exactly(
        $$"""{"module":"veil","evt_type":"budget","step":"{{To.Name}}","one_in":{{To.OneIn}},"from_one_in":{{From.OneIn}},"cost_percent":{{100 * Cost:0.###}},"budget_percent":{{100 * Budget:0.###}},"timestamp":{{TimestampNs}}}""");
}
