// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Counting;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Export;

/// <summary>
/// The buckets of a classic histogram: the same for every key, or sums over keys would be wrong. Numbers are whole, and a slot ends
/// before the
/// next power of two: so its last number is the bound, which belongs to its bucket. With the power itself as bound all reads of 4,096 bytes
/// would be in the wrong one.
/// </summary>
internal static class HistogramBounds
{
    // 255 ns to 69 s.
    private const int FirstOfTime = 8;
    private const int LastOfTime = 36;

    // 0 to 8 GiB.
    private const int LastOfCount = 33;

    /// <summary>The slots that have a bound of their own: what is in those before the first is in the first.</summary>
    public static (int First, int Last) Of(Quantity quantity) =>
        quantity == Quantity.Nanoseconds || quantity == Quantity.Microseconds ? (FirstOfTime, LastOfTime) : (0, LastOfCount);

    /// <summary>The largest number of a slot.</summary>
    public static double Bound(int slot) => (double)(Histogram.To(slot) - 1);
}
