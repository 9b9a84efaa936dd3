// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Stuck;

/// <summary>A thread that waits for a lock, and the one that holds it.</summary>
/// <param name="Tid">The thread that waits.</param>
/// <param name="Address">The word that it waits on.</param>
/// <param name="Type">By what the holder is known, as in the module <c>lock</c>.</param>
/// <param name="HolderTid">The thread that holds it, or, where it is a join, whose end is waited for.</param>
/// <param name="HasEnded">That thread is none of the process: nobody will let the lock go.</param>
public readonly record struct LockWait(uint Tid, ulong Address, string Type, uint HolderTid, bool HasEnded = false)
{
    /// <summary>The type of a wait for the end of a thread.</summary>
    public const string Join = "join";
}
