// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Counting;

namespace Veil.Cli.Top;

/// <summary>A row: what is counted by, and what is known of its events.</summary>
/// <param name="Key">The cells together.</param>
/// <param name="Cells">What stands in the columns, escaped; of the fields of the group.</param>
/// <param name="Totals">What was counted.</param>
internal sealed record TopRow(string Key, string[] Cells, CountTotals Totals);
