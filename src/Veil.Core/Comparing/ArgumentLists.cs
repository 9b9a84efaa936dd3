// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Comparing;

/// <summary>The arguments in a call's text, each whole: a comma in a string or in brackets parts none.</summary>
internal static class ArgumentLists
{
    private const string Nothing = "nothing";

    /// <summary>The arguments of <c>name(one, two) = 0</c>, or of what stands between the brackets of a list.</summary>
    public static List<string> Of(string text)
    {
        int from = text.IndexOf('(', StringComparison.Ordinal) + 1, depth = 0, start = from, at = from;
        var parts = new List<string>();
        for (; at < text.Length && depth >= 0; at++)
        {
            switch (text[at])
            {
                case '"':
                    for (at++; at < text.Length && text[at] != '"'; at++)
                        at += text[at] == '\\' ? 1 : 0;
                    break;
                case '(' or '[' or '{':
                    depth++;
                    break;
                case ')' or ']' or '}':
                    depth--;
                    break;
                case ',' when depth == 0:
                    parts.Add(text[start..at].Trim());
                    start = at + 1;
                    break;
            }
        }

        int end = Math.Min(depth < 0 ? at - 1 : text.Length, text.Length);
        if (start < end)
            parts.Add(text[start..end].Trim());
        return parts;
    }

    /// <summary>The first argument that differs; of two lists the first element that does.</summary>
    /// <param name="one">Arguments as they are compared.</param>
    /// <param name="other">Those of the other call.</param>
    /// <param name="oneShown">As they were.</param>
    /// <param name="otherShown">Those of the other call.</param>
    public static (string One, string Other) FirstDifference(List<string> one, List<string> other, List<string> oneShown, List<string> otherShown)
    {
        int place = 0;
        while (place < Math.Min(one.Count, other.Count) && one[place] == other[place])
            place++;
        string was = At(one, oneShown, place), now = At(other, otherShown, place);
        return place < one.Count && place < other.Count && IsList(was) && IsList(now) && IsList(one[place]) && IsList(other[place])
            ? FirstDifference(Elements(one[place]), Elements(other[place]), Elements(was), Elements(now)) : (was, now);
    }

    // What was compared stands for it where the two do not have the same arguments.
    private static string At(List<string> compared, List<string> shown, int place) =>
        place >= compared.Count ? Nothing : shown.Count == compared.Count ? shown[place] : compared[place];

    private static bool IsList(string text) => text.Length > 1 && text[0] == '[' && text[^1] == ']';

    private static List<string> Elements(string list) => Of("(" + list[1..^1]);
}
