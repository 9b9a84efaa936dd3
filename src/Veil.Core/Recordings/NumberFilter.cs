// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Core.Recordings;

/// <summary>By numbers of the record. Of an event with two sides a deny of either drops it, and an allow of either is enough.</summary>
/// <param name="flag">The flag, with its dashes.</param>
/// <param name="keys">What it compares with.</param>
/// <param name="places">Where the numbers are.</param>
internal sealed class NumberFilter(string flag, IReadOnlyDictionary<ulong, FilterBits> keys, IEnumerable<EventMember> places) : EventFilter
{
    private readonly Dictionary<ulong, FilterBits> _keys = new(keys);
    private readonly FilterBits _mode = keys.Values.Aggregate(FilterBits.None, static (all, bits) => all | bits);
    private readonly (int Offset, int Size)[] _places = [.. places.Select(static place => (place.Offset, place.Size))];

    /// <summary>Allows one number; none where it has no place.</summary>
    public static NumberFilter? Of(string flag, ulong number, List<EventMember> places) =>
        places.Count == 0 ? null : new(flag, new Dictionary<ulong, FilterBits> { [number] = FilterBits.Allow }, places);

    public override string Flag => flag;

    public override bool Passes(ref EventView view)
    {
        var bits = FilterBits.None;
        foreach (var (offset, size) in _places)
            bits |= _keys.GetValueOrDefault(Read(view.Record.Slice(offset, size)));
        return Decide(bits, _mode);
    }

    /// <summary>The rule: a denied key is dropped; if any key is allowed, all others are dropped too.</summary>
    public static bool Decide(FilterBits bits, FilterBits mode) =>
        !bits.HasFlag(FilterBits.Deny) && (!mode.HasFlag(FilterBits.Allow) || bits.HasFlag(FilterBits.Allow));

    private static ulong Read(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        8 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        _ => bytes[0],
    };
}
