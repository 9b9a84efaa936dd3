// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Core.Losses;

namespace Veil.Core.Tests.Losses;

public class LossCountTests
{
    private static readonly LossCount s_nothing = new(0, []);

    [Fact]
    public void Plus_SeveralTimes_SumsEachUserMostFirst()
    {
        var lost = s_nothing.Plus(7, [new(1, 5), new(2, 2)]).Plus(12, [new(2, 10)]);

        lost.Count.ShouldBe(19ul);
        lost.Users.ShouldBe([new UserLoss(2, 12), new UserLoss(1, 5)]);
        lost.Others.ShouldBe(2ul);
        lost.UsersText.ShouldBe(" (UID 2: 12, UID 1: 5, others: 2)");
    }

    [Fact]
    public void UsersText_NobodyKnown_IsNothing() => s_nothing.Plus(3, []).UsersText.ShouldBe("");

    [Fact]
    public void Shown_MoreUsersThanThat_AreOthers()
    {
        var lost = s_nothing.Plus(45, [.. Enumerable.Range(1, 9).Select(static n => new UserLoss((uint)n, (ulong)n))]);

        lost.Shown.Count().ShouldBe(LossCount.UsersShown);
        lost.Others.ShouldBe(1ul);
        lost.UsersText.ShouldEndWith(string.Create(CultureInfo.InvariantCulture, $"UID 2: 2, others: 1)"));
    }
}
