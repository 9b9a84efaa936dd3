// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Output;

/// <summary>Where finished lines go.</summary>
public interface IOutput
{
    /// <summary>The descriptor that tells (POLLERR) that its reader is gone; -1 where there is none to watch.</summary>
    int WatchFd => -1;

    /// <summary>Writes all of it, waiting where the other side is slow.</summary>
    /// <exception cref="OutputException">The output takes no more.</exception>
    void Write(ReadOnlySpan<byte> lines);
}
