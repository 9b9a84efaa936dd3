// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Tests.Text;

public sealed class LineWriterTests
{
    [Theory]
    [InlineData(0, "0ns")]
    [InlineData(999, "999ns")]
    [InlineData(1_000, "1.000us")]
    [InlineData(12_345, "12.345us")]
    [InlineData(999_999, "999.999us")]
    [InlineData(1_000_000, "1.000ms")]
    [InlineData(2_000_000_000, "2.000s")]
    [InlineData(86_400_000_000_000, "86400.000s")]
    public void Duration_Nanoseconds_HaveTheUnitThatSuits(ulong nanoseconds, string expected)
    {
        var line = new LineWriter(new byte[40]);
        DurationText.Append(ref line, nanoseconds);
        Encoding.ASCII.GetString(line.Written).ShouldBe(expected);
    }

    [Theory]
    [InlineData(0, 1, "0")]
    [InlineData(0xab, 4, "00ab")]
    [InlineData(ulong.MaxValue, 1, "ffffffffffffffff")]
    public void AppendHex_Number_HasNoMoreZerosThanAskedFor(ulong value, int digits, string expected)
    {
        var line = new LineWriter(new byte[40]);
        line.AppendHex(value, digits);
        Encoding.ASCII.GetString(line.Written).ShouldBe(expected);
    }

    [Fact]
    public void Append_BeyondTheMemory_Throws() =>
        Should.Throw<ArgumentException>(static () =>
        {
            var line = new LineWriter(new byte[3]);
            line.Append("four"u8);
        });

    [Fact]
    public void PadTo_AlreadyWider_AddsNothing()
    {
        var line = new LineWriter(new byte[20]);
        line.Append("abc"u8);
        line.PadTo(3, 5);
        line.Append((byte)'|');
        line.PadTo(9, 5);
        Encoding.ASCII.GetString(line.Written).ShouldBe("abc  |");
    }
}
