// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Cli.Prompt;

namespace Veil.Cli.Tests;

/// <summary>Keys in, a line out.</summary>
public sealed class LineEditorTests
{
    [Theory]
    [InlineData("abc", "abc", 3)]
    [InlineData("abc\x7f", "ab", 2)]
    [InlineData("abc\u001b[D\u001b[DX", "aXbc", 2)]
    [InlineData("abc\x01X", "Xabc", 1)]
    [InlineData("add pid\x17uid", "add uid", 7)]
    [InlineData("abc\x02\x0b", "ab", 2)]
    [InlineData("abc\x15x", "x", 1)]
    [InlineData("grün", "grün", 4)]
    [InlineData("a😀\x7f", "a", 1)]
    [InlineData("a😀\u001b[D\u001b[Db\u001b[3~", "b😀", 1)]
    [InlineData("a😀\u001b[D\u001b[3~b", "ab", 2)]
    [InlineData("a\u001b[3~b\u001b[H\u001b[3~", "b", 0)]
    [InlineData("\u001b[A\u001b[A", "first", 5)]
    [InlineData("new\u001b[A\u001b[B", "new", 3)]
    [InlineData("\u001b[99;5Zx", "x", 1)]
    [InlineData("sta\t", "status ", 7)]
    [InlineData("re\t", "resume ", 7)]
    public void Keys_Typed_MakeTheLine(string keys, string text, int cursor)
    {
        var editor = Type(keys, out var result);

        result.ShouldBe(LineEditor.Result.Editing);
        editor.Text.ShouldBe(text);
        editor.Cursor.ShouldBe(cursor);
    }

    [Theory]
    [InlineData("x\r", LineEditor.Result.Entered)]
    [InlineData("x\x03", LineEditor.Result.Quit)]
    [InlineData("\x04", LineEditor.Result.Quit)]
    [InlineData("x\x04", LineEditor.Result.Editing)]
    [InlineData("x\f", LineEditor.Result.Cleared)]
    [InlineData("x\x13", LineEditor.Result.Editing)]
    internal void Keys_ThatEnd_Say(string keys, LineEditor.Result expected)
    {
        Type(keys, out var result);
        result.ShouldBe(expected);
    }

    [Fact]
    public void Tab_WithSeveral_ShowsThem() => Type("s\t", out _).Candidates.ShouldBe(["show", "status"]);

    [Fact]
    public void Keys_OfAnyKind_NeverThrow()
    {
        var random = new Random(1);
        for (int round = 0; round < 2_000; round++)
        {
            var editor = new LineEditor(static _ => ["status", "show"], ["one"]);
            for (int key = 0; key < 60; key++)
                editor.Take((byte)random.Next(256));
            editor.Cursor.ShouldBeInRange(0, editor.Text.Length);
        }
    }

    private static LineEditor Type(string keys, out LineEditor.Result result)
    {
        string[] names = ["resume", "show", "status"];
        var editor =
            new LineEditor(before => [.. names.Where(name => name.StartsWith(before, StringComparison.Ordinal))], ["first", "second"]);
        result = LineEditor.Result.Editing;
        foreach (byte key in Encoding.UTF8.GetBytes(keys))
            result = editor.Take(key);
        return editor;
    }
}
