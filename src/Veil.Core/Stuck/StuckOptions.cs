// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;

namespace Veil.Core.Stuck;

/// <summary>Which tasks are looked at.</summary>
/// <param name="Filters">By process, thread, user and name.</param>
/// <param name="OnlyUninterruptible">Only those that wait uninterruptibly.</param>
/// <param name="Slower">Only those that have been off the CPU for so long.</param>
public sealed record StuckOptions(IReadOnlyList<FilterExpression> Filters, bool OnlyUninterruptible, TimeSpan Slower);
