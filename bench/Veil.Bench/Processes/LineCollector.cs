// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Veil.Bench.Processes;

/// <summary>Reads one of a child's streams to its end on a thread of its own, and knows when each line came.</summary>
internal sealed class LineCollector
{
    private readonly List<(long Timestamp, string Text)> _lines = [];
    private readonly Thread _thread;
    private bool _ended;

    internal LineCollector(SafeFileHandle stream)
    {
        _thread = new Thread(() => Collect(stream)) { IsBackground = true };
        _thread.Start();
    }

    internal IReadOnlyList<string> LinesAtEnd()
    {
        _thread.Join();
        return [.. _lines.Select(line => line.Text)];
    }

    /// <summary>Waits for a line.</summary>
    /// <returns>The <see cref="Stopwatch"/> timestamp and the text of the first line that begins so.</returns>
    internal (long Timestamp, string Text) WaitFor(string beginning, TimeSpan timeout)
    {
        long deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        int seen = 0;
        lock (_lines)
        {
            while (true)
            {
                for (; seen < _lines.Count; seen++)
                {
                    if (_lines[seen].Text.StartsWith(beginning, StringComparison.Ordinal))
                        return _lines[seen];
                }
                string last = _lines.Count > 0 ? $"; it said: {_lines[^1].Text}" : "";
                if (_ended)
                    throw new BenchException($"ended before '{beginning}'{last}");
                long left = deadline - Environment.TickCount64;
                if (left <= 0 || !Monitor.Wait(_lines, (int)left))
                    throw new BenchException($"no '{beginning}' after {timeout.TotalSeconds} s{last}");
            }
        }
    }

    private void Collect(SafeFileHandle stream)
    {
        using var reader = new StreamReader(new FileStream(stream, FileAccess.Read, bufferSize: 0));
        while (reader.ReadLine() is { } text)
        {
            long timestamp = Stopwatch.GetTimestamp();
            lock (_lines)
            {
                _lines.Add((timestamp, text));
                Monitor.PulseAll(_lines);
            }
        }
        lock (_lines)
        {
            _ended = true;
            Monitor.PulseAll(_lines);
        }
    }
}
