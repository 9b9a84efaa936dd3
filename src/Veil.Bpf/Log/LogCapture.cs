// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>
/// Collects what libbpf says on this thread between <see cref="Begin"/> and <see cref="Dispose"/>. libbpf has one callback for the whole
/// process but calls it on the thread that runs the operation, so operations on different threads do not mix.
/// </summary>
internal sealed unsafe class LogCapture : IDisposable
{
    [ThreadStatic]
    private static LogCapture? t_current;

    private readonly StringBuilder _text = new();
    private readonly LogCapture? _outer;

    static LogCapture() => NativeLog.libbpf_set_print(&Print);

    private LogCapture()
    {
        _outer = t_current;
        t_current = this;
    }

    /// <summary>Warnings and information, without debug output.</summary>
    internal string Text => _text.ToString();

    internal static LogCapture Begin() => new();

    public void Dispose() => t_current = _outer;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Print(int level, byte* format, void* arguments)
    {
        const int information = 1; // LIBBPF_INFO; what is louder are thousands of lines an object
        if (level > information || t_current is not { } capture)
            return 0;

        // libbpf builds some return values from errno after it has printed; 1.1 restores it by itself, older ones do not.
        int errno = Marshal.GetLastSystemError();
        byte* text = null;
        if (NativeLog.vasprintf(&text, format, arguments) >= 0)
        {
            capture._text.Append(NativeText.Read(text));
            NativeLog.free(text);
        }

        Marshal.SetLastSystemError(errno);
        return 0;
    }
}
