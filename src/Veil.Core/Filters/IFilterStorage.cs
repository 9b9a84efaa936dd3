// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;

namespace Veil.Core.Filters;

/// <summary>Where the decisions of a filter are made, for one module.</summary>
public interface IFilterStorage
{
    /// <summary>Bytes of a key.</summary>
    int KeyBytes { get; }

    /// <summary>Does one of the stores of a change; see <see cref="FilterChange"/> for their order.</summary>
    /// <exception cref="BpfException">There is no room.</exception>
    void Store(in FilterStore store);

    /// <summary>What it let through and what it dropped while it held keys; nothing where that is not counted. From any thread.</summary>
    (ulong Passed, ulong Dropped)? Counts();
}
