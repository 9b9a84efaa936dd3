// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>
/// From one filter to another while programs read it: which stores, in which order. Programs read the mode, then single, then
/// hint and map, each once; for names generation, lengths and map. In this order every event is decided by the filter before or by the one
/// after:
/// <list type="number">
/// <item>A bit that leaves the mode leaves first, at once for all keys. A program that read the old mode has to find the old
/// keys, or it would drop what both filters let pass; so the keys wait for a grace period.</item>
/// <item>Hint and lengths grow before the keys come, and shrink after they went: a clear bit excludes.</item>
/// <item>Single goes when the map holds everything, and comes when it holds nothing else.</item>
/// <item>A bit that joins the mode joins last, when its keys are there.</item>
/// </list>
/// In between, keys come or go one by one. That shows in no single event as long as only one kind of bit changes, and in one
/// direction: an event with several keys (two sides, windows of a name) is then decided between the two filters.
/// </summary>
public static class FilterChange
{
    internal const ulong SingleFlag = 1UL << 32; // VEIL_SINGLE
    private const int HintBits = 64;

    /// <summary>The stores.</summary>
    /// <param name="dimension">The dimension.</param>
    /// <param name="keyBytes">The size of the map's keys.</param>
    /// <param name="before">What the kernel holds.</param>
    /// <param name="after">What it shall hold.</param>
    public static IReadOnlyList<FilterStore> Plan(
        FilterDimension dimension, int keyBytes, IReadOnlyDictionary<FilterKey, FilterBits> before, IReadOnlyDictionary<FilterKey,
        FilterBits> after)
    {
        var stores = new List<FilterStore>();
        var (old, next) = (Words.Of(dimension, keyBytes, before), Words.Of(dimension, keyBytes, after));
        var mode = old.Mode;

        if ((old.Mode & ~next.Mode) != FilterBits.None)
        {
            mode = old.Mode & next.Mode;
            Word(FilterStoreKind.Mode, (ulong)mode);
            Word(FilterStoreKind.Grace, 0);
        }

        if ((old.Hint | next.Hint) != old.Hint)
            Word(FilterStoreKind.Hint, old.Hint | next.Hint);
        if ((old.Lengths | next.Lengths) != old.Lengths)
            Word(FilterStoreKind.NameLengths, old.Lengths | next.Lengths);

        foreach (var (key, bits) in after)
        {
            if (!before.TryGetValue(key, out var held) || held != bits)
                stores.Add(new(FilterStoreKind.SetKey, key, (ulong)bits));
        }

        foreach (var (key, _) in before)
        {
            if (!after.ContainsKey(key))
                stores.Add(new(FilterStoreKind.RemoveKey, key, 0));
        }

        if (next.Single != old.Single)
            Word(FilterStoreKind.Single, next.Single);
        if ((old.Hint | next.Hint) != next.Hint)
            Word(FilterStoreKind.Hint, next.Hint);
        if ((old.Lengths | next.Lengths) != next.Lengths)
            Word(FilterStoreKind.NameLengths, next.Lengths);
        if (dimension is NameDimension && stores.Count > 0)
            Word(FilterStoreKind.NameGeneration, 0);
        if (next.Mode != mode)
            Word(FilterStoreKind.Mode, (ulong)next.Mode);
        return stores;

        void Word(FilterStoreKind kind, ulong value) => stores.Add(new(kind, default, value));
    }

    private readonly record struct Words(FilterBits Mode, ulong Hint, ulong Single, ulong Lengths)
    {
        public static Words Of(FilterDimension dimension, int keyBytes, IReadOnlyDictionary<FilterKey, FilterBits> keys)
        {
            var mode = FilterBits.None;
            ulong hint = 0, single = 0, lengths = 0;
            foreach (var (key, bits) in keys)
            {
                mode |= bits;
                hint |= 1UL << (int)(key.Bits % HintBits);
                if (dimension is NameDimension)
                    lengths |= 1UL << NameDimension.LengthOf(key);
                if (keyBytes == sizeof(uint) && keys.Count == 1)
                    single = SingleFlag | (ulong)key.Bits;
            }

            return new(mode, hint, single, lengths);
        }
    }
}
