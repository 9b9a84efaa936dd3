// SPDX-License-Identifier: GPL-3.0-only
using System.ComponentModel;
using Veil.Bpf;
using Veil.Core;
using Veil.Core.Interop;
using Veil.Core.Output;
using Veil.Core.Sources;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>Where every error ends, of whatever kind and thread: as one line and an exit code.</summary>
internal static class ErrorBoundary
{

    /// <summary>What has to be put back where the process ends at once: the terminal.</summary>
    public static Action? Restore { get; set; }

    /// <summary>Says what went wrong; the exit code.</summary>
    public static int Report(Exception error)
    {
        if (error is not OutputException { ClosedByReader: true })
            Messages.Write(Explain(error), Messages.Error);
        return error is VeilException known ? known.ExitCode : ExitCode.Failure;
    }

    /// <summary>For a thread on which nobody is left to catch. The kernel detaches what was attached, as after SIGKILL.</summary>
    public static void EndAtOnce(Exception error)
    {
        Restore?.Invoke();
        LibC.ExitAtOnce(Report(error));
    }

    /// <summary>The line.</summary>
    internal static string Explain(Exception error) => error switch
    {
        VeilException or BpfException => error.Message,
        TypeInitializationException { InnerException: { } cause } => Explain(cause),
        OutOfMemoryException =>
            "out of memory: raise the limits of address space and processes (ulimit -v, ulimit -u) and of the cgroup, or ask for less; " +
            "the heap is bounded to 128 MiB",
        Win32Exception { NativeErrorCode: Errno.EMFILE } or IOException { HResult: Errno.EMFILE } =>
            $"too many open files: the limit is {StandardStreams.FilesMax} (ulimit -n), and {OpenFiles.EnoughFor(1)} are enough to trace by one module",
        Win32Exception { NativeErrorCode: Errno.EAGAIN } or IOException { HResult: Errno.EAGAIN } =>
            "no process or thread can be made: the limit of this user is reached (ulimit -u)",
        IOException when !HasCurrentFolder() => "the current folder is gone: change to one that exists",
        IOException or UnauthorizedAccessException or Win32Exception => Escaping.ForMessage(error.Message),
        _ => $"this is a fault of veil, please report it: {error.GetType()}: " +
            $"{Escaping.ForMessage(error.Message)} {Escaping.ForMessage(error.StackTrace?.Split('\n')[0].Trim() ?? "")}",
    };

    private static bool HasCurrentFolder()
    {
        try
        {
            return Directory.GetCurrentDirectory().Length > 0;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
