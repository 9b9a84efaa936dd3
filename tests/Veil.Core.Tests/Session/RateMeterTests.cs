// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Session;

namespace Veil.Core.Tests.Session;

public sealed class RateMeterTests
{
    [Fact]
    public void PerSecond_Steady_IsTheRate() => Rate((1_000, 0), (2_000, 500), (3_000, 1_000)).ShouldBe(500ul);

    [Fact]
    public void PerSecond_OneSample_IsNotKnownYet() => Rate((1_000, 900)).ShouldBeNull();

    [Fact]
    public void PerSecond_AfterABurst_ForgetsItWithinFiveSeconds() =>
        Rate((0, 0), (1_000, 6_000), (2_000, 6_000), (3_000, 6_000), (4_000, 6_000), (5_000, 6_000), (6_000, 6_000), (7_000, 6_000))
            .ShouldBe(0ul);

    [Fact]
    public void PerSecond_DuringTheLastFiveSeconds_CountsAllOfThem() =>
        Rate((0, 0), (1_000, 100), (2_000, 100), (5_000, 1_000)).ShouldBe(200ul);

    private static ulong? Rate(params (long AtMs, ulong Count)[] samples)
    {
        var meter = new RateMeter();
        foreach (var (at, count) in samples)
            meter.Feed(at, count);
        return meter.PerSecond;
    }
}
