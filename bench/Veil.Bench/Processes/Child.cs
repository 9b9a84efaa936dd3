// SPDX-License-Identifier: GPL-3.0-only
using System.Collections;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Veil.Bench.Processes;

/// <summary>
/// A process started by the bench, on the core of the thread that starts it. Disposing kills it if it still runs, so a
/// failed measurement leaves nothing attached.
/// </summary>
internal sealed unsafe class Child : IDisposable
{
    // posix_spawn_file_actions_t, posix_spawnattr_t and sigset_t have 80, 336 and 128 bytes in glibc.
    private const int OpaqueSizeBytes = 512;

    private readonly string _name;
    private readonly FileStream? _stdin;
    private bool _reaped;

    private Child(string name, int pid, long startedTimestamp, SafeFileHandle? stdin, LineCollector? stdout, LineCollector? stderr)
    {
        _name = name;
        Pid = pid;
        StartedTimestamp = startedTimestamp;
        _stdin = stdin is null ? null : new FileStream(stdin, FileAccess.Write, bufferSize: 0);
        Output = stdout;
        Error = stderr;
    }

    internal int Pid { get; }

    /// <summary>Taken just before the process is made.</summary>
    internal long StartedTimestamp { get; }

    internal LineCollector? Output { get; }

    internal LineCollector? Error { get; }

    /// <summary>User and system time of the whole life, known once it has ended.</summary>
    internal long CpuNs { get; private set; }

    /// <summary>Starts a process with the bench's environment.</summary>
    /// <param name="command">A path and its arguments.</param>
    /// <param name="stdoutFile">Where the output goes; null: to <see cref="Output"/>.</param>
    /// <param name="stderrFile">Where the errors go; null: to <see cref="Error"/>.</param>
    /// <param name="withInput">Whether <see cref="Send"/> will be used; otherwise stdin is empty.</param>
    /// <param name="environment">Added to the bench's own, each NAME=value.</param>
    internal static Child Start(
        IReadOnlyList<string> command, string? stdoutFile =
            null, string? stderrFile = null, bool withInput = false, params string[] environment)
    {
        byte* actions = stackalloc byte[OpaqueSizeBytes];
        byte* attributes = stackalloc byte[OpaqueSizeBytes];
        byte* signals = stackalloc byte[OpaqueSizeBytes];
        (SafeFileHandle Read, SafeFileHandle Write)? input = withInput ? Pipe() : null;
        (SafeFileHandle Read, SafeFileHandle Write)? output = stdoutFile is null ? Pipe() : null;
        (SafeFileHandle Read, SafeFileHandle Write)? error = stderrFile is null ? Pipe() : null;

        Require(Native.FileActionsInit(actions));
        Require(Native.SpawnAttributesInit(attributes));
        try
        {
            Redirect(actions, 0, input?.Read, "/dev/null", Native.OpenReadOnly);
            Redirect(actions, 1, output?.Write, stdoutFile, Native.OpenWriteCreateTruncate);
            Redirect(actions, 2, error?.Write, stderrFile, Native.OpenWriteCreateTruncate);
            // The .NET runtime ignores SIGPIPE, and what is ignored stays ignored over exec.
            Require(Native.SignalSetEmpty(signals));
            Require(Native.SignalSetAdd(signals, Native.Sigpipe));
            Require(Native.SpawnAttributesSetSignalDefaults(attributes, signals));
            Require(Native.SpawnAttributesSetFlags(attributes, Native.SpawnSetSignalDefaults));

            long started = Stopwatch.GetTimestamp();
            int result = Native.PosixSpawn(
                out int pid, command[0], actions, attributes, [.. command, null], [.. CurrentEnvironment(), .. environment, null]);
            if (result != 0)
                throw new BenchException($"starting {command[0]}: {Marshal.GetPInvokeErrorMessage(result)}");

            // The child's ends have to be closed here before anybody waits for the end of a stream.
            CloseChildEnds();
            return new Child(
                Path.GetFileName(command[0]),
                pid,
                started,
                input?.Write,
                output is { } o ? new LineCollector(o.Read) : null,
                error is { } e ? new LineCollector(e.Read) : null);
        }
        finally
        {
            CloseChildEnds();
            _ = Native.FileActionsDestroy(actions);
            _ = Native.SpawnAttributesDestroy(attributes);
        }

        void CloseChildEnds()
        {
            input?.Read.Dispose();
            output?.Write.Dispose();
            error?.Write.Dispose();
        }
    }

    /// <summary>Sends one line to its stdin.</summary>
    internal void Send(string line) => _stdin!.Write(Encoding.ASCII.GetBytes(line + "\n"));

    internal void Signal(int signal)
    {
        if (!_reaped)
            _ = Native.Kill(Pid, signal);
    }

    /// <summary>Waits for the end and takes the CPU time.</summary>
    internal void WaitForEnd(TimeSpan timeout)
    {
        if (!EndsWithin(timeout))
            throw new BenchException($"{_name} is still running after {timeout.TotalSeconds} s");
    }

    internal bool EndsWithin(TimeSpan timeout)
    {
        long deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        while (!TryReap())
        {
            if (Environment.TickCount64 > deadline)
                return false;
            Thread.Sleep(2);
        }
        return true;
    }

    internal bool HasEnded => TryReap();

    public void Dispose()
    {
        Signal(Native.Sigkill);
        while (!TryReap())
            Thread.Sleep(1);
        _stdin?.Dispose();
    }

    private bool TryReap()
    {
        if (_reaped)
            return true;
        int pid = Native.Wait4(Pid, out _, Native.WaitNoHang, out Native.ResourceUsage usage);
        if (pid == 0)
            return false;
        // An error (pid < 0) means that there is no such child any more.
        _reaped = true;
        CpuNs = usage.CpuNs;
        return true;
    }

    private static void Redirect(byte* actions, int fd, SafeFileHandle? pipe, string? file, int flags)
    {
        Require(pipe is not null
            ? Native.FileActionsAddDup2(actions, (int)pipe.DangerousGetHandle(), fd)
            : Native.FileActionsAddOpen(actions, fd, file!, flags, 0x1A4 /* 0644 */));
    }

    // These calls return the error themselves and leave errno alone.
    private static void Require(int error)
    {
        if (error != 0)
            throw new BenchException($"preparing a process: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    private static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        int* fds = stackalloc int[2];
        if (Native.Pipe2(fds, Native.OpenCloseOnExec) != 0)
            throw new BenchException($"making a pipe: {Marshal.GetLastPInvokeErrorMessage()}");
        return (new SafeFileHandle(fds[0], ownsHandle: true), new SafeFileHandle(fds[1], ownsHandle: true));
    }

    private static IEnumerable<string> CurrentEnvironment()
    {
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
            yield return $"{entry.Key}={entry.Value}";
    }
}
