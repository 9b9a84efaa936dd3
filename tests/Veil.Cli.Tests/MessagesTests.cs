// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Cli.Tests;

public sealed class MessagesTests
{
    [Fact]
    public void Write_WhileSomebodyTypes_Waits()
    {
        Messages.Hold();
        try
        {
            Messages.Write("one\u001b[2J");
            Messages.Write("two");

            Messages.TakeHeld().ShouldBe("veil: one\\x1b[2J\nveil: two\n");
            Messages.TakeHeld().ShouldBeEmpty();
        }
        finally
        {
            Messages.Release();
        }

        Messages.TakeHeld().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("veil: short\n", "veil: short\n")]
    [InlineData("veil: four words of this\n", "veil: four words\n  of this\n")]
    [InlineData("veil: a\n  0: (b7) r0 = 0 and more\n", "veil: a\n  0: (b7) r0 = 0 and\n  more\n")]
    [InlineData("veil: a-word-that-is-longer-than-it\n", "veil:\n  a-word-that-is-longer-than-it\n")]
    public void Fit_ToTwentyColumns_BreaksAtBlanksAlone(string lines, string expected) => Messages.Fit(lines, 20).ShouldBe(expected);
}
