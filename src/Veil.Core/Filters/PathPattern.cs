// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Filters;

/// <summary>
/// A value of a filter by path: its shape says how it is compared. <c>/etc/hosts</c> is that path and, where it is a folder, all below;
/// <c>/etc/</c> all below alone; <c>etc/hosts</c> the same anywhere; <c>hosts</c> any part of a path. With <c>*</c> or <c>?</c> whole
/// names:
/// <c>*.log</c> is the name in its folder, <c>/proc/*/</c> all below. <c>*</c> is any run of bytes but <c>/</c>, <c>?</c> one character but
/// that,
/// and <c>\</c> takes the next byte as it is.
/// </summary>
/// <param name="Text">Without escapes, where it is no pattern.</param>
/// <param name="IsGlob">Has it <c>*</c> or <c>?</c>?</param>
public readonly record struct PathPattern(string Text, bool IsGlob)
{
    /// <summary>Is it any part of a path?</summary>
    public bool IsPart => !IsGlob && !Text.Contains('/', StringComparison.Ordinal);

    /// <summary>Reads a value, which is not empty.</summary>
    public static PathPattern Of(string value)
    {
        string text = Absolute(value);
        bool isGlob = WildcardAt(text) >= 0;
        return new(isGlob ? text : Unescape(text), isGlob);
    }

    // As the shell completes a path: from the current folder.
    private static string Absolute(string text)
    {
        if (!text.StartsWith("./", StringComparison.Ordinal) && !text.StartsWith("../", StringComparison.Ordinal))
            return text;
        int wildcard = WildcardAt(text), end = wildcard < 0 ? text.Length : text.LastIndexOf('/', wildcard) + 1;
        return Escape(Path.GetFullPath(Unescape(text[..end]))) + text[end..];
    }

    /// <summary>What a value also means, because a symbolic link is in it; or nothing.</summary>
    public static string? RealOf(string value)
    {
        string text = Absolute(value);
        if (!text.StartsWith('/'))
            return null;
        int wildcard = WildcardAt(text), end = wildcard < 0 ? text.Length : text.LastIndexOf('/', wildcard) + 1;
        string given = Unescape(text[..end]), real = RealPath.Of(given);
        return real == given ? null : Escape(real) + text[end..];
    }

    private static int WildcardAt(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
                i++;
            else if (text[i] is '*' or '?')
                return i;
        }

        return -1;
    }

    private static string Unescape(string text)
    {
        var plain = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
                i++;
            plain.Append(text[i]);
        }

        return plain.ToString();
    }

    private static string Escape(string plain) =>
        plain.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("*", @"\*", StringComparison.Ordinal)
            .Replace("?", @"\?", StringComparison.Ordinal);
}
