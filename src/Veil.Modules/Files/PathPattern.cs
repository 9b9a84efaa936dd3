// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core;
using Veil.Core.Text;

namespace Veil.Modules.Files;

/// <summary>A value of <c>--file</c>: its shape says how it is compared.</summary>
internal sealed class PathPattern
{
    private readonly byte[] _text;
    private readonly bool _isGlob;

    private PathPattern(string text, bool isGlob, bool deny)
    {
        _isGlob = isGlob;
        _text = Encoding.UTF8.GetBytes(isGlob ? text : Unescape(text));
        Deny = deny;
    }

    /// <summary>What it matches does not pass.</summary>
    public bool Deny { get; }

    /// <summary>Reads a value. One through a symbolic link is two: files are named without links, opens that failed as they were asked for.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static IEnumerable<PathPattern> Parse(string value)
    {
        bool deny = value.StartsWith('!');
        string text = deny ? value[1..] : value;
        if (text.Length == 0)
            throw new UsageException($"--file: {EmptyValue.Explain(value)}; give a path (/etc/hosts), a folder (/etc), the end of a path (etc/hosts), a part of one (hosts) or a pattern (*.log), '!' before it denies");
        if (text.Contains('\ufffd', StringComparison.Ordinal))
            throw new UsageException($"--file: '{Escaping.ForMessage(text)}' is not UTF-8");
        text = Absolute(text);
        int wildcard = WildcardAt(text);
        yield return new PathPattern(text, wildcard >= 0, deny);
        if (RealOf(text) is { } real)
            yield return new PathPattern(real, wildcard >= 0, deny);
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
    public static string? RealOf(string text)
    {
        if (!text.StartsWith('/'))
            return null;
        int wildcard = WildcardAt(text), end = wildcard < 0 ? text.Length : text.LastIndexOf('/', wildcard) + 1;
        string given = Unescape(text[..end]), real = RealPath.Of(given);
        return real == given ? null : Escape(real) + text[end..];
    }

    /// <summary>
    /// <c>/etc/hosts</c> is that path and, where it is a folder, all below; <c>/etc/</c> all below alone; <c>etc/hosts</c> the same anywhere;
    /// <c>hosts</c> any part of a path. With <c>*</c> or <c>?</c> whole names: <c>*.log</c> is the name in its folder, <c>/proc/*/</c> all below.
    /// </summary>
    public bool Matches(ReadOnlySpan<byte> path)
    {
        ReadOnlySpan<byte> text = _text;
        if (_isGlob)
            return MatchesGlob(path);
        if (text[0] == '/')
            return StartsWithNames(path, text);
        if (!text.Contains((byte)'/'))
            return path.IndexOf(text) >= 0;
        for (int start = 0; ;)
        {
            if (StartsWithNames(path[start..], text))
                return true;
            int slash = path[start..].IndexOf((byte)'/');
            if (slash < 0)
                return false;
            start += slash + 1;
        }
    }

    // Nothing is below a file, so what is below a path that was given is in the folder that was meant.
    private static bool StartsWithNames(ReadOnlySpan<byte> path, ReadOnlySpan<byte> names) =>
        path.StartsWith(names) && (path.Length == names.Length || names[^1] == '/' || path[names.Length] == '/');

    private bool MatchesGlob(ReadOnlySpan<byte> path)
    {
        bool below = _text[^1] == '/';
        if (_text[0] == '/')
            return Glob(_text, path, below);
        // A folder anywhere, or the end of a path: from each of its names on.
        for (int start = 0; ;)
        {
            if (Glob(_text, path[start..], below))
                return true;
            int slash = path[start..].IndexOf((byte)'/');
            if (slash < 0)
                return false;
            start += slash + 1;
        }
    }

    // '*' is any run of bytes but '/', '?' one character but '/', '\' takes the next byte as it is.
    private static bool Glob(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> path, bool below)
    {
        int at = 0, i = 0, starAt = -1, starFrom = 0;
        while (true)
        {
            if (at == pattern.Length && (below || i == path.Length))
                return true;
            if (at < pattern.Length && pattern[at] == '*')
            {
                starAt = ++at;
                starFrom = i;
                continue;
            }

            if (i < path.Length && at < pattern.Length && Takes(pattern, at, path, i, out int patternBytes, out int pathBytes))
            {
                at += patternBytes;
                i += pathBytes;
                continue;
            }

            // One more byte for the last star.
            if (starAt < 0 || starFrom >= path.Length || path[starFrom] == '/')
                return false;
            i = ++starFrom;
            at = starAt;
        }
    }

    private static bool Takes(ReadOnlySpan<byte> pattern, int at, ReadOnlySpan<byte> path, int i, out int patternBytes, out int pathBytes)
    {
        patternBytes = pathBytes = 1;
        if (pattern[at] == '?')
        {
            Rune.DecodeFromUtf8(path[i..], out _, out pathBytes);
            return path[i] != '/';
        }

        if (pattern[at] != '\\' || at + 1 == pattern.Length)
            return pattern[at] == path[i];
        patternBytes = 2;
        return pattern[at + 1] == path[i];
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
        plain.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("*", @"\*", StringComparison.Ordinal).Replace("?", @"\?", StringComparison.Ordinal);
}
