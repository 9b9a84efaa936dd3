// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Tests.Text;

public sealed class ListTextTests
{
    [Theory]
    [InlineData("a", "a")]
    [InlineData("a, b", "a", "b")]
    [InlineData(@"main.Map[int\,string],b", "main.Map[int,string]", "b")]
    [InlineData(@"C:\x,y\z", @"C:\x", @"y\z")]
    [InlineData(@"\\,x", @"\,x")]
    [InlineData(@"x\", @"x\")]
    [InlineData("a,,b", "a", "", "b")]
    [InlineData("", "")]
    public void Split_AtCommasThatAreNotEscaped_IsTheValues(string list, params string[] values) => ListText.Split(list).ShouldBe(values);

    [Theory]
    [InlineData("add name x", "add", "name", "x")]
    [InlineData(@" add  name tmux:\ server	y ", "add", "name", "tmux: server", "y")]
    [InlineData(@"add name a\,b", "add", "name", @"a\,b")]
    [InlineData("  ")]
    public void SplitWords_AtBlanksThatAreNotEscaped_IsTheWords(string line, params string[] words) =>
        ListText.SplitWords(line).ShouldBe(words);

    [Theory]
    [InlineData("a,b")]
    [InlineData(@"a\,b\")]
    [InlineData(",")]
    public void Escape_AnyValue_IsOneOfTheList(string value) => ListText.Split(ListText.Escape(value)).ShouldBe([value]);

    [Fact]
    public void EscapeWord_WithBlanks_IsOneWord() =>
        ListText.SplitWords("add " + ListText.EscapeWord("a b\tc")).ShouldBe(["add", "a b\tc"]);
}
