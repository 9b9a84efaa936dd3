// SPDX-License-Identifier: GPL-3.0-only
using Veil.Cli.Prompt;

namespace Veil.Cli.Tests;

/// <summary>A line of any length in a terminal of any width.</summary>
public sealed class PromptLineTests
{
    [Theory]
    [InlineData("add pid 5", 9, 80, "add pid 5", "")]
    [InlineData("add pid 5", 4, 80, "add ", "pid 5")]
    [InlineData("abcdefghijklmnopqrst", 20, 20, "jklmnopqrst", "")]
    [InlineData("abcdefghijklmnopqrst", 0, 20, "", "abcdefghijkl")]
    [InlineData("abcdefghijklmnopqrst", 15, 20, "efghijklmno", "p")]
    [InlineData("漢漢漢漢漢漢漢漢", 8, 20, "漢漢漢漢漢", "")]
    [InlineData("a\u009bb", 3, 80, "a\\u{9b}b", "")]
    public void Draw_AtAWidth_ShowsThePartAroundTheCursor(string text, int cursor, int width, string before, string after) =>
        PromptLine.Draw(text, cursor, width).ShouldBe($"\r\u001b[Kveil $ {before}\u001b7{after}\u001b8");

    [Fact]
    public void Draw_InANarrowTerminal_StaysOnOneLine() =>
        PromptLine.Draw("abcdefghijklmnop", 16, 12).ShouldBe("\r\u001b[K$ ijklmnop\u001b7\u001b8");
}
