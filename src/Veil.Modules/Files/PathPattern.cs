using System.Text;
using Veil.Core;
using Veil.Core.Text;

namespace Veil.Modules.Files;

/// <summary>A value of <c>--file</c>: its shape says how it is compared.</summary>
internal sealed class PathPattern
{
    private readonly byte[] _text;

    private PathPattern(byte[] text, bool deny)
    {
        _text = text;
        Deny = deny;
    }

    /// <summary>What it matches does not pass.</summary>
    public bool Deny { get; }

    /// <summary>Reads a value.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static PathPattern Parse(string value)
    {
        bool deny = value.StartsWith('!');
        string text = deny ? value[1..] : value;
        if (text.Length == 0)
            throw new UsageException($"--file: {EmptyValue.Explain(value)}; give a path (/etc/hosts), a folder (/etc/), the end of a path (etc/hosts) or a part of one (hosts), '!' before it denies");
        if (text.Contains('\ufffd', StringComparison.Ordinal))
            throw new UsageException($"--file: '{Escaping.ForMessage(text)}' is not UTF-8");
        return new PathPattern(Encoding.UTF8.GetBytes(text), deny);
    }

    /// <summary><c>/etc/hosts</c> is that path, <c>/etc/</c> all below, <c>etc/hosts</c> the end of a path, <c>hosts</c> any part of one.</summary>
    public bool Matches(ReadOnlySpan<byte> path)
    {
        ReadOnlySpan<byte> text = _text;
        if (text[0] == '/')
            return text[^1] == '/' ? path.StartsWith(text) : path.SequenceEqual(text);
        if (!text.Contains((byte)'/'))
            return path.IndexOf(text) >= 0;
        return path.EndsWith(text) && (path.Length == text.Length || path[^(text.Length + 1)] == '/');
    }
}
