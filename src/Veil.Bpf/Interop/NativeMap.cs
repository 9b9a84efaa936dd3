// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary><c>struct bpf_map</c>: what an object says about a map before the kernel has it.</summary>
internal static unsafe partial class NativeMap
{
    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial byte* bpf_map__name(nint map);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map__type(nint map);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial uint bpf_map__key_size(nint map);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial uint bpf_map__value_size(nint map);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial uint bpf_map__max_entries(nint map);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial uint bpf_map__map_flags(nint map);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map__set_map_flags(nint map, uint flags);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map__set_max_entries(nint map, uint maxEntries);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map__set_key_size(nint map, uint size);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map__set_value_size(nint map, uint size);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial byte bpf_map__autocreate(nint map);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map__set_autocreate(nint map, byte create);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map__reuse_fd(nint map, int fd);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_map__fd(nint map);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial byte bpf_map__is_internal(nint map);

    /// <summary>The first bytes of an internal map (<c>.rodata</c>, <c>.data</c>, <c>.bss</c>), borrowed; null for any other map.</summary>
    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial byte* bpf_map__initial_value(nint map, nuint* size);
}
