// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Core.Recordings;

/// <summary>By text, of which each key is asked.</summary>
internal abstract class TextFilter : EventFilter
{
    private readonly (string Text, FilterBits Bits)[] _keys;
    private readonly FilterBits _mode;
    private readonly string _flag;

    protected TextFilter(FilterExpression filter)
    {
        _flag = "--" + filter.Dimension.Name;
        _keys = [.. filter.Bits.Select(static key => (key.Key.Text, key.Value))];
        _mode = filter.Bits.Values.Aggregate(FilterBits.None, static (all, bits) => all | bits);
    }

    public override string Flag => _flag;

    public override bool Passes(ref EventView view)
    {
        var bits = FilterBits.None;
        foreach (var (text, some) in _keys)
        {
            if (Matches(ref view, text))
                bits |= some;
        }

        return NumberFilter.Decide(bits, _mode);
    }

    /// <summary>Is the event one that the text means?</summary>
    protected abstract bool Matches(ref EventView view, string text);

    /// <summary>Does the bytes' text hold it?</summary>
    protected static bool Holds(ReadOnlySpan<byte> bytes, string text, bool whole)
    {
        Span<byte> wanted = stackalloc byte[256];
        if (!System.Text.Encoding.UTF8.TryGetBytes(text, wanted, out int length))
            return false;
        return whole ? bytes.SequenceEqual(wanted[..length]) : bytes.IndexOf(wanted[..length]) >= 0;
    }
}
