// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Text;

/// <summary>Lists as flags and control commands have them: separated by commas, <c>\,</c> for one that belongs to a value.</summary>
public static class ListText
{
    /// <summary>The values, without the blanks around them; one that is empty is left in, for the message.</summary>
    public static IReadOnlyList<string> Split(string list) => [.. SplitAt(list, ",", keepEmpty: true).Select(static value => value.Trim())];

    /// <summary>The words of a control command: separated by blanks, <c>\ </c> for one that belongs to a word.</summary>
    public static IReadOnlyList<string> SplitWords(string line) => SplitAt(line, " \t", keepEmpty: false);

    /// <summary>One value in a list.</summary>
    public static string Escape(string value) => value.Replace(",", "\\,", StringComparison.Ordinal);

    /// <summary>One word of a control command.</summary>
    public static string EscapeWord(string word) =>
        word.Replace(" ", "\\ ", StringComparison.Ordinal).Replace("\t", "\\\t", StringComparison.Ordinal);

    // Elsewhere a backslash is itself: paths and names of functions may hold it.
    private static List<string> SplitAt(string text, string separators, bool keepEmpty)
    {
        var parts = new List<string>();
        var part = new System.Text.StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length && separators.Contains(text[i + 1], StringComparison.Ordinal))
                part.Append(text[++i]);
            else if (separators.Contains(text[i], StringComparison.Ordinal))
                Take();
            else
                part.Append(text[i]);
        }

        Take();
        return parts;

        void Take()
        {
            if (keepEmpty || part.Length > 0)
                parts.Add(part.ToString());
            part.Clear();
        }
    }
}
