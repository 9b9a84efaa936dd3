// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Bpf;
using Veil.Core.Interop;

namespace Veil.Cli.Prompt;

/// <summary>
/// The terminal on standard input, key by key (termios(3)); what it was like comes back with <see cref="Dispose"/>. Nothing here waits for
/// a terminal that takes nothing (CTRL-S, a dead connection) once the trace is to end.
/// </summary>
/// <param name="ended">Is there no point in waiting on? Asked ten times a second.</param>
internal sealed unsafe class Terminal(Func<bool> ended) : IDisposable
{
    // struct termios of glibc: four words of flags, then c_line and 32 control characters; 60 bytes on x86-64 and arm64.
    private const int TermiosBytes = 60;
    private const int StandardError = 2;
    private const int InputFlags = 0;
    private const int LocalFlags = 3;
    private const int ControlCharacters = 17;
    private const int VTime = 5;
    private const int VMin = 6;
    private const uint Ixon = 0x400;
    private const uint Isig = 0x1;
    private const uint Icanon = 0x2;
    private const uint Echo = 0x8;
    private const int TcsaNow = 0; // TCSADRAIN would wait for the terminal
    private const int PollMs = 100;
    private const int WidthDefault = 80;
    private const int HeightDefault = 24;

    // A description of our own, so that a write never blocks: the one of standard error is shared with the shell.
    private readonly int _screen = OpenScreen();

    private readonly byte[] _before = new byte[TermiosBytes + 64];
    private readonly Lock _gate = new();
    private bool _raw;

    /// <summary>Is there somebody at standard input and standard error?</summary>
    public static bool IsThere => LibC.IsTerminal(0) && LibC.IsTerminal(2);

    /// <summary>Is the job in the foreground ours? Another one is stopped by the kernel where it changes the terminal.</summary>
    public static bool IsForeground => LibC.ForegroundOf(0) == LibC.ProcessGroup();

    /// <summary>Is our job in the foreground of the terminal that we belong to, if any, whatever the standard streams are?</summary>
    public static bool IsForegroundOfOurs
    {
        get
        {
            int terminal = OpenScreen();
            bool isForeground = LibC.ForegroundOf(terminal) == LibC.ProcessGroup();
            if (terminal != StandardError)
                _ = LibC.Close(terminal);
            return isForeground;
        }
    }

    /// <summary>The characters of a line.</summary>
    public int Width => LibC.WindowSize(_screen).Columns is > 0 and var columns ? columns : WidthDefault;

    /// <summary>Columns and rows; 80 and 24 where the terminal does not say.</summary>
    public (int Columns, int Rows) Size => LibC.WindowSize(_screen) is { Columns: > 0, Rows: > 0 } size ? size : (WidthDefault, HeightDefault);

    /// <summary>Keys come one by one from now on, unseen, and none of them is a signal or stops the output.</summary>
    public void EnterRaw()
    {
        lock (_gate)
        {
            if (_raw)
                return;
            fixed (byte* before = _before)
            {
                if (LibC.GetTerminal(0, before) != 0)
                    return;
                byte* raw = stackalloc byte[_before.Length];
                _before.CopyTo(new Span<byte>(raw, _before.Length));
                ((uint*)raw)[InputFlags] &= ~Ixon;
                ((uint*)raw)[LocalFlags] &= ~(Isig | Icanon | Echo);
                raw[ControlCharacters + VMin] = 1;
                raw[ControlCharacters + VTime] = 0;
                _raw = LibC.SetTerminal(0, TcsaNow, raw) == 0;
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
                _ = LibC.SetTerminal(0, TcsaNow, before);
            _raw = false;
        }
    }

    /// <summary>Waits for a key.</summary>
    /// <param name="over">Is there another reason not to wait on?</param>
    /// <returns>The byte, or -1 at the end.</returns>
    public int ReadKey(Func<bool> over)
    {
        Span<byte> key = stackalloc byte[1];
        while (!ended() && !over())
        {
            var wait = new LibC.PollFd { Fd = 0, Events = LibC.PollIn };
            if (LibC.Poll(&wait, 1, PollMs) <= 0)
                continue;
            return LibC.Read(0, key) == 1 ? key[0] : -1;
        }

        return -1;
    }

    /// <summary>
    /// A short line that was typed, as far as it is there. Not the console of .NET: that starts a thread for signals, which would keep what
    /// it had before the privileges are dropped, and sends the terminal sequences of its own.
    /// </summary>
    public static string ReadLine()
    {
        var line = new StringBuilder();
        Span<byte> key = stackalloc byte[1];
        while (LibC.Read(0, key) == 1 && key[0] != '\n')
            line.Append((char)key[0]);
        return line.ToString();
    }

    /// <summary>Writes to the terminal, beside the output.</summary>
    public void Write(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* data = bytes)
        {
            for (int written = 0; written < bytes.Length;)
            {
                var wait = new LibC.PollFd { Fd = _screen, Events = LibC.PollOut };
                if (LibC.Poll(&wait, 1, ended() ? 0 : PollMs) <= 0)
                {
                    if (ended())
                        return;
                    continue;
                }

                nint count = LibC.Write(_screen, data + written, bytes.Length - written);
                if (count < 0 && Marshal.GetLastPInvokeError() is not (Errno.EAGAIN or Errno.EINTR))
                    return;
                if (count < 0)
                    Thread.Sleep(1); // room for less than the line break needs
                written += (int)Math.Max(count, 0);
            }
        }
    }

    public void Dispose()
    {
        LeaveRaw();
        if (_screen != StandardError)
            _ = LibC.Close(_screen);
    }

    private static int OpenScreen() => LibC.OpenNonBlocking("/dev/tty") is >= 0 and var fd ? fd : StandardError;
}
