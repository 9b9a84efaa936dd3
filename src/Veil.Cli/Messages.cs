// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Output;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>Lines for the user, on standard error so that the output stays clean.</summary>
internal static class Messages
{
    /// <summary>The level of what went wrong, as syslog(3) numbers it.</summary>
    public const int Error = 3;

    private const int Warning = 4;
    private const int Info = 6;

    private static readonly Lock s_gate = new();
    private static List<string>? s_held;

    /// <summary>Writes <c>veil: TEXT</c>, whole; to the journal with a level instead of the name. A closed standard error is no reason to
    /// stop tracing.</summary>
    public static void Write(string text) => Write(
        text,
        text.StartsWith("warning: ", StringComparison.Ordinal) || text.StartsWith("lost ", StringComparison.Ordinal) ? Warning : Info);

    /// <summary>Writes it, with one of the levels of syslog(3) where it goes to the journal.</summary>
    public static void Write(string text, int level)
    {
        string line = JournalStream.IsError ? ForJournal(text, level) : $"veil: {Safe(text)}\n";
        if (StandardStreams.ErrorColumns is > 0 and var columns)
            line = Fit(line, columns);
        lock (s_gate)
        {
            if (s_held is { } held)
            {
                held.Add(line);
                return;
            }
        }

        StandardStreams.WriteError(line);
    }

    /// <summary>Lines wait from now on, because somebody types where they would appear.</summary>
    public static void Hold()
    {
        lock (s_gate)
            s_held ??= [];
    }

    /// <summary>The lines that wait.</summary>
    public static string TakeHeld()
    {
        lock (s_gate)
        {
            string lines = string.Concat(s_held ?? []);
            s_held?.Clear();
            return lines;
        }
    }

    /// <summary>Writes those that wait, and the next ones at once again.</summary>
    public static void Release()
    {
        string lines;
        lock (s_gate)
        {
            lines = string.Concat(s_held ?? []);
            s_held = null;
        }

        if (lines.Length > 0)
            StandardStreams.WriteError(lines);
    }

    /// <summary>Lines that fit a terminal, broken at blanks; what continues one is indented, as no line of ours begins.</summary>
    internal static string Fit(string lines, int columns) => string.Join('\n', lines.Split('\n').Select(line =>
        line.Length <= columns ? line
            : (line.StartsWith("  ", StringComparison.Ordinal) ? "  " : "")
            + string.Join("\n  ", WordWrap.Lines(line.TrimStart(' '), columns - 2))));

    /// <summary>Lines as the journal takes them: a level before each.</summary>
    internal static string ForJournal(string text, int level) =>
        string.Concat(Safe(text).Split('\n').Select(line => $"<{level}>{line}\n"));

    // Whatever a message quotes, no line that is not ours begins as one of ours. The verifier says several lines, which are kept apart.
    private static string Safe(string text) => string.Join("\n  ", text.Split('\n').Select(Escaping.Visible));
}
