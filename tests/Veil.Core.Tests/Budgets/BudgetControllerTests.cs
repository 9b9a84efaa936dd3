// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Budgets;

namespace Veil.Core.Tests.Budgets;

/// <summary>The controller on figures: a load that costs so much for each event that is seen, and more for one that is sent.</summary>
public sealed class BudgetControllerTests
{
    private const double Million = 1e6;

    [Fact]
    public void Feed_WithinTheBudget_SendsAll()
    {
        var load = new Load(budget: 0.02, seenNs: 20, sentNs: 400);

        load.Run(60, eventsPerSecond: 40_000).ShouldBeEmpty();
        load.Controller.Rate.ShouldBe(SampleRate.All);
        load.Controller.Cost!.Value.ShouldBe(40_000 * 420e-9, 1e-6);
    }

    [Fact]
    public void Feed_EventsCostTooMuch_OneStepToASampleThatFits()
    {
        var load = new Load(budget: 0.10, seenNs: 10, sentNs: 400);

        load.Run(60, Million).ShouldBe([(2, "all events", "one event in 8")]);
        load.Controller.Cost!.Value.ShouldBeLessThan(0.10);
    }

    /// <summary>What counting alone costs leaves little room: the first step shows how much, and the second fits.</summary>
    [Fact]
    public void Feed_CountsTakeMostOfIt_TheSecondStepFitsWithinTenSeconds()
    {
        var load = new Load(budget: 0.02, seenNs: 15, sentNs: 400);
        var steps = load.Run(60, Million);

        steps.Select(static step => step.From).ShouldBe(["all events", "one event in 32"]);
        steps[^1].At.ShouldBeLessThanOrEqualTo(10);
        load.Controller.Cost!.Value.ShouldBeLessThan(0.02);
        load.Controller.Rate.OneIn.ShouldBeGreaterThan(32u);
    }

    [Fact]
    public void Feed_CountsAloneCostMore_IsToldOnceAndStays()
    {
        var load = new Load(budget: 0.01, seenNs: 40, sentNs: 400);
        var steps = load.Run(300, Million);

        steps.Select(static step => (step.From, step.To)).ShouldBe(
            [("all events", "one event in 64"), ("one event in 64", "counts alone"), ("counts alone", "counts alone")]);
        steps[1].At.ShouldBeLessThanOrEqualTo(10);
    }

    [Fact]
    public void Feed_LoadIsOver_AllAreSentAgainAfterAWhile()
    {
        var load = new Load(budget: 0.01, seenNs: 40, sentNs: 400);
        load.Run(20, Million);

        load.Run(5, 0).ShouldBeEmpty();
        load.Run(60, 0).Select(static step => (step.From, step.To)).ShouldBe([("counts alone", "all events")]);
    }

    [Fact]
    public void Feed_LoadIsLess_GoesUpAsFarAsThereIsRoom()
    {
        var load = new Load(budget: 0.10, seenNs: 10, sentNs: 400);
        load.Run(20, Million);

        load.Run(60, Million / 4).Select(static step => (step.From, step.To)).ShouldBe([("one event in 8", "one event in 2")]);
        load.Controller.Cost!.Value.ShouldBeLessThan(0.10);
    }

    /// <summary>A load that comes and goes has it go up and down ever less often.</summary>
    [Fact]
    public void Feed_LoadComesAndGoes_WaitsLongerEachTime()
    {
        var load = new Load(budget: 0.01, seenNs: 2, sentNs: 400);
        int first = 0, last = 0;
        for (int round = 0; round < 60; round++)
        {
            int steps = load.Run(10, Million).Count + load.Run(15, 0).Count;
            first += round < 20 ? steps : 0;
            last += round >= 40 ? steps : 0;
        }

        first.ShouldBeGreaterThan(0);
        last.ShouldBeLessThanOrEqualTo(2);
    }

    [Fact]
    public void Feed_CountsMustBeExact_LeavesNothingOutAndSaysSoOnce()
    {
        var load = new Load(budget: 0.01, seenNs: 40, sentNs: 0, canSample: false);

        load.Run(60, Million).ShouldBe([(2, "all events", "all events")]);
    }

    /// <summary>Programs run for what filters drop, too: a sample of nothing saves nothing.</summary>
    [Fact]
    public void Feed_NothingIsSent_LeavesNothingOut()
    {
        var load = new Load(budget: 0.01, seenNs: 0, sentNs: 0) { OtherCost = 0.05 };

        load.Run(60, 0).ShouldBe([(2, "all events", "all events")]);
    }

    [Theory]
    [InlineData(0.3, 1u)]
    [InlineData(2, 2u)]
    [InlineData(2.1, 4u)]
    [InlineData(1024, 1024u)]
    [InlineData(1025, 0u)]
    [InlineData(double.PositiveInfinity, 0u)]
    public void AtMostOneIn_AnyNumber_IsTheNextPowerOfTwo(double n, uint oneIn) => SampleRate.AtMostOneIn(n).OneIn.ShouldBe(oneIn);

    [Fact]
    public void Mask_OfEachRate_IsWhatProgramsCompareWith()
    {
        SampleRate.All.Mask.ShouldBe(0u);
        new SampleRate(8).Mask.ShouldBe(7u);
        SampleRate.None.Mask.ShouldBe(uint.MaxValue);
    }

    private sealed class Load(double budget, double seenNs, double sentNs, bool canSample = true)
    {
        private BudgetReading _now = new(1, 0, 0, 0);
        private int _seconds;

        public BudgetController Controller { get; } = new(budget, canSample);

        /// <summary>CPUs that something else takes.</summary>
        public double OtherCost { get; init; }

        /// <summary>Some seconds of it; the steps, each with the second that it was in.</summary>
        public List<(int At, string From, string To)> Run(int seconds, double eventsPerSecond)
        {
            var steps = new List<(int, string, string)>();
            for (int second = 0; second < seconds; second++)
            {
                if (Controller.Feed(_now) is var (from, to))
                    steps.Add((_seconds, from.ToString(), to.ToString()));
                double sent = eventsPerSecond * Controller.Rate.Share;
                _now = new(
                    _now.TimeNs + 1_000_000_000, _now.CostNs + (ulong)((OtherCost * 1e9) + (eventsPerSecond * seenNs) + (sent * sentNs)),
                    _now.Seen + (ulong)eventsPerSecond, _now.Sent + (ulong)sent);
                _seconds++;
            }

            return steps;
        }
    }
}
