// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using FsCheck.Xunit;

namespace Veil.Core.Tests.Text;

public sealed class EscapingTests
{
    [Theory]
    [InlineData("6e67696e78", "nginx")]
    [InlineData("1b5b33316d", @"\x1b[31m")]
    [InlineData("610a0d0962", @"a\n\r\tb")]
    [InlineData("7f00", @"\x7f\x00")]
    [InlineData("5c6e", @"\\n")]
    [InlineData("ff41c3", @"\xffA\xc3")]
    [InlineData("c39f", "ß")]
    [InlineData("e280ae", @"\u{202e}")]
    [InlineData("e281a6", @"\u{2066}")]
    [InlineData("e280a8", @"\u{2028}")]
    [InlineData("c285", @"\u{85}")]
    [InlineData("f3a08081", @"\u{e0001}")]
    [InlineData("c2a0", @"\u{a0}")]
    [InlineData("e385a4", @"\u{3164}")] // HANGUL FILLER
    [InlineData("efbea0", @"\u{ffa0}")] // HALFWIDTH HANGUL FILLER
    [InlineData("cd8f", @"\u{34f}")] // COMBINING GRAPHEME JOINER
    [InlineData("61efb88f", @"a\u{fe0f}")] // VARIATION SELECTOR-16
    [InlineData("f3a08480", @"\u{e0100}")] // VARIATION SELECTOR-17
    [InlineData("e1a08b", @"\u{180b}")] // MONGOLIAN FREE VARIATION SELECTOR ONE
    [InlineData("e2a080", @"\u{2800}")] // BRAILLE PATTERN BLANK
    [InlineData("e38080", @"\u{3000}")] // IDEOGRAPHIC SPACE
    [InlineData("c2ad", @"\u{ad}")] // SOFT HYPHEN
    [InlineData("78efbc9d79", @"x\u{ff1d}y")] // FULLWIDTH EQUALS SIGN
    [InlineData("504944efb9a631", @"PID\u{fe66}1")] // SMALL EQUALS SIGN
    [InlineData("ccb861", @"\u{338}a")] // a mark that would make ≠ of the label's =
    [InlineData("6120cc8062", @"a \u{300}b")]
    [InlineData("65cc81", "e\u0301")]
    [InlineData("746d75783a20736572766572", "tmux: server")]
    [InlineData("782020504944 3d3120 5549443d30", @"x\x20\x20PID\x3d1 UID\x3d0")]
    [InlineData("2061 20", @"\x20a\x20")]
    [InlineData("20", @"\x20")]
    [InlineData("5049443d31", @"PID\x3d1")]
    [InlineData("2f746d702f613d62", "/tmp/a=b")]
    [InlineData("61203d3d2062", "a == b")]
    public void AppendText_Bytes_AreShownSafely(string hex, string expected)
    {
        var line = new LineWriter(new byte[200]);
        int shown = Escaping.AppendText(ref line, Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));

