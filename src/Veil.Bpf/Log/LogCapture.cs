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

    private static Action<LibbpfLogLevel, string>? s_sink;

    private readonly StringBuilder _text = new();
    private readonly LogCapture? _outer;

    static LogCapture() => NativeLog.libbpf_set_print(&Print);

    private LogCapture()
    {
        _outer = t_current;
        t_current = this;
    }

    internal static Action<LibbpfLogLevel, string>? Sink
    {
        get => Volatile.Read(ref s_sink);
        set => Volatile.Write(ref s_sink, value);
    }

    /// <summary>Warnings and information, without debug output.</summary>
    internal string Text => _text.ToString();

    internal static LogCapture Begin() => new();

    public void Dispose() => t_current = _outer;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Print(int level, byte* format, void* arguments)
    {
        var sink = Sink;
        var capture = level <= (int)LibbpfLogLevel.Information ? t_current : null;
        if (sink is null && capture is null)
            return 0;

        // libbpf builds some return values from errno after it has printed; 1.1 restores it by itself, older ones do not.
        var errno = Marshal.GetLastSystemError();
        byte* text = null;
        if (NativeLog.vasprintf(&text, format, arguments) >= 0)
        {
            Deliver((LibbpfLogLevel)level, NativeText.Read(text), sink, capture);
            NativeLog.free(text);
        }

        Marshal.SetLastSystemError(errno);
        return 0;
    }

#pragma warning disable CA1031, RCS1075 // An exception must not unwind through libbpf's C frames; the runtime would end the process.
    private static void Deliver(LibbpfLogLevel level, string text, Action<LibbpfLogLevel, string>? sink, LogCapture? capture)
    {
        try
        {
            capture?._text.Append(text);
            sink?.Invoke(level, text.TrimEnd('\n'));
        }
        catch (Exception)
        {
            // Documented on Libbpf.SetLog.
        }
    }
#pragma warning restore CA1031, RCS1075
}
