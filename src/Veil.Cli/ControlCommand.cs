// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Runtime.InteropServices;
using Veil.Core;
using Veil.Core.Control;
using Veil.Core.Interop;
using Veil.Core.Output;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary><c>veil control</c>: steers a trace that was started with <c>--control</c>.</summary>
internal static class ControlCommand
{
    private const string WatchName = "watch";
    private const int WatchEveryMs = 1_000;

    /// <summary>The command for the parser.</summary>
    public static Command Create()
    {
        var path = new Argument<string>("PATH") { Description = "the socket of the trace" };
        var words =
            new Argument<string[]>(
            "COMMAND")
            {
                Description =
            $"one of {string.Join(", ", ControlCommands.Names)}, or {WatchName} (the status, once a second); without one, lines from " +
            $"standard input",
                Arity = ArgumentArity.ZeroOrMore
            };
        var command = new Command("control", "steer a running trace through its control socket: filters, pause, status")
        {
            path,
            words,
        };
        command.SetAction(parsed => Run(parsed.GetValue(path)!, parsed.GetValue(words) ?? []));
        return command;
    }

    private static int Run(string path, string[] words)
    {
        // A line break in a word would be a command of its own.
        if (words.FirstOrDefault(static word => word.AsSpan().ContainsAny('\n', '\r')) is not null)
            throw new UsageException("control: a word holds a line break");
        // Before anything is changed: who asked would not learn of it.
        StandardStreams.RequireOutput();
        using var connection = new ControlConnection(path);
        if (words.Length > 0)
            return Do(connection, Line(words)) ? ExitCode.Success : ExitCode.Failure;

        bool allDone = true;
        while (Console.In.ReadLine() is { } line)
        {
            if (line.Trim() is { Length: > 0 } command)
                allDone &= Do(connection, command);
        }

        return allDone ? ExitCode.Success : ExitCode.Failure;
    }

    // One command is the client's own; the others are the trace's.
    private static bool Do(ControlConnection connection, string command) => ListText.SplitWords(command) switch
    {
        [WatchName] => Watch(connection),
        [WatchName, var more, ..] =>
            throw new UsageException($"control: {WatchName} takes nothing after it, but there is '{Escaping.ForMessage(more)}'"),
        ["dump", var file] => Dump(connection, file),
        _ => Ask(connection, command),
    };

    // With this user's own rights: the trace writes to what it is given.
    private static bool Dump(ControlConnection connection, string file)
    {
        int fd = LibC.MakeFile(LibC.AtFdCwd, file);
        if (fd < 0)
            throw new VeilException($"control: making {Escaping.ForMessage(file)}: {Marshal.GetLastPInvokeErrorMessage()}");
        var answer = connection.Ask("dump", static line => StandardStreams.WriteOutput(line + "\n"), fd);
        _ = LibC.Close(fd);
        if (!answer.Succeeded)
            File.Delete(file);
        return Say(answer);
    }

    // The shell took the quotes away that kept a key in one piece. A first word with blanks is a whole command.
    private static string Line(string[] words) =>
        string.Join(' ', words.Select(static (word, index) => index == 0 ? word : ListText.EscapeWord(word)));

    private static bool Watch(ControlConnection connection)
    {
        bool repaint = !Console.IsOutputRedirected;
        while (true)
        {
            if (repaint)
                StandardStreams.WriteOutput("\u001b[H\u001b[2J");
            if (!Ask(connection, "status"))
                return false;
            if (!repaint)
                StandardStreams.WriteOutput("\n");
            Thread.Sleep(WatchEveryMs);
        }
    }

    private static bool Ask(ControlConnection connection, string command)
    {
        return Say(connection.Ask(command, static line => StandardStreams.WriteOutput(line + "\n")));
    }

    private static bool Say(ControlAnswer answer)
    {
        if (!answer.Succeeded)
            Messages.Write(answer.Text);
        else if (answer.Text.Length > 0)
            StandardStreams.WriteOutput(answer.Text + "\n");
        return answer.Succeeded;
    }
}
