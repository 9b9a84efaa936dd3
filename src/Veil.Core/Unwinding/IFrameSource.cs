// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Unwinding;

/// <summary>Knows the code of a process at one moment.</summary>
internal interface IFrameSource
{
    /// <summary>How to get from there to the caller.</summary>
    /// <param name="address">A place in code.</param>
    /// <param name="row">The way; none: no table has it.</param>
    /// <returns>False where no code is mapped.</returns>
    bool TryFind(ulong address, out FrameRow? row);
}
