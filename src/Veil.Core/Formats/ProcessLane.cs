// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Formats;

/// <summary>A process on a time line.</summary>
/// <param name="id">What the format calls it.</param>
/// <param name="pid">Its id.</param>
internal sealed class ProcessLane(ulong id, uint pid)
{
    public ulong Id => id;

    public uint Pid => pid;

    /// <summary>Its name as it was last written, UTF-8.</summary>
    public byte[] Name { get; set; } = [];
}
