using Veil.Core.Counting;

namespace Veil.Core.Tests.Counting;

public sealed class HistogramTests
{
    [Theory]
    [InlineData(0, "wait_ns", "[0ns, 1ns)")]
    [InlineData(15, "wait_ns", "[16us, 33us)")]
    [InlineData(11, "duration_ns", "[1.0us, 2.0us)")]
    [InlineData(31, "duration_ns", "[1.1s, 2.1s)")]
    [InlineData(13, "bytes", "[4KiB, 8KiB)")]
    [InlineData(1, "rx_bytes", "[1B, 2B)")]
    [InlineData(62, "bytes", "[2EiB, 16EiB)")]
    [InlineData(11, "srtt_us", "[1.0ms, 2.0ms)")]
    [InlineData(4, "prev_prio", "[8, 16)")]
    public void Label_HasTheUnitOfTheField(int slot, string field, string label) => Histogram.Label(slot, field).ShouldBe(label);

    [Fact]
    public void Slots_Together_HoldEveryNumberOnce()
    {
        Histogram.From(0).ShouldBe(UInt128.Zero);
        for (int slot = 0; slot < Histogram.Unknown - 1; slot++)
            Histogram.To(slot).ShouldBe(Histogram.From(slot + 1));
        Histogram.To(Histogram.Unknown - 1).ShouldBe((UInt128)ulong.MaxValue + 1);
    }
}
