// SPDX-License-Identifier: GPL-3.0-only
using System.Numerics;
using Veil.Core.Counting;

namespace Veil.Core.Tests.Counting;

public sealed class CountTotalsTests
{
    /// <summary>A percentile is in the power of two of the true one, which is the number at that rank.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(5_000)]
    public void Percentile_OfAnyNumbers_IsInThePowerOfTwoOfTheTrueOne(int count)
    {
        var random = new Random(count);
        var numbers = Enumerable.Range(0, count).Select(_ => (ulong)(1e9 * Math.Pow(random.NextDouble(), 12))).Order().ToList();
        var totals = new CountTotals(new ulong[CountPlan.HistogramSlots]);
        foreach (ulong number in numbers)
            totals.Add(number, hasFailed: false);
        totals.Add(null, hasFailed: true);

        foreach (int percent in new[] { 1, 50, 90, 99, 100 })
        {
            ulong exact = numbers[(((count * percent) + 99) / 100) - 1];
            BitOperations.Log2(totals.Percentile(percent)!.Value).ShouldBe(BitOperations.Log2(exact), $"p{percent}");
        }

        totals.Percentile(100).ShouldBe(numbers[^1]);
        totals.Max.ShouldBe(numbers[^1]);
        totals.Sum.ShouldBe(numbers.Aggregate((UInt128)0, static (sum, number) => sum + number));
        (totals.Count, totals.Known, totals.Errors).ShouldBe(((ulong)count + 1, (ulong)count, 1ul));
    }

    [Fact]
    public void Of_WordsOfTheKernel_AddsTheHalvesUp()
    {
        var totals = CountTotals.Of([3, ulong.MaxValue - 1, 3 * 0xFFFF_FFFEul, 3 * 0xFFFF_FFFFul, 2, 1], 1);

        totals.Sum.ShouldBe(3 * (UInt128)(ulong.MaxValue - 1));
        (totals.Max, totals.Errors, totals.Unknown, totals.Known).ShouldBe((ulong.MaxValue - 1, 2ul, 1ul, 2ul));
    }

    [Fact]
    public void Percentile_WithoutANumber_IsNone()
    {
        var totals = new CountTotals(new ulong[CountPlan.HistogramSlots]);
        totals.Add(null, hasFailed: false);

        totals.Percentile(50).ShouldBeNull();
        totals.Average.ShouldBeNull();
    }
}