        Encoding.UTF8.GetString(line.Written).ShouldBe(expected);
        shown.ShouldBe(expected.Length);
    }

    [Theory]
    [InlineData("225c", "\"\\", true)]
    [InlineData("1b0a", "\u001b\n", true)]
    [InlineData("e280ae", "\u202e", true)]
    [InlineData("f3a08081", "\udb40\udc01", true)]
    [InlineData("61ff", "a\ufffd", false)]
    public void AppendJson_Bytes_ParseToWhatTheyWere(string hex, string expected, bool exact)
    {
        var line = new LineWriter(new byte[200]);
        Escaping.AppendJson(ref line, Convert.FromHexString(hex)).ShouldBe(exact);

        JsonSerializer.Deserialize<string>($"\"{Encoding.UTF8.GetString(line.Written)}\"").ShouldBe(expected);
    }

    [Theory]
    [InlineData("plain \\x1b text", "plain \\x1b text")]
    [InlineData("\u001b]0;title\u0007", "\\x1b]0;title\\x07")]
    [InlineData("a\r\n\tb", "a\\r\\n\\tb")]
    [InlineData("\u009b2J\u202e", "\\u{9b}2J\\u{202e}")]
    [InlineData("grün 漢 😀", "grün 漢 😀")]
    [InlineData("a\u3164\uffa0\u2800\ufe0fb", "a\\u{3164}\\u{ffa0}\\u{2800}\\u{fe0f}b")]
    public void Visible_WhatActsOnATerminal_IsEscapedAndNothingElse(string text, string visible) =>
        Escaping.Visible(text).ShouldBe(visible);

    [Property(MaxTest = 1000)]
    public bool AppendText_AnyBytes_NeverHoldAControlByte(byte[] raw)
    {
        var line = new LineWriter(new byte[(raw.Length * Escaping.MaxGrowth) + 8]);
        Escaping.AppendText(ref line, raw);
        string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(line.Written);
        return !text.Any(char.IsControl);
    }

    /// <summary>What Unicode calls a blank or ignorable by default, in every plane, and no letter of everyday.</summary>
    [Fact]
    public void AppendText_EveryBlankAndIgnorableCharacter_IsSeen()
    {
        int[] ignorable =
        [
            0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5, .. Enumerable.Range(0x180b, 5), .. Enumerable.Range(0x200b, 5),
            .. Enumerable.Range(0x202a, 5),
            .. Enumerable.Range(0x2060, 16), 0x3164, .. Enumerable.Range(0xfe00, 16), 0xfeff, 0xffa0, .. Enumerable.Range(0xfff0, 9),
            .. Enumerable.Range(0x1bca0, 4), .. Enumerable.Range(0x1d173, 8), .. Enumerable.Range(0xe0000, 4096),
        ];
        foreach (
            var rune in ignorable.Select(static value => new Rune(value)).Concat(AllRunes().Where(Rune.IsWhiteSpace))
            .Where(static rune => rune.Value != ' '))
        {
            Shown("a" + rune + "b").ShouldMatch(@"^a\\(u\{[0-9a-f]+\}|[nrt]|x[0-9a-f]{2})b$", $"U+{rune.Value:x}");
            JsonText("a" + rune + "b").ShouldMatch(@"^a(\\u[0-9a-f]{4})+b$", $"U+{rune.Value:x}");
        }

        foreach (string everyday in new[] { "grün", "façade", "名前", "файл", "ファイル", "कखग", "שלום", "😀", "Ω≈ç√", "—…" })
            Shown(everyday).ShouldBe(everyday);

        static IEnumerable<Rune> AllRunes() => Enumerable.Range(0, 0x110000).Where(Rune.IsValid).Select(static value => new Rune(value));
    }

    private static string Shown(string text)
    {
        byte[] raw = Encoding.UTF8.GetBytes(text);
        var line = new LineWriter(new byte[(raw.Length * Escaping.MaxGrowth) + 8]);
        Escaping.AppendText(ref line, raw);
        return Encoding.UTF8.GetString(line.Written);
    }

    private static string JsonText(string text)
    {
        byte[] raw = Encoding.UTF8.GetBytes(text);
        var line = new LineWriter(new byte[(raw.Length * Escaping.MaxGrowth) + 8]);
        Escaping.AppendJson(ref line, raw);
        return Encoding.UTF8.GetString(line.Written);
    }

    /// <summary>Two blanks stand between columns, and a label is a word that ends in =.</summary>
    [Property(MaxTest = 2000)]
    public bool AppendText_AnyBytes_NeverLookLikeAColumn(byte[] choices)
    {
        byte[] raw = [.. choices.Select(static choice => "  ==PID1_/\\ \"n"u8[choice % 14])];
        var line = new LineWriter(new byte[(raw.Length * Escaping.MaxGrowth) + 8]);
        Escaping.AppendText(ref line, raw);
        string text = $"name={Encoding.UTF8.GetString(line.Written)}  PID=812";
        return text.Split("  ").Length == 2 && Regex.Count(text, @"(^| )[\w.]+=") == 2;
    }

    [Theory]
    [InlineData("i  POD", @"i\x20\x20POD")]
    [InlineData("x PID=1", @"x PID\x3d1")]
    public void ForColumn_WhatLooksLikeAColumn_IsEscaped(string text, string shown) => Escaping.ForColumn(text).ShouldBe(shown);

    [Property(MaxTest = 1000)]
    public bool AppendJson_AnyBytes_ParseAndAreExactWhereItIsSaid(byte[] raw)
    {
        var line = new LineWriter(new byte[(raw.Length * Escaping.MaxGrowth) + 8]);
        bool exact = Escaping.AppendJson(ref line, raw);
        string parsed = JsonSerializer.Deserialize<string>($"\"{Encoding.UTF8.GetString(line.Written)}\"")!;
        return !exact || Encoding.UTF8.GetBytes(parsed).AsSpan().SequenceEqual(raw);
    }
}
