// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Tests.Text;

/// <summary>Places on a terminal: of widths that wcwidth(3) and terminals agree on.</summary>
public sealed class CellWidthTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("abc", 3)]
    [InlineData("é", 1)]
    [InlineData("e\u0301", 1)]
    [InlineData("漢字", 4)]
    [InlineData("ﾃｽﾄ", 3)] // half width
    [InlineData("ＡＢ", 4)] // full width
    [InlineData("한글", 4)]
    [InlineData("\u1112\u1161\u11ab", 2)] // the same syllable in three parts
    [InlineData("😀", 2)]
    [InlineData("⌚", 2)]
    [InlineData("→…─", 3)]
    [InlineData("\u20dd", 0)]
    [InlineData("𠀀", 2)]
    public void Of_Text_IsWhatATerminalTakes(string text, int cells) => CellWidth.Of(Encoding.UTF8.GetBytes(text)).ShouldBe(cells);

    [Theory]
    [InlineData("/a/long/path/name", 20, "/a/long/path/name")]
    [InlineData("/a/long/path/name", 17, "/a/long/path/name")]
    [InlineData("/a/long/path/name", 16, "/a/lo…/path/name")]
    [InlineData("/a/long/path/name", 10, "/a/…h/name")]
    [InlineData("/a/long/path/name", 2, "…e")]
    [InlineData("/a/long/path/name", 1, "…")]
    [InlineData("漢字漢字漢字", 8, "漢…漢字")] // one place is left over: half of a character does not fit
    [InlineData("e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", 4, "e\u0301…e\u0301e\u0301")]
    [InlineData(@"\x1b\x1b\x1b\x1b", 10, @"…\x1b")]
    [InlineData(@"abc\u{202e}def\\ghi\n", 12, @"abc…f\\ghi\n")]
    public void Shorten_Text_LosesItsMiddleAndNoPartOfASign(string text, int cells, string expected)
    {
        var line = new LineWriter(new byte[256]);
        line.Append("before "u8);
        int start = line.Length;
        line.Append(Encoding.UTF8.GetBytes(text));

        int width = Shortening.Shorten(ref line, start, cells);

        Encoding.UTF8.GetString(line.Written).ShouldBe("before " + expected);
        width.ShouldBe(CellWidth.Of(Encoding.UTF8.GetBytes(expected)));
        width.ShouldBeLessThanOrEqualTo(cells);
    }

    [Fact]
    public void Shorten_AnyEscapedBytes_FitsAndIsValid()
    {
        var random = new Random(11);
        byte[] raw = new byte[64];
        for (int round = 0; round < 5_000; round++)
        {
            random.NextBytes(raw);
            var line = new LineWriter(new byte[1024]);
            Escaping.AppendText(ref line, raw);
            int cells = random.Next(1, 80);

            Shortening.Shorten(ref line, 0, cells).ShouldBe(CellWidth.Of(line.Written));

            CellWidth.Of(line.Written).ShouldBeLessThanOrEqualTo(Math.Max(cells, 1));
            Encoding.UTF8.GetString(line.Written).ShouldNotContain('\ufffd');
        }
    }

    [Theory]
    [InlineData("one two three", 7, "one two|three")]
    [InlineData("one two three", 3, "one|two|three")]
    [InlineData("a-word-that-is-longer", 5, "a-word-that-is-longer")]
    [InlineData("", 5, "")]
    public void Lines_OfWords_BreakAtBlanksAlone(string text, int width, string expected) =>
        string.Join('|', WordWrap.Lines(text, width)).ShouldBe(expected);
}
