// SPDX-License-Identifier: GPL-3.0-only
using System.Numerics;
using Veil.Bpf;

namespace Veil.Core.Sources;

/// <summary>How much memory a map takes from the moment on at which it is made: what the kernel's own count says (map_mem_usage of each
/// kind), to a few percent.</summary>
internal static class MapMemory
{
    private const uint NoPreallocation = 1; // BPF_F_NO_PREALLOC
    private const int HashElementBytes = 48; // struct htab_elem, kernel/bpf/hashtab.c
    private const int HashBucketBytes = 16; // struct bucket
    private const int WordBytes = 8;

    /// <summary>Of a map that is about to be made.</summary>
    public static long Of(BpfMap map, int cpus) => Of(map.Type, map.KeySize, map.ValueSize, map.MaxEntries, map.Flags, cpus);

    /// <summary>Of a map with these facts. Rings and what holds other maps are not counted: they are shared.</summary>
    public static long Of(BpfMapType type, long keyBytes, long valueBytes, long entries, uint flags, int cpus)
    {
        long key = Align(keyBytes), value = Align(valueBytes);
        return type switch
        {
            BpfMapType.Array => entries * value,
            BpfMapType.PerCpuArray => entries * (WordBytes + (value * cpus)),
            // Made element by element, as keys come.
            BpfMapType.Hash or BpfMapType.PerCpuHash when (flags & NoPreallocation) != 0 => Buckets(entries),
            BpfMapType.Hash or BpfMapType.LruHash => Buckets(entries) + (entries * (HashElementBytes + key + value)),
            BpfMapType.PerCpuHash or BpfMapType.LruPerCpuHash =>
                Buckets(entries) + (entries * (HashElementBytes + key + WordBytes + (value * cpus))),
            BpfMapType.RingBuffer or BpfMapType.ArrayOfMaps or BpfMapType.TaskStorage => 0,
            _ => entries * (key + value),
        };
    }

    private static long Buckets(long entries) => (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(entries, 1)) * HashBucketBytes;

    private static long Align(long bytes) => (bytes + WordBytes - 1) / WordBytes * WordBytes;
}
