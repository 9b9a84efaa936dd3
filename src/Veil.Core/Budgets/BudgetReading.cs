// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Budgets;

/// <summary>What a trace has cost and sent until a moment.</summary>
/// <param name="TimeNs">The moment, on a clock that only grows.</param>
/// <param name="CostNs">CPU time of the programs and of this process.</param>
/// <param name="Seen">Events that passed the filters.</param>
/// <param name="Sent">Those of them that were sent.</param>
public readonly record struct BudgetReading(long TimeNs, ulong CostNs, ulong Seen, ulong Sent);
