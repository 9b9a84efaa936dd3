// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Core.Sources;

/// <summary>A module of a running trace.</summary>
/// <param name="Module">The module.</param>
/// <param name="Hook">How it is attached.</param>
/// <param name="Filters">Its filters, which can be changed.</param>
/// <param name="FiltersWithoutFlag">The filters that have nothing to compare in this trace, each with the flag that would change
/// that.</param>
public sealed record TracedModule(
    TraceModule Module, string Hook, IReadOnlyList<FilterMap> Filters, IReadOnlyList<(string Name, string Flag)> FiltersWithoutFlag);
