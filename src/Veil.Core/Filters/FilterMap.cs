// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;

namespace Veil.Core.Filters;

/// <summary>
/// A filter of one module, with the keys that it holds. It can be changed while events come: at every instant an event is decided by the
/// keys before the change or by those after it. One thread at a time.
/// </summary>
/// <param name="dimension">What it compares.</param>
/// <param name="storage">Where its decisions are made.</param>
public sealed class FilterMap(FilterDimension dimension, IFilterStorage storage)
{
    private Dictionary<FilterKey, FilterBits> _keys = new(FilterKeyByBits.Instance);

    /// <summary>What it compares.</summary>
    public FilterDimension Dimension => dimension;

    /// <summary>The keys, each allowed, denied or both.</summary>
    public IReadOnlyDictionary<FilterKey, FilterBits> Keys => _keys;

    /// <summary>What it let through and what it dropped while it held keys; nothing where that is not counted. From any thread.</summary>
    public (ulong Passed, ulong Dropped)? Counts() => storage.Counts();

    /// <summary>Puts keys in place of those that are there, in the order of <see cref="FilterChange"/>.</summary>
    /// <param name="wanted">None of them without a bit.</param>
    /// <exception cref="BpfException">The kernel has no room; what was there before is in force.</exception>
    public void Replace(IReadOnlyDictionary<FilterKey, FilterBits> wanted)
    {
        try
        {
            storage.Replace(dimension, _keys, wanted);
        }
        catch (BpfException)
        {
            storage.Replace(dimension, wanted, _keys);
            throw;
        }

        _keys = new(wanted, FilterKeyByBits.Instance);
    }
}
