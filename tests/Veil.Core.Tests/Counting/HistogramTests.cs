// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Counting;
using Veil.Core.Tests.Events;

namespace Veil.Core.Tests.Counting;

public sealed class HistogramTests
{
    [Theory]
    [InlineData(0, "veil_duration_t", "[0ns, 1ns)")]
    [InlineData(15, "veil_duration_t", "[16us, 33us)")]
    [InlineData(11, "veil_duration_t", "[1.0us, 2.0us)")]
    [InlineData(31, "veil_duration_t", "[1.1s, 2.1s)")]
    [InlineData(13, "veil_bytes_t", "[4KiB, 8KiB)")]
    [InlineData(1, "veil_bytes_t", "[1B, 2B)")]
    [InlineData(62, "veil_bytes_t", "[2EiB, 16EiB)")]
    [InlineData(11, "veil_microseconds_t", "[1.0ms, 2.0ms)")]
    [InlineData(4, "veil_prio_t", "[8, 16)")]
    public void Label_HasTheUnitOfTheKind(int slot, string typedef, string label) =>
        Histogram.Label(slot, Kind.Of(typedef).Fields[0].Value.Facts.Quantity!).ShouldBe(label);

    [Fact]
    public void Slots_Together_HoldEveryNumberOnce()
    {
        Histogram.From(0).ShouldBe(UInt128.Zero);
        for (int slot = 0; slot < Histogram.Unknown - 1; slot++)
            Histogram.To(slot).ShouldBe(Histogram.From(slot + 1));
        Histogram.To(Histogram.Unknown - 1).ShouldBe((UInt128)ulong.MaxValue + 1);
    }
}
