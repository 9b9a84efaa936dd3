// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>Questions to the kernel: 1 yes, 0 no, negative errno unknown.</summary>
internal static unsafe partial class NativeProbe
{
    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int libbpf_probe_bpf_prog_type(int type, void* options);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int libbpf_probe_bpf_map_type(int type, void* options);
}
