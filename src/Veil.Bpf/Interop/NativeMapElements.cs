// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>Elements of a map by descriptor. Each returns zero or a negative errno (libbpf 1.0 convention).</summary>
internal static unsafe partial class NativeMapElements
{
    [LibraryImport(LibraryNames.Libbpf, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int bpf_map_create(
        int type, string name, uint keySize, uint valueSize, uint maxEntries, BpfMapCreateOpts* options);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map_lookup_elem(BpfMapHandle map, void* key, void* value);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map_update_elem(BpfMapHandle map, void* key, void* value, ulong flags);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map_delete_elem(BpfMapHandle map, void* key);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map_get_next_key(BpfMapHandle map, void* key, void* nextKey);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map_lookup_batch(
        BpfMapHandle map, void* inBatch, void* outBatch, void* keys, void* values, uint* count, void* options);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map_lookup_and_delete_batch(
        BpfMapHandle map, void* inBatch, void* outBatch, void* keys, void* values, uint* count, void* options);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int libbpf_num_possible_cpus();

    /// <summary>The head of <c>struct bpf_map_create_opts</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BpfMapCreateOpts
    {
        internal nuint Size;
        internal uint BtfFd;
        internal uint BtfKeyTypeId;
        internal uint BtfValueTypeId;
        internal uint BtfVmlinuxValueTypeId;
        internal uint InnerMapFd;
        internal uint MapFlags;
    }
}
