// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Core;
using Veil.Core.Output;
using Veil.Core.Running;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The command of <c>veil [flags] -- CMD ARG…</c>: a process that waits since before the runtime began
/// (Native/command.c).</summary>
internal static unsafe partial class StartedCommand
{
    private const int NotFound = 127;
    private const int CannotRun = 126;
    private const int Enoent = 2;

    // Their children are those of a service that they ask for it.
    private static readonly string[] s_askOthers =
        ["systemd-run", "docker", "nerdctl", "ctr", "crictl", "kubectl", "machinectl", "at", "batch"];

    // A process has one command line, and tests have one a thread.
    [ThreadStatic]
    private static string[]? t_words;

    /// <summary>Its words; none where there is no command.</summary>
    public static IReadOnlyList<string> Words => t_words ?? [];

    /// <summary>Where events go by default: standard output is the command's.</summary>
    public static int Stream => Words.Count > 0 ? StandardStreams.Error : StandardStreams.Output;

    /// <summary>Takes the command off a command line, and adds what is traced if nothing is said.</summary>
    /// <returns>The flags before it.</returns>
    /// <exception cref="UsageException">There is nothing behind <c>--</c>.</exception>
    public static string[] TakeFrom(string[] args)
    {
        t_words = null;
        int dashes = Array.IndexOf(args, "--");
        if (dashes < 0 || !args[0].StartsWith('-'))
            return args;
        if (dashes + 1 == args.Length)
            throw new UsageException("--: say which command: veil -- CMD ARG…");
        t_words = args[(dashes + 1)..];
        return args[..dashes];
    }

    /// <summary>Adds what is traced of a command where nobody says it: its system calls, with their arguments unless something else of them
    /// is asked for.</summary>
    /// <param name="flags">The flags before the command.</param>
    public static string[] AddDefaults(string[] flags)
    {
        if (Words.Count == 0 || Has("--module", "-m", "--config", "--list-modules", "--list-fields", "--list-containers", "--help", "-h", "-?"))
            return flags;
        return Has("--args", "--returns", "--count", "--count-by", "--hist") ? ["--module", "syscall", .. flags]
            : ["--module", "syscall", "--args", .. flags];

        bool Has(params string[] names) =>
            Array.Exists(
            flags, flag =>
            Array.Exists(names, name => flag == name || flag.StartsWith(name.Length == 2 ? name : name + "=", StringComparison.Ordinal)));
    }

    /// <summary>The process that waits.</summary>
    /// <exception cref="CommandException">There is no such program, or it cannot be run.</exception>
    public static TracedCommand Take()
    {
        if (RuntimeFeature.IsDynamicCodeSupported)
            throw new VeilException("--: commands are run by the native program only");
        var started = Started();
        if (started->Error != 0)
            throw new CommandException(
                $"{Name}: {(started->Error == Enoent && !Words[0].Contains('/', StringComparison.Ordinal) ? "command not found" : Marshal.GetPInvokeErrorMessage(started->Error))}", started->Error == Enoent ? NotFound : CannotRun);
        return new TracedCommand(started->Pid, started->Word, started->Failed, NextSignal);
    }

    /// <summary>How messages call it.</summary>
    public static string Name => Words[0].Length == 0 ? "''" : Escaping.ForMessage(Words[0]);

    /// <summary>What the user should know before it runs, or nothing.</summary>
    public static string? Warning =>
        s_askOthers.Contains(Path.GetFileName(Words[0])) && !Words.Contains("--scope")
            ? $"warning: what {Name} starts is made by a service, and is no descendant of it: it is not traced; -n NAME or -p PID would"
            : null;

    /// <summary>From now on signals are the command's.</summary>
    [LibraryImport("veil-start", EntryPoint = "veil_command_take_signals")]
    public static partial void TakeSignals();

    [LibraryImport("veil-start", EntryPoint = "veil_command_signal")]
    private static partial int NextSignal();

    [LibraryImport("veil-start", EntryPoint = "veil_command")]
    private static partial StartedProcess* Started();

    // What veil_command() gives.
    [StructLayout(LayoutKind.Sequential)]
    private struct StartedProcess
    {
        public int Pid;
        public int Error;
        public int Word;
        public int Failed;
    }

    /// <summary>The command cannot be run; exit codes as of a shell.</summary>
    private sealed class CommandException(string message, int exitCode) : VeilException(message)
    {
        public override int ExitCode => exitCode;
    }
}
