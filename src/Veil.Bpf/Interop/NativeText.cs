// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Interop;

/// <summary>Borrowed C strings.</summary>
internal static unsafe class NativeText
{
    internal static string Read(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";
}
