// SPDX-License-Identifier: GPL-3.0-only
using Veil.Cli.Service;

namespace Veil.Cli.Tests.Service;

/// <summary>What of a service needs no kernel.</summary>
public sealed class ServiceTests
{
    [Theory]
    [InlineData("lost 3: syscall ring_full", 6, "<6>lost 3: syscall ring_full\n")]
    [InlineData("refused: one\ntwo", 3, "<3>refused: one\n<3>  two\n")]
    [InlineData("named \n<0>x", 4, "<4>named \n<4>  <0>x\n")]
    public void ForJournal_AnyText_HasALevelBeforeEachLine(string text, int level, string expected) =>
        Messages.ForJournal(text, level).ShouldBe(expected);

    [Fact]
    public void Words_OfAModule_AreFiltersAndOthers()
    {
        var words = new ModuleWords(
            "syscall", ["--module", "syscall", "--pid=1", "--pid=!2", "--syscall=openat", "--returns", "--output=json"]);

        words.Fixed.ShouldBe(["--module", "syscall", "--returns", "--output=json"]);
        words.Filters.Select(static filter => filter.Key).ShouldBe(["pid", "syscall"]);
        words.Filters["pid"].ShouldBe(["1", "!2"]);
    }
}
