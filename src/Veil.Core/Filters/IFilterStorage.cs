// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;

namespace Veil.Core.Filters;

/// <summary>Where the decisions of a filter are made, for one module.</summary>
public interface IFilterStorage
{
    /// <summary>Puts keys in place of others. At every instant an event is decided by the keys before or by those after.</summary>
    /// <param name="dimension">What they are of.</param>
    /// <param name="before">The keys that are there.</param>
    /// <param name="after">The keys that shall be there.</param>
    /// <exception cref="BpfException">There is no room.</exception>
    void Replace(
        FilterDimension dimension, IReadOnlyDictionary<FilterKey, FilterBits> before, IReadOnlyDictionary<FilterKey, FilterBits> after);

    /// <summary>What it let through and what it dropped while it held keys; nothing where that is not counted. From any thread.</summary>
    (ulong Passed, ulong Dropped)? Counts();
}
