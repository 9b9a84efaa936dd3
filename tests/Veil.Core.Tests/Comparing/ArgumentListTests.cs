// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Comparing;

namespace Veil.Core.Tests.Comparing;

/// <summary>What of two calls' arguments is shown to differ.</summary>
public sealed class ArgumentListTests
{
    [Theory]
    [InlineData("close(3) = 0", "3")]
    [InlineData("openat(AT_FDCWD, \"/a, b\", O_RDONLY) = 3", "AT_FDCWD|\"/a, b\"|O_RDONLY")]
    [InlineData("execve(\"/bin/a\", [\"a\", \"b \\\" )\"], 0x1 /* 2 vars */", "\"/bin/a\"|[\"a\", \"b \\\" )\"]|0x1 /* 2 vars */")]
    [InlineData("f()", "")]
    public void Of_Text_IsEachArgumentWhole(string text, string arguments) => string.Join('|', ArgumentLists.Of(text)).ShouldBe(arguments);

    [Theory]
    [InlineData("execve(\"/bin/tar\", [\"tar\", \"a\"], N)", "execve(\"/bin/tar\", [\"tar\", \"a\", \"b\"], N)", "nothing", "\"b\"")]
    [InlineData("execve(\"/bin/tar\", [\"tar\", \"a\"], N)", "execve(\"/bin/tar\", [\"tar\", \"c\"], N)", "\"a\"", "\"c\"")]
    [InlineData("kill(N, SIGTERM)", "kill(N, SIGKILL)", "SIGTERM", "SIGKILL")]
    public void FirstDifference_OfTwoCalls_IsWhatDiffers(string one, string other, string was, string now)
    {
        List<string> good = ArgumentLists.Of(one), bad = ArgumentLists.Of(other);
        ArgumentLists.FirstDifference(good, bad, good, bad).ShouldBe((was, now));
    }
}
