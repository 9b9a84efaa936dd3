using System.Runtime.InteropServices;
using Veil.Core.Control;
using Veil.Core.Session;

namespace Veil.Cli.Prompt;

/// <summary>
/// CTRL-C pauses the trace and opens a prompt on the terminal; resume closes it, a second CTRL-C or CTRL-D ends the trace. A thread of
/// its own, which sleeps until the first CTRL-C: the trace goes on being read.
/// </summary>
internal sealed class TracePrompt : IDisposable
{
    private const string Sign = "veil $ ";

    private readonly ControlCommands _commands;
    private readonly TraceSession _session;
    private readonly StopSignal _stop;
    private readonly Terminal _terminal = new();
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
        ErrorBoundary.Restore = _terminal.LeaveRaw;
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

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended = true;
        _asked.Release();
        _thread.Join();
        _terminal.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            _asked.Wait();
            if (_ended || _stop.IsRequested)
                return;
            Say(_commands.Execute("pause"));
            // By default it would end us as we are, and leave the terminal without echo.
            using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context =>
            {
                context.Cancel = true;
                _stop.Request();
            });
            _terminal.EnterRaw();
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
                Say(_commands.Execute(line));
            }

            _terminal.LeaveRaw();
            Volatile.Write(ref _open, 0);
        }
    }

    private string? ReadLine()
    {
        var editor = new LineEditor(_commands.Complete, _history);
        Draw(editor);
        while (true)
        {
            int key = Terminal.ReadKey(() => _stop.IsRequested || _ended || !_session.Paused);
            var result = key < 0 ? LineEditor.Result.Quit : editor.Take((byte)key);
            if (result != LineEditor.Result.Editing)
            {
                Terminal.Write("\n");
                // Resumed through the socket meanwhile: the prompt goes, the trace does not.
                return result == LineEditor.Result.Entered || (key < 0 && !_session.Paused) ? editor.Text : null;
            }

            if (editor.Candidates.Count > 0)
                Terminal.Write("\n" + string.Join("  ", editor.Candidates) + "\n");
            Draw(editor);
        }
    }

    private static void Draw(LineEditor editor)
    {
        string back = editor.Text.Length > editor.Cursor ? $"\u001b[{editor.Text.Length - editor.Cursor}D" : "";
        Terminal.Write($"\r\u001b[K{Sign}{editor.Text}{back}");
    }

    private static void Say(ControlAnswer answer)
    {
        if (!answer.Succeeded)
            Terminal.Write($"{answer.Text}\n");
        else if (answer.Lines is { } lines)
            Terminal.Write(string.Concat(lines.Select(static line => line + "\n")));
        else if (answer.Text.Length > 0)
            Terminal.Write($"{answer.Text}\n");
    }
}
