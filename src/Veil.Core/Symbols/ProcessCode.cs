// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Unwinding;

namespace Veil.Core.Symbols;

/// <summary>The code of a process at one moment.</summary>
/// <param name="names">Knows what processes have mapped.</param>
/// <param name="pid">The process.</param>
/// <param name="timeNs">The moment, by CLOCK_MONOTONIC.</param>
internal readonly struct ProcessCode(StackNames names, int pid, long timeNs) : IFrameSource
{
    /// <inheritdoc/>
    public bool TryFind(ulong address, out FrameRow? row) => names.TryFindFrame(pid, address, timeNs, out row);
}
