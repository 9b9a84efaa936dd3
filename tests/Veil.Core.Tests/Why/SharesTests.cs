// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Why;

namespace Veil.Core.Tests.Why;

public sealed class SharesTests
{
    [Fact]
    public void Tenths_OfThirds_SumToTheWhole() => Shares.Tenths([1, 1, 1]).ShouldBe([334, 333, 333]);

    [Fact]
    public void Tenths_OfNothing_AreNothing() => Shares.Tenths([0, 0]).ShouldBe([0, 0]);

    [Fact]
    public void Tenths_OfNone_AreNone() => Shares.Tenths([]).ShouldBeEmpty();

    [Fact]
    public void Tenths_OfVeryUnevenParts_GiveTheRestToTheLargestRemainder() =>
        Shares.Tenths([ulong.MaxValue, ulong.MaxValue, 1]).ShouldBe([500, 500, 0]);

    [Fact]
    public void Tenths_OfAnyParts_SumToAThousand()
    {
        var random = new Random(17);
        for (int run = 0; run < 200; run++)
        {
            ulong[] parts = [.. Enumerable.Range(0, random.Next(1, 300)).Select(_ => (ulong)random.NextInt64(0, 1L << random.Next(1, 62)))];
            if (parts.Any(static part => part > 0))
                Shares.Tenths(parts).Sum().ShouldBe(1000);
        }
    }
}
