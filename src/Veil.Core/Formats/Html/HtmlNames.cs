// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Formats.Html;

/// <summary>The texts that the page has once: names, errors, paths. Of more than there is room for the rest are one.</summary>
internal sealed class HtmlNames
{
    /// <summary>How many there are at most.</summary>
    public const int Max = 50_000;

    private const int CharactersMax = 4 * 1024 * 1024;
    private const string Other = "(others)";
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal) { [""] = 0 };
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly List<string> _all = [""];
    private readonly char[] _room = new char[8 * 1024];
    private int _characters;

    public HtmlNames() => _lookup = _places.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>All, by their places.</summary>
    public IReadOnlyList<string> All => _all;

    /// <summary>The place of a text; what is no UTF-8 in it becomes U+FFFD.</summary>
    public int PlaceOf(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
            return 0;
        text = text[..Math.Min(text.Length, _room.Length)];
        var name = _room.AsSpan(0, Encoding.UTF8.GetChars(text, _room));
        if (_lookup.TryGetValue(name, out int place))
            return place;
        string kept = _all.Count < Max && _characters + name.Length < CharactersMax ? name.ToString() : Other;
        if (_places.TryGetValue(kept, out place))
            return place;
        _places.Add(kept, place = _all.Count);
        _all.Add(kept);
        _characters += kept.Length;
        return place;
    }
}
