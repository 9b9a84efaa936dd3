using System.Runtime.InteropServices;
using System.Text;

namespace Veil.Cli.Prompt;

/// <summary>The terminal on standard input, key by key (termios(3)); what it was like comes back with <see cref="Dispose"/>.</summary>
internal sealed unsafe partial class Terminal : IDisposable
{
    // struct termios of glibc: four words of flags, then c_line and 32 control characters; 60 bytes on x86-64 and arm64.
    private const int TermiosBytes = 60;
    private const int LocalFlags = 3;
    private const int ControlCharacters = 17;
    private const int VTime = 5;
    private const int VMin = 6;
    private const uint Isig = 0x1;
    private const uint Icanon = 0x2;
    private const uint Echo = 0x8;
    private const int TcsaDrain = 1;
    private const int PollMs = 100;

    private readonly byte[] _before = new byte[TermiosBytes + 64];
    private readonly Lock _gate = new();
    private bool _raw;

    /// <summary>Is there somebody at standard input and standard error?</summary>
    public static bool IsThere => IsATty(0) == 1 && IsATty(2) == 1;

    /// <summary>Is the job in the foreground ours? Another one is stopped by the kernel where it changes the terminal.</summary>
    public static bool IsForeground => TcGetPGrp(0) == GetPGrp();

    /// <summary>Keys come one by one from now on, unseen, and none of them is a signal.</summary>
    public void EnterRaw()
    {
        lock (_gate)
        {
            if (_raw)
                return;
            fixed (byte* before = _before)
            {
                if (TcGetAttr(0, before) != 0)
                    return;
                var raw = stackalloc byte[_before.Length];
                _before.CopyTo(new Span<byte>(raw, _before.Length));
                ((uint*)raw)[LocalFlags] &= ~(Isig | Icanon | Echo);
                raw[ControlCharacters + VMin] = 1;
                raw[ControlCharacters + VTime] = 0;
                _raw = TcSetAttr(0, TcsaDrain, raw) == 0;
            }
        }
    }

    /// <summary>As it was.</summary>
    public void LeaveRaw()
    {
        lock (_gate)
        {
            if (!_raw)
                return;
            fixed (byte* before = _before)
                _ = TcSetAttr(0, TcsaDrain, before);
            _raw = false;
        }
    }

    /// <summary>Waits for a key.</summary>
    /// <param name="ended">Asked ten times a second whether there is a point in waiting on.</param>
    /// <returns>The byte, or -1 at the end.</returns>
    public static int ReadKey(Func<bool> ended)
    {
        byte key;
        while (!ended())
        {
            var wait = new PollFd { Fd = 0, Events = 1 };
            if (Poll(&wait, 1, PollMs) <= 0)
                continue;
            return Read(0, &key, 1) == 1 ? key : -1;
        }

        return -1;
    }

    /// <summary>
    /// A short line that was typed, as far as it is there. Not the console of .NET: that starts a thread for signals, which would keep what it had
    /// before the privileges are dropped, and sends the terminal sequences of its own.
    /// </summary>
    public static string ReadLine()
    {
        var line = new StringBuilder();
        byte key;
        while (Read(0, &key, 1) == 1 && key != '\n')
            line.Append((char)key);
        return line.ToString();
    }

    /// <summary>Writes to the terminal, beside the output.</summary>
    public static void Write(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* data = bytes)
            _ = WriteTo(2, data, bytes.Length);
    }

    /// <inheritdoc/>
    public void Dispose() => LeaveRaw();

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATty(int fd);

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int TcGetPGrp(int fd);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int GetPGrp();

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int TcGetAttr(int fd, byte* attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int TcSetAttr(int fd, int when, byte* attributes);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(PollFd* fds, nuint count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int fd, byte* data, nint count);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint WriteTo(int fd, byte* data, nint count);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }
}
