// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text;

namespace Veil.Kernel.Tests;

/// <summary>A shell with a terminal of its own, by script(1): keys in, screen out.</summary>
internal sealed class Terminal : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private readonly Process _process;
    private readonly StringBuilder _screen = new();
    private readonly Task _reader;
    private int _seen;

    public Terminal(string command)
    {
        // -m: jobs, so that a process may be in the background.
        var start =
            new ProcessStartInfo(
            "script", ["-qefc", $"bash --norc -mc '{command}'", "/dev/null"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true
            };
        _process = Process.Start(start)!;
        _reader = Task.Run(Read);
    }

    /// <summary>All that came so far.</summary>
    public string Screen
    {
        get
        {
            lock (_screen)
                return _screen.ToString();
        }
    }

    public void Type(string keys)
    {
        _process.StandardInput.Write(keys);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits for a text after the one that was waited for before; what stands between the two.</summary>
    public string WaitFor(string text)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            string screen = Screen;
            int at = screen.IndexOf(text, _seen, StringComparison.Ordinal);
            if (at >= 0)
            {
                string between = screen[_seen..at];
                _seen = at + text.Length;
                return between;
            }

            if (watch.Elapsed > s_patience)
                throw new TimeoutException($"the terminal did not show '{text}': {screen[_seen..]}");
            Thread.Sleep(10);
        }
    }

    /// <summary>Waits for the end of the shell; all that came.</summary>
    public string End()
    {
        if (!_process.WaitForExit(s_patience))
            throw new TimeoutException("the shell did not end: " + Screen);
        _reader.Wait();
        return Screen;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private void Read()
    {
        char[] buffer = new char[4096];
        int count;
        while ((count = _process.StandardOutput.Read(buffer)) > 0)
        {
            lock (_screen)
                _screen.Append(buffer, 0, count);
        }
    }
}
