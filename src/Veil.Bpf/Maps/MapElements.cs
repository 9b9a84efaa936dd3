// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>What the typed views share: errors, and walking a map in batches or key by key.</summary>
internal static unsafe class MapElements
{
    private const uint FirstChunk = 1024;

    /// <summary>Sees one element. The pointers are valid during the call.</summary>
    internal delegate void Visitor(byte* key, byte* value);

    internal static void CheckSizes(BpfMapInfo map, int keySize, int valueSize)
    {
        if (map.KeySize != keySize || map.ValueSize != valueSize)
        {
            throw new ArgumentException(
                $"Map {map.Name} has keys of {map.KeySize} and values of {map.ValueSize} bytes, the view {keySize} and {valueSize}.",
                nameof(map));
        }
    }

    internal static bool Found(BpfMapHandle map, int result, string operation)
    {
        if (result == 0)
            return true;
        return result == -Errno.ENOENT ? false : throw Error(map, -result, operation);
    }

    internal static void Succeeded(BpfMapHandle map, int result, string operation)
    {
        if (result != 0)
            throw Error(map, -result, operation);
    }

    /// <summary>
    /// Visits every element, each bucket of a hash map once. Elements that come or go meanwhile may or may not be seen.
    /// </summary>
    /// <param name="map">A map whose values occupy <paramref name="valueStride"/> bytes in user space.</param>
    /// <param name="keySize">Bytes of a key.</param>
    /// <param name="valueStride">Bytes that a lookup writes: for per-CPU maps the rounded size times the number of CPUs.</param>
    /// <param name="maxEntries">The map's capacity.</param>
    /// <param name="delete">Whether elements are removed as they are read.</param>
    /// <param name="visit">Called for each.</param>
    internal static void Walk(BpfMapHandle map, int keySize, int valueStride, int maxEntries, bool delete, Visitor visit)
    {
        if (!TryWalkBatches(map, keySize, valueStride, maxEntries, delete, visit))
            WalkKeys(map, keySize, valueStride, maxEntries, delete, visit);
    }

    /// <summary>
    /// BPF_MAP_LOOKUP_BATCH (5.6, commit cb4d03ab499d). False, before any element was seen, if the kernel or the map type lacks it.
    /// </summary>
    private static bool TryWalkBatches(BpfMapHandle map, int keySize, int valueStride, int maxEntries, bool delete, Visitor visit)
    {
        uint capacity = Math.Min((uint)maxEntries, FirstChunk);
        byte* keys = (byte*)NativeMemory.Alloc(capacity, (nuint)keySize);
        byte* values = (byte*)NativeMemory.Alloc(capacity, (nuint)valueStride);
        // The cursor is a bucket number for hash maps and a key for others.
        int cursorSize = Math.Max(keySize, 8);
        byte* cursors = stackalloc byte[2 * cursorSize];
        byte* from = cursors;
        byte* to = cursors + cursorSize;
        bool first = true;
        try
        {
            while (true)
            {
                uint count = capacity;
                byte* input = first ? null : from;
                int result = delete
                    ? NativeMapElements.bpf_map_lookup_and_delete_batch(map, input, to, keys, values, &count, null)
                    : NativeMapElements.bpf_map_lookup_batch(map, input, to, keys, values, &count, null);
                if (result == -Errno.ENOSPC)
                {
                    // One bucket holds more than the buffer, nothing was read: try the same bucket with more room.
                    capacity = checked(capacity * 2);
                    keys = (byte*)NativeMemory.Realloc(keys, checked(capacity * (nuint)keySize));
                    values = (byte*)NativeMemory.Realloc(values, checked(capacity * (nuint)valueStride));
                    continue;
                }

                if (first && result is -Errno.EINVAL or -Errno.ENOTSUPP or -Errno.EOPNOTSUPP)
                    return false;
                if (result != 0 && result != -Errno.ENOENT)
                    throw Error(map, -result, "reading map");
                for (uint i = 0; i < count; i++)
                    visit(keys + i * (nuint)keySize, values + i * (nuint)valueStride);
                if (result == -Errno.ENOENT)
                    return true;
                byte* used = from;
                from = to;
                to = used;
                first = false;
            }
        }
        finally
        {
            NativeMemory.Free(keys);
            NativeMemory.Free(values);
        }
    }

    private static void WalkKeys(BpfMapHandle map, int keySize, int valueStride, int maxEntries, bool delete, Visitor visit)
    {
        byte* buffer = (byte*)NativeMemory.Alloc((nuint)(2 * keySize + valueStride));
        byte* key = buffer;
        byte* next = buffer + keySize;
        byte* value = buffer + 2 * keySize;
        // A key that is deleted while it is the cursor sends the kernel back to the start; the bound keeps a busy map from holding us for
        // ever.
        long budget = 2L * maxEntries + 16;
        bool first = true;
        try
        {
            while (Found(map, NativeMapElements.bpf_map_get_next_key(map, first ? null : key, next), "walking map"))
            {
                if (--budget < 0)
                    throw new BpfException("walking map", map.Info().Name, "it changes faster than it can be read");
                if (Found(map, NativeMapElements.bpf_map_lookup_elem(map, next, value), "reading map"))
                    visit(next, value);
                if (delete)
                {
                    _ = Found(map, NativeMapElements.bpf_map_delete_elem(map, next), "deleting from map");
                    continue;
                }

                byte* seen = key;
                key = next;
                next = seen;
                first = false;
            }
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static BpfException Error(BpfMapHandle map, int errno, string operation)
    {
        string name = map.Info().Name;
        return errno switch
        {
            // "Argument list too long" is what the C library makes of it.
            Errno.E2BIG => new BpfException(operation, name, "the map is full", errno),
            Errno.EEXIST => new BpfException(operation, name, "the key is there already", errno),
            Errno.ENOENT => new BpfException(operation, name, "there is no such key", errno),
            _ => BpfErrors.Create(operation, name, errno),
        };
    }
}
