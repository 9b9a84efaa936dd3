// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Privileged;

/// <summary>What a trace needs root for after it has begun.</summary>
[Flags]
public enum RootAbilities
{
    /// <summary>Nothing: there is no helper process.</summary>
    None = 0,

    /// <summary>Names of processes that <c>/proc</c> hides from others (its mount option <c>hidepid</c>).</summary>
    ProcessNames = 1,

    /// <summary>Removal of the control socket from a folder that only root may write to.</summary>
    Socket = 2,

    /// <summary>A look along a path that a call was refused on: who may go there, and whose it is.</summary>
    Paths = 4,

    /// <summary>Names of containers, out of files that only root may read.</summary>
    Containers = 8,

    /// <summary>The next files of a recording, and the removal of the oldest, in a folder that only root may write to.</summary>
    Recording = 16,

    /// <summary>What names of functions are read from: mappings of processes, and programs in their own root folders.</summary>
    Symbols = 32,

    /// <summary>What .NET processes are asked for: that they write the names of what they compile.</summary>
    Jit = 64,
}
