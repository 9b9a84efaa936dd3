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
}
