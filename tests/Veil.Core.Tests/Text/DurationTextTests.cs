// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Tests.Text;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("10ms", 1e7)]
    [InlineData("1.5s", 1.5e9)]
    [InlineData("0.5ns", 0.5)]
    [InlineData("5m", 300e9)]
    [InlineData("2h", 7_200e9)]
    [InlineData("1d", 86_400e9)]
    public void TryParse_NumberWithItsUnit_IsNanoseconds(string text, double nanoseconds)
    {
        DurationText.TryParse(text, out double read).ShouldBeTrue();
        read.ShouldBe(nanoseconds, 1e-6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("s")]
    [InlineData("1e3s")]
    [InlineData("-1s")]
    [InlineData("10sec")]
    [InlineData("1 s")]
    public void TryParse_AnythingElse_IsNone(string text) => DurationText.TryParse(text, out _).ShouldBeFalse();
}
