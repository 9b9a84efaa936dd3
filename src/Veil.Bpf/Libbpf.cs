using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf.Interop;

namespace Veil.Bpf;

/// <summary>The library underneath: its version, and what it says.</summary>
public static unsafe class Libbpf
{
    private const int MessageBytesMax = 1 << 20;

    [ThreadStatic]
    private static StringBuilder? s_captured;

    private static Action<LibbpfLogLevel, string>? s_sink;
    private static int s_installed;

    /// <summary>The version of the libbpf that is linked or loaded, such as <c>v1.1</c>.</summary>
    public static string Version => Marshal.PtrToStringUTF8((nint)LibbpfNative.libbpf_version_string()) ?? "";

    /// <summary>Sends what libbpf says to a listener; without one it is silent, and errors quote what belongs to them.</summary>
    /// <param name="sink">Takes each message, on the thread that called into libbpf; null for silence.</param>
    public static void SetLog(Action<LibbpfLogLevel, string>? sink)
    {
        Install();
        Volatile.Write(ref s_sink, sink);
    }

    /// <summary>Collects what libbpf says on this thread while <paramref name="operation"/> runs.</summary>
    internal static int Capture(Func<int> operation, out string said)
    {
        Install();
        var captured = new StringBuilder();
        s_captured = captured;
        try
        {
            return operation();
        }
        finally
        {
            s_captured = null;
            said = captured.ToString();
        }
    }

    internal static void Install()
    {
        if (Interlocked.Exchange(ref s_installed, 1) == 0)
            _ = LibbpfNative.libbpf_set_print(&Print);
    }

    // va_list is handed on as it came: a pointer in the ABIs of x86-64 and arm64.
    [UnmanagedCallersOnly]
    private static int Print(int level, byte* format, nint arguments)
    {
        var captured = s_captured;
        var sink = Volatile.Read(ref s_sink);
        // Debug messages are many, and nobody quotes them.
        bool capture = captured is not null && level <= (int)LibbpfLogLevel.Information && captured.Length < MessageBytesMax;
        if (!capture && sink is null)
            return 0;
        // A verifier log comes as one message. A va_list can be read once only, so the room must suffice at once.
        var buffer = (byte*)NativeMemory.Alloc(MessageBytesMax);
        try
        {
            int length = LibC.VSnPrintF(buffer, MessageBytesMax, format, arguments);
            if (length <= 0)
                return length;
            string message = Encoding.UTF8.GetString(buffer, Math.Min(length, MessageBytesMax - 1));
            if (capture)
                captured!.Append(message);
            sink?.Invoke((LibbpfLogLevel)level, message.TrimEnd('\n'));
            return length;
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }
}
