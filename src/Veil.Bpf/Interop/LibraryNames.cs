// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf.Interop;

/// <summary>The native libraries, named once.</summary>
internal static class LibraryNames
{
    /// <summary>
    /// The soname, not the linker name: the plain "libbpf.so" exists only where the development package is installed. A native AOT build
    /// links it statically with <c>DirectPInvoke Include="libbpf.so.1"</c>.
    /// </summary>
    internal const string Libbpf = "libbpf.so.1";

    internal const string Libc = "libc";
}
