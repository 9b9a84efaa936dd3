// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>The native libbpf that this process uses.</summary>
public static unsafe class Libbpf
{
    /// <summary>The version of libbpf, such as <c>v1.1</c>.</summary>
    /// <exception cref="DllNotFoundException">libbpf.so.1 is not installed (and not linked in).</exception>
    public static string Version => NativeText.Read(NativeLog.libbpf_version_string());

    /// <summary>
    /// Receives libbpf's messages, each one without its line break. Silent by default: what explains an error is quoted by the exception
    /// anyway.
    /// </summary>
    /// <param name="sink"> Called on whichever thread runs the operation, in the middle of it: it must not call back into this library.
    /// An exception that it throws is dropped, because it cannot cross libbpf's frames. Null makes libbpf silent again.
    /// </param>
    public static void SetLog(Action<LibbpfLogLevel, string>? sink) => LogCapture.Sink = sink;
}
