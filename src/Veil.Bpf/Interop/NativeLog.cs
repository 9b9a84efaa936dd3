// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>libbpf's version and message callback.</summary>
internal static unsafe partial class NativeLog
{
    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial byte* libbpf_version_string();

    /// <summary>The callback's last argument is a <c>va_list</c>.</summary>
    [LibraryImport(LibraryNames.Libbpf)]
    internal static partial void* libbpf_set_print(delegate* unmanaged[Cdecl]<int, byte*, void*, int> print);

    /// <summary>
    /// Formats into memory of its own. Called with the <c>va_list</c> that libbpf hands over: on x86-64 and arm64 that parameter is a
    /// pointer, so it may pass through managed code untouched.
    /// </summary>
    [LibraryImport(LibraryNames.Libc)]
    internal static partial int vasprintf(byte** text, byte* format, void* arguments);

    [LibraryImport(LibraryNames.Libc)]
    internal static partial void free(void* memory);
}
