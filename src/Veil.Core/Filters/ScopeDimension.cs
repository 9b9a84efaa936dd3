// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>A filter that the cgroup of a task decides. The kernel has one map for all of these.</summary>
public abstract class ScopeDimension : FilterDimension
{
    /// <summary>The map.</summary>
    public const string MapName = "cgroup";

    /// <summary>Do names decide that a runtime may write only after the cgroup was made?</summary>
    public virtual bool IsByName => false;

    /// <summary>Does a key stand for a cgroup?</summary>
    /// <param name="key">The key.</param>
    /// <param name="path">The cgroup's path in its hierarchy.</param>
    public abstract bool Matches(in FilterKey key, string path);
}
