// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>The native libbpf that this process uses.</summary>
public static unsafe class Libbpf
{
    /// <summary>The version of libbpf, such as <c>v1.1</c>.</summary>
    /// <exception cref="DllNotFoundException">libbpf.so.1 is not installed (and not linked in).</exception>
    public static string Version => NativeText.Read(NativeLog.libbpf_version_string());
}
