// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Bpf;
using Veil.Core;
using Veil.Core.Options;
using Veil.Core.Output;
using Veil.Core.Session;
using Veil.Core.Waiting;

namespace Veil.Cli.Top;

/// <summary>The events of a row: a trace of its own beside the counts, whose last lines are kept.</summary>
internal sealed class RowEvents : IOutput, IDisposable
{
    private readonly StopSignal _stop = new();
    private readonly Queue<string> _lines = new();
    private readonly Thread _thread;
    private readonly int _linesMax;
    private bool _news = true;

    /// <summary>Starts it.</summary>
    /// <param name="title">What is shown.</param>
    /// <param name="options">The trace.</param>
    /// <param name="linesMax">How many lines are kept.</param>
    public RowEvents(string title, SessionOptions options, int linesMax)
    {
        Title = title;
        _linesMax = linesMax;
        Say("attaching");
        _thread = new Thread(() => Run(options)) { IsBackground = true, Name = "veil-row" };
        _thread.Start();
    }

    /// <summary>There is nothing to trace.</summary>
    public RowEvents(string title, string why)
    {
        Title = title;
        _linesMax = 1;
        Say(why);
        _thread = Thread.CurrentThread;
    }

    /// <summary>What is shown.</summary>
    public string Title { get; }

    /// <summary>Has something come since the last look?</summary>
    public bool HasNews => Volatile.Read(ref _news);

    /// <summary>The last lines.</summary>
    public IReadOnlyList<string> Lines(int count)
    {
        lock (_lines)
        {
            _news = false;
            return [.. _lines.Skip(Math.Max(_lines.Count - count, 0))];
        }
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> lines)
    {
        // Of a flood only what the screen has room for is made text.
        int from = lines.Length;
        for (int kept = 0; kept <= _linesMax && from > 0; kept++)
            from = lines[..(from - 1)].LastIndexOf((byte)'\n') + 1;
        string[] texts = Encoding.UTF8.GetString(lines[from..]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lock (_lines)
        {
            foreach (string text in texts)
                Add(text);
        }
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _stop.Request();
        if (_thread != Thread.CurrentThread)
            _thread.Join();
        _stop.Dispose();
    }

    private void Run(SessionOptions options)
    {
        try
        {
            using var session = KernelTrace.Start(options, _stop, Say, lines: this);
            lock (_lines)
                _lines.Clear();
            _news = true;
            session.Run();
        }
        catch (Exception failure) when (failure is VeilException or BpfException)
        {
            Say(failure.Message);
        }
    }

    private void Say(string text)
    {
        lock (_lines)
            Add(text);
    }

    private void Add(string line)
    {
        _lines.Enqueue(line);
        while (_lines.Count > _linesMax)
            _lines.Dequeue();
        _news = true;
    }
}
