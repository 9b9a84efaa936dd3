// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>One store into the kernel's side of a dimension; see <see cref="FilterChange"/> for their order.</summary>
/// <param name="Kind">Where.</param>
/// <param name="Key">For the stores into the map.</param>
/// <param name="Value">The bits of the key, or the word.</param>
public readonly record struct FilterStore(FilterStoreKind Kind, FilterKey Key, ulong Value);

/// <summary>Where a <see cref="FilterStore"/> goes: the parts of <c>VEIL_FILTER</c> in <c>bpf/veil/filter.bpf.h</c>.</summary>
public enum FilterStoreKind
{
    /// <summary>A key into the map, or other bits for one that is there.</summary>
    SetKey,

    /// <summary>A key out of the map.</summary>
    RemoveKey,

    /// <summary><c>filter_X_hint</c>.</summary>
    Hint,

    /// <summary><c>filter_X_single</c>.</summary>
    Single,

    /// <summary><c>filter_name_lengths</c>.</summary>
    NameLengths,

    /// <summary>One more in <c>filter_name_generation</c>.</summary>
    NameGeneration,

    /// <summary><c>filter_X_mode</c>.</summary>
    Mode,

    /// <summary>No store: until every program that runs now, and may have read the old mode, is through.</summary>
    Grace,
}
