// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Text;

namespace Veil.Core.Filters;

/// <summary>What a user asked of one dimension: keys to allow and keys to deny.</summary>
/// <param name="Dimension">The dimension.</param>
/// <param name="Bits">For each key whether it is allowed, denied or both.</param>
public sealed record FilterExpression(FilterDimension Dimension, IReadOnlyDictionary<FilterKey, FilterBits> Bits)
{
    /// <summary>The module that it is for; none for all that have the dimension.</summary>
    public string? Module { get; init; }

    /// <summary>Is a key allowed by name?</summary>
    public bool Allows(string text) => Bits.Any(key => key.Key.Text == text && key.Value.HasFlag(FilterBits.Allow));

    /// <summary>The most keys that a map holds: <c>VEIL_FILTER_KEYS</c>.</summary>
    public const int KeysMax = 10_240;

    /// <summary>Reads the values of a flag.</summary>
    /// <param name="dimension">The dimension.</param>
    /// <param name="values">As given: each may hold several (<see cref="ListText"/>); <c>!</c> denies.</param>
    /// <exception cref="UsageException">An empty value, one that is none, or too many.</exception>
    public static FilterExpression Parse(FilterDimension dimension, IEnumerable<string> values)
    {
        string flag = "--" + dimension.Name;
        var bits = new Dictionary<FilterKey, FilterBits>(FilterKeyByBits.Instance);
        var keys = ReadKeys(dimension, flag, values);
        RequireOneThatCanMatch(dimension, flag, keys);
        foreach (var (key, denied) in keys)
        {
            bits.TryGetValue(key, out var held);
            bits[key] = held | (denied ? FilterBits.Deny : FilterBits.Allow);
        }

        if (bits.Count > KeysMax)
            throw new UsageException($"{flag}: {bits.Count} keys, but a filter holds at most {KeysMax}");
        return new FilterExpression(dimension, bits);
    }

    /// <summary>Refuses keys none of which can ever be seen on this machine.</summary>
    /// <param name="dimension">The dimension.</param>
    /// <param name="where">What to blame in messages: the flag, or the map.</param>
    /// <param name="keys">The keys.</param>
    /// <exception cref="UsageException">None of them can.</exception>
    public static void RequireOneThatCanMatch(FilterDimension dimension, string where, IReadOnlyList<(FilterKey Key, bool Denied)> keys)
    {
        if (keys.Count > 0 && !keys.Any(key => dimension.CanMatch(key.Key)))
            throw new UsageException($"{where}: '{Escaping.ForMessage(keys[0].Key.Text)}' is out of range ({dimension.AcceptedForm})");
    }

    /// <summary>Reads keys, as the command line and the control commands write them.</summary>
    /// <param name="dimension">The dimension.</param>
    /// <param name="where">What to blame in messages: the flag, or the map.</param>
    /// <param name="values">Each may hold several (<see cref="ListText"/>); <c>!</c> denies.</param>
    /// <exception cref="UsageException">An empty value, or one that is none.</exception>
    public static IReadOnlyList<(FilterKey Key, bool Denied)> ReadKeys(FilterDimension dimension, string where, IEnumerable<string> values)
    {
        var read = new List<(FilterKey, bool)>();
        var keys = new List<FilterKey>();
        foreach (string value in values)
        {
            foreach (string part in ListText.Split(value))
            {
                string text = part;
                bool deny = text.StartsWith('!');
                if (deny)
                    text = text[1..];
                if (text.Length == 0)
                    throw new UsageException($"{where}: {EmptyValue.Explain(value)}; give {dimension.AcceptedForm}, '!' before it denies");
                // Arguments are bytes; what is not UTF-8 has been replaced before it comes here, and would never match.
                if (text.Contains('\ufffd', StringComparison.Ordinal))
                    throw new UsageException($"{where}: '{Escaping.ForMessage(text)}' is not UTF-8");
                keys.Clear();
                if (dimension.ParseKeys(text, keys) is { } wrong)
                    throw new UsageException($"{where}: {wrong}");
                foreach (var key in keys)
                    read.Add((key, deny));
            }
        }

        return read;
    }
}
