// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Budgets;

namespace Veil.Core.Session;

/// <summary>A trace with a budget at one moment.</summary>
/// <param name="Budget">What it may cost, in CPUs.</param>
/// <param name="Rate">What is sent of the events.</param>
/// <param name="Cost">What it cost in the last seconds, in CPUs; nothing before that is known.</param>
/// <param name="LeftOut">By the module's number, events that were counted and not sent.</param>
public sealed record BudgetStatus(double Budget, SampleRate Rate, double? Cost, IReadOnlyList<ulong> LeftOut);
