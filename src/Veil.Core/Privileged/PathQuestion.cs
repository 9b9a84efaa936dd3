// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Privileged;

/// <summary>A call that a path refused.</summary>
/// <param name="Pid">The process.</param>
/// <param name="User">The user whose it was.</param>
/// <param name="Error">The error.</param>
/// <param name="Need">What the call needed.</param>
/// <param name="Path">The path, from the root of the process's mount namespace on.</param>
internal readonly record struct PathQuestion(uint Pid, uint User, int Error, PathNeed Need, string Path)
{
    /// <summary>Is it the interpreter of a script that was asked about?</summary>
    public bool IsOfInterpreter { get; init; }
}
