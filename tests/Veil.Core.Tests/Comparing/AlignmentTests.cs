// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Comparing;

namespace Veil.Core.Tests.Comparing;

/// <summary>Alignments are as long as the longest common subsequence, which a table of all prefixes knows.</summary>
public sealed class AlignmentTests
{
    [Fact]
    public void Find_InSmallRuns_FindsAsMuchAsThereIs()
    {
        var random = new Random(7);
        var alignment = new Alignment();
        for (int round = 0; round < 3_000; round++)
        {
            int[] one = Random(random, random.Next(24)), other = Random(random, random.Next(24));
            Check(alignment.Find(Events(one), Events(other)), one, other).ShouldBe(LongestCommon(one, other));
        }
    }

    [Fact]
    public void Find_WithOneCallMore_HasAllTheRest()
    {
        int[] one = [.. Enumerable.Range(0, 200_000).Select(static i => i % 50)];
        int[] other = [.. one[..70_000], 1_000, .. one[70_000..]];
        Check(new Alignment().Find(Events(one), Events(other)), one, other).ShouldBe(one.Length);
    }

    [Theory]
    [InlineData(1_500, 1_500)]
    [InlineData(4_000, 600)]
    [InlineData(0, 5_000)]
    public void Find_OfMoreEditsThanAreLookedAhead_GoesOnBehindThem(int ofOne, int ofOther)
    {
        int[] same = [.. Enumerable.Range(0, 5_000)];
        int[] one = [.. Enumerable.Range(10_000, ofOne), .. same], other = [.. Enumerable.Range(20_000, ofOther), .. same];
        Check(new Alignment().Find(Events(one), Events(other)), one, other).ShouldBe(same.Length);
    }

    [Fact]
    public void Find_OfNothingInCommon_IsNothing()
    {
        int[] one = [.. Enumerable.Range(0, 50_000)], other = [.. Enumerable.Range(100_000, 50_000)];
        new Alignment().Find(Events(one), Events(other)).ShouldBeEmpty();
        new Alignment().Find(Events([]), Events(other)).ShouldBeEmpty();
        new Alignment().Find(Events(one), Events([])).ShouldBeEmpty();
    }

    // In order, without overlap, of equal events; how many.
    private static int Check(List<(int Good, int Bad, int Length)> runs, int[] one, int[] other)
    {
        int good = 0, bad = 0, total = 0;
        foreach (var run in runs)
        {
            run.Good.ShouldBeGreaterThanOrEqualTo(good);
            run.Bad.ShouldBeGreaterThanOrEqualTo(bad);
            run.Length.ShouldBeGreaterThan(0);
            one.AsSpan(run.Good, run.Length).SequenceEqual(other.AsSpan(run.Bad, run.Length)).ShouldBeTrue();
            (good, bad, total) = (run.Good + run.Length, run.Bad + run.Length, total + run.Length);
        }

        return total;
    }

    private static int LongestCommon(int[] one, int[] other)
    {
        int[,] table = new int[one.Length + 1, other.Length + 1];
        for (int i = 1; i <= one.Length; i++)
        {
            for (int j = 1; j <= other.Length; j++)
                table[i, j] = one[i - 1] == other[j - 1] ? table[i - 1, j - 1] + 1 : Math.Max(table[i - 1, j], table[i, j - 1]);
        }

        return table[one.Length, other.Length];
    }

    private static int[] Random(Random random, int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(5))];

    private static List<RunEvent> Events(int[] anchors) => [.. anchors.Select(static anchor => new RunEvent(0, anchor, anchor, 0))];
}
