// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Cgroups;

/// <summary>The record that tells of a new cgroup: <c>struct veil_cgroup_event</c> of <c>bpf/veil/cgroup_tree.bpf.h</c>.</summary>
internal static class CgroupMade
{
    /// <summary>What its kind has in place of the number of an event struct (<c>VEIL_KIND_CGROUP</c>).</summary>
    public const uint Kind = 255;

    /// <summary>Takes one apart.</summary>
    /// <param name="record">The record.</param>
    /// <param name="headerBytes">Bytes of the common header.</param>
    /// <param name="id">The cgroup's id.</param>
    /// <param name="path">Its path.</param>
    /// <returns>False where it is damaged.</returns>
    public static bool TryRead(ReadOnlySpan<byte> record, int headerBytes, out ulong id, out ReadOnlySpan<byte> path)
    {
        id = 0;
        path = default;
        if (record.Length <= headerBytes + sizeof(ulong))
            return false;
        id = BinaryPrimitives.ReadUInt64LittleEndian(record[headerBytes..]);
        path = record[(headerBytes + sizeof(ulong))..];
        int end = path.IndexOf((byte)0);
        if (end > 0)
            path = path[..end];
        return end > 0;
    }
}
