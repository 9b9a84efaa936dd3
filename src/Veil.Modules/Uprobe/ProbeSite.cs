// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Modules.Uprobe;

/// <summary>Where a file is probed.</summary>
/// <param name="File">The file, open.</param>
/// <param name="Offsets">The instructions, in bytes from its beginning.</param>
/// <param name="Counter">Where in the file the semaphore of a USDT probe is, which the kernel counts up while it is traced; 0 for
/// none.</param>
internal sealed record ProbeSite(ProbeFile File, IReadOnlyList<ulong> Offsets, ulong Counter = 0)
{
    /// <summary>The lengths of the functions that begin there; none where the file does not tell.</summary>
    public IReadOnlyList<ulong> Lengths { get; init; } = [];

    /// <summary>Where the function returns, in bytes from the file's beginning; nothing where that is not certain.</summary>
    public IReadOnlyList<ulong>? Returns { get; init; }

    /// <summary>Must the kernel replace return addresses to see returns, in a program that unwinds its stack?</summary>
    public bool BreaksUnwinding => Returns is null && File.Elf.CanUnwind;
}
