// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Control;
using Veil.Core.Session;
using Veil.Core.Text;
using Veil.Core.Waiting;

namespace Veil.Cli.Prompt;

/// <summary>
/// CTRL-C pauses the trace and opens a prompt on the terminal; resume closes it, a second CTRL-C or CTRL-D ends the trace. A thread of
/// its own, which sleeps until the first CTRL-C: the trace goes on being read.
/// </summary>
internal sealed class TracePrompt : IDisposable
{
    private const int HistoryMax = 100;

    private readonly ControlCommands _commands;
    private readonly TraceSession _session;
    private readonly StopSignal _stop;
    private readonly Terminal _terminal;
    private readonly SemaphoreSlim _asked = new(0);
    private readonly List<string> _history = [];
    private readonly Thread _thread;
    private volatile bool _ended;
    private int _open;

    public TracePrompt(ControlCommands commands, TraceSession session, StopSignal stop)
    {
        _commands = commands;
        _session = session;
        _stop = stop;
        _terminal = new Terminal(() => _ended || _stop.IsRequested);
        ErrorBoundary.Restore = LeaveScreen;
        _thread = new Thread(stop.Guard(Run), maxStackSize: 256 * 1024) { IsBackground = true, Name = "veil-prompt" };
        _thread.Start();
    }

    /// <summary>
    /// SIGINT came: opens the prompt. Where it is open already, keys being no signals then, or where we are a job in the background
    /// that may not touch the terminal, it ends the trace.
    /// </summary>
    public void Open()
    {
        if (Terminal.IsForeground && Interlocked.Exchange(ref _open, 1) == 0)
            _asked.Release();
        else
            _stop.Request();
    }

    /// <summary>Takes the prompt off the screen, for what is written there after it.</summary>
    public void Close()
    {
        _ended = true;
        _asked.Release();
        _thread.Join();
    }

    public void Dispose()
    {
        Close();
        _terminal.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            _asked.Wait();
            if (_ended || _stop.IsRequested)
                return;
            _commands.Execute("pause");
            // Not over the prompt.
            _session.Settle();
            _terminal.Write(
                "paused: events are dropped, and counted; resume goes on, quit or CTRL-C ends the trace, help lists the commands\n");
            // By default it would end us as we are, and leave the terminal without echo.
            using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context =>
            {
                context.Cancel = true;
                _stop.Request();
            });
            _terminal.EnterRaw();
            Messages.Hold();
            while (_session.Paused && !_stop.IsRequested && !_ended)
            {
                if (ReadLine() is not { } line)
                {
                    _stop.Request();
                    break;
                }

                if (line.Trim().Length == 0)
                    continue;
                if (_history.Count == 0 || _history[^1] != line)
                    _history.Add(line);
                if (_history.Count > HistoryMax)
                    _history.RemoveAt(0);
                Say(_commands.Execute(line));
            }

            LeaveScreen();
            Volatile.Write(ref _open, 0);
        }
    }

    private void LeaveScreen()
    {
        _terminal.LeaveRaw();
        Messages.Release();
    }

    private string? ReadLine()
    {
        var editor = new LineEditor(_commands.Complete, _history);
        Draw(editor);
        while (true)
        {
            int key = _terminal.ReadKey(() =>
            {
                ShowHeld(editor);
                return !_session.Paused;
            });
            var result = key < 0 ? LineEditor.Result.Quit : editor.Take((byte)key);
            if (result is LineEditor.Result.Entered or LineEditor.Result.Quit)
            {
                _terminal.Write("\n");
                // Resumed through the socket meanwhile: the prompt goes, the trace does not.
                return result == LineEditor.Result.Entered || (key < 0 && !_session.Paused) ? editor.Text : null;
            }

            if (result == LineEditor.Result.Cleared)
                _terminal.Write("\u001b[H\u001b[2J");
            if (editor.Candidates.Count > 0)
                _terminal.Write("\n" + string.Join("  ", editor.Candidates.Select(Escaping.Visible)) + "\n");
            Draw(editor);
        }
    }

    // What is said while somebody types goes above the line.
    private void ShowHeld(LineEditor editor)
    {
        if (Messages.TakeHeld() is not { Length: > 0 } lines)
            return;
        _terminal.Write("\r\u001b[K" + lines);
        Draw(editor);
    }

    private void Draw(LineEditor editor) => _terminal.Write(PromptLine.Draw(editor.Text, editor.Cursor, _terminal.Width));

    private void Say(ControlAnswer answer)
    {
        foreach (string line in answer.Lines ?? (answer.Text.Length > 0 ? [answer.Text] : []))
            _terminal.Write(Escaping.Visible(line) + "\n");
    }
}
