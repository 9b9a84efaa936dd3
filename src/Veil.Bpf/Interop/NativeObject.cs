// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary><c>struct bpf_object</c> and the BTF it carries.</summary>
internal static unsafe partial class NativeObject
{
    [LibraryImport(LibraryNames.Libbpf, SetLastError = true)]
    internal static partial nint bpf_object__open_mem(void* elf, nuint size, BpfObjectOpenOpts* options);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial int bpf_object__load(nint obj);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial void bpf_object__close(nint obj);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial nint bpf_object__next_program(nint obj, nint previous);

    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial nint bpf_object__next_map(nint obj, nint previous);

    /// <summary>Borrowed from the object; null when it has no BTF.</summary>
    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial nint bpf_object__btf(nint obj);

    /// <summary>Borrowed from the BTF.</summary>
    [LibraryImport(LibraryNames.Libbpf, SetLastError = true)]
    internal static partial void* btf__raw_data(nint btf, uint* size);

    /// <summary>The head of <c>struct bpf_object_open_opts</c>; libbpf reads as many bytes as <see cref="Size"/> says.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct BpfObjectOpenOpts
    {
        internal nuint Size;
        internal byte* ObjectName;
    }
}
