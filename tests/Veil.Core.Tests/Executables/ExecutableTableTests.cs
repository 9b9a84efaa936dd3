// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Executables;

namespace Veil.Core.Tests.Executables;

public sealed class ExecutableTableTests
{
    [Fact]
    public void Find_AfterForkAndExecve_IsWhatItExecutesNow()
    {
        var table = new ExecutableTable();
        table.Found(1, "/init"u8);
        table.Forked(2, 1);
        table.Find(2).ShouldBe("/init"u8.ToArray());
        table.Executed(2, "/bin/sh"u8);
        // The look at those before comes late: it says nothing new.
        table.Found(2, "/init"u8);
        table.Find(2).ShouldBe("/bin/sh"u8.ToArray());
        table.Find(1).ShouldBe("/init"u8.ToArray());
        table.Find(3).ShouldBeEmpty();
    }

    [Fact]
    public void Ended_IsRememberedForAWhile()
    {
        var table = new ExecutableTable();
        table.Found(1, "/init"u8);
        table.Executed(2, "/bin/sh"u8);
        table.Ended(2);
        table.Find(2).ShouldBe("/bin/sh"u8.ToArray());
        for (uint pid = 10; pid < 40_000; pid++)
        {
            table.Forked(pid, 1);
            table.Ended(pid);
        }

        table.Find(2).ShouldBeEmpty();
        table.Find(1).ShouldBe("/init"u8.ToArray());
    }

    [Fact]
    public void Ended_WhoseIdIsUsedAgain_IsTheNewOne()
    {
        var table = new ExecutableTable();
        table.Found(1, "/init"u8);
        table.Forked(2, 1);
        table.Ended(2);
        table.Forked(2, 1);
        for (uint pid = 10; pid < 40_000; pid++)
        {
            table.Forked(pid, 1);
            table.Ended(pid);
        }

        table.Find(2).ShouldBe("/init"u8.ToArray());
    }
}
