// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core;
using Veil.Core.Counting;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Sinks;

namespace Veil.Cli;

/// <summary>What <c>--output tree</c> has no place for.</summary>
internal static class TreeFlags
{
    /// <summary>Looks for it.</summary>
    /// <exception cref="UsageException">Something else was asked for beside it.</exception>
    public static void Require(
        IReadOnlyList<TraceModule> modules, IReadOnlyList<FilterExpression> filters, IReadOnlyList<string> fields, Enrichments enrichments,
        CountOptions? counting)
    {
        if (modules.FirstOrDefault(static module => !module.HasTree) is { } other)
            throw new UsageException(
                $"--output tree: is for processes, and --module {other.Name} shows others; take --module process alone");
        if (counting is not null)
            throw new UsageException("--output tree: is for events, and counting shows none; leave one of them out");
        if (filters.Any(static filter => filter.Dimension.Name == "event"))
            throw new UsageException("--event: a tree is made of all events; leave it out, or take --output json");
        if (fields.Count > 0)
            throw new UsageException("--fields: a tree has no fields to choose; leave it out, or take --output json");
        if (enrichments != Enrichments.None)
            throw new UsageException("--enrich: a tree has no room for it; leave it out, or take --output json");
    }
}
