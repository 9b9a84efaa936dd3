// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Text;

/// <summary>Breaks text at its blanks, so that its lines fit into some places.</summary>
public static class WordWrap
{
    /// <summary>The lines, at least one. A word that is longer has a line of its own.</summary>
    public static List<string> Lines(string text, int width)
    {
        var lines = new List<string> { "" };
        foreach (string word in text.Split(' '))
        {
            if (lines[^1].Length > 0 && lines[^1].Length + 1 + word.Length > width)
                lines.Add("");
            lines[^1] += lines[^1].Length == 0 ? word : " " + word;
        }

        return lines;
    }
}
