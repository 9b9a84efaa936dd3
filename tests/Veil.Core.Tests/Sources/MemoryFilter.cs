// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Filters;

namespace Veil.Core.Tests.Sources;

/// <summary>A filter's keys in memory, with so much room.</summary>
internal sealed class MemoryFilter(int keyBytes, int keysMax = int.MaxValue) : IFilterStorage
{
    /// <summary>What a program would find.</summary>
    public Dictionary<string, FilterBits> Keys { get; } = [];

    public int KeyBytes => keyBytes;

    public void Replace(
        FilterDimension dimension, IReadOnlyDictionary<FilterKey, FilterBits> before, IReadOnlyDictionary<FilterKey, FilterBits> after)
    {
        foreach (var store in FilterChange.Plan(dimension, KeyBytes, before, after))
            Store(store);
    }

    public void Store(in FilterStore store)
    {
        if (store.Kind == FilterStoreKind.RemoveKey)
            Keys.Remove(store.Key.Text);
        if (store.Kind != FilterStoreKind.SetKey)
            return;
        if (!Keys.ContainsKey(store.Key.Text) && Keys.Count == keysMax)
            throw new BpfException("storing a key in", "filter", "no room");
        Keys[store.Key.Text] = (FilterBits)store.Value;
    }

    public (ulong Passed, ulong Dropped)? Counts() => (7, 3);
}
