// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>Keys are the same if the kernel takes them for the same, however they were written.</summary>
public sealed class FilterKeyByBits : IEqualityComparer<FilterKey>
{
    /// <summary>The only one.</summary>
    public static FilterKeyByBits Instance { get; } = new();

    /// <inheritdoc/>
    public bool Equals(FilterKey x, FilterKey y) => x.Bits == y.Bits;

    /// <inheritdoc/>
    public int GetHashCode(FilterKey obj) => obj.Bits.GetHashCode();
}
