// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Interop;
using Veil.Core.Waiting;

namespace Veil.Core.Running;

/// <summary>
/// A command that the trace runs: a child of this process that waits for a word (Native/command.c). Where the word does not come it ends
/// without having run anything; what it became goes on when this process ends.
/// </summary>
public sealed unsafe class TracedCommand : IDisposable
{
    private const int PidFdOpen = 434; // the same on every architecture
    private const int PollMs = 100;

    private readonly int _word;
    private readonly int _failed;
    private readonly Func<int> _nextSignal;
    private static readonly bool s_isJob = IsJob();

    private int _status;
    private long? _stoppedAt;

    /// <summary>Takes over a child that waits.</summary>
    /// <param name="pid">Its id.</param>
    /// <param name="word">The descriptor that takes the word.</param>
    /// <param name="failed">The descriptor that has an errno if the program could not be run.</param>
    /// <param name="nextSignal">The next signal that came: less than 0 where the terminal sent it, to the command too; 0 for none.</param>
    public TracedCommand(int pid, int word, int failed, Func<int> nextSignal)
    {
        (Pid, _word, _failed, _nextSignal) = (pid, word, failed, nextSignal);
        _ = s_isJob; // before /proc is out of reach
        PollFd = (int)LibC.Syscall(PidFdOpen, pid, 0, 0, 0, 0);
    }

    /// <summary>Its process id.</summary>
    public int Pid { get; }

    /// <summary>The command itself has ended.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>What a shell would make of its end: its exit code, or 128 and the signal.</summary>
    public int ExitCode => (_status & 0x7f) is > 0 and var signal ? 128 + signal : (_status >> 8) & 0xff;

    /// <summary>Readable when it has ended; below 0 where the kernel has no such descriptors.</summary>
    internal int PollFd { get; }

    /// <summary>Does anything that it made still run, as far as that is followed?</summary>
    internal Func<bool> HasDescendants { get; set; } = static () => false;

    /// <summary>Lets it run its program.</summary>
    /// <param name="user">Who it becomes before; none: who we were.</param>
    public void Release(CommandUser? user)
    {
        // struct word
        uint[] word = user is null ? [0, 0, 0, 0] : [1, user.Uid, user.Gid, (uint)user.Groups.Length, .. user.Groups];
        fixed (uint* data = word)
        {
            for (nint written = 0, count; written < word.Length * sizeof(uint); written += count)
            {
                count = LibC.Write(_word, (byte*)data + written, (word.Length * sizeof(uint)) - written);
                if (count >= 0)
                    continue;
                // Somebody has ended it while it waited; that is its end.
                if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                    return;
                count = 0;
            }
        }
    }

    /// <summary>Passes signals on, and takes notice of its end. Once it has ended a signal is a request to stop.</summary>
    /// <returns>It and all that it made have ended.</returns>
    internal bool IsOver(StopSignal stop)
    {
        const int noHang = 1, untraced = 2, continued = 8;
        int status;
        if (!HasEnded && LibC.WaitFor(Pid, &status, noHang | untraced | continued) is not 0 and var waited)
        {
            bool isStopped = waited == Pid && (status & 0xff) == 0x7f, isContinued = waited == Pid && status == 0xffff;
            _stoppedAt = isStopped ? Environment.TickCount64 : null;
            HasEnded = !isStopped && !isContinued;
            _status = waited == Pid && HasEnded ? status : 0;
        }

        StopWithIt();

        for (int signal = _nextSignal(); signal != 0; signal = _nextSignal())
        {
            if (HasEnded)
                stop.Request();
            else if (signal > 0)
                _ = LibC.Kill(Pid, signal);
        }

        return HasEnded && !HasDescendants();
    }

    // A command that stops itself, as a shell does for `suspend`: the shell that started us waits for us, and takes the terminal back only
    // if we stop too. CTRL-Z stops us both, and that it goes on is seen before the time is over.
    private void StopWithIt()
    {
        const int stop = 19, patienceMs = 100;
        if (_stoppedAt is not { } since || !s_isJob || Environment.TickCount64 - since < patienceMs)
            return;
        _stoppedAt = null;
        _ = LibC.Kill(Environment.ProcessId, stop);
    }

    // Has a shell with job control started us, at a terminal? proc(5): pid (comm) state ppid pgrp session tty.
    private static bool IsJob() =>
        LibC.LinesOf("/proc/self/stat") is [var line, ..]
        && line[(line.LastIndexOf(')') + 2)..].Split(' ') is [_, _, var group, var session, var tty, ..]
        && tty != "0" && group != session;

    /// <summary>Waits for the end of the command itself: a trace that has failed is no reason to lose its exit code.</summary>
    public void WaitForEnd(StopSignal stop)
    {
        ArgumentNullException.ThrowIfNull(stop);
        while (!IsOver(stop) && !HasEnded)
        {
            var wait = new LibC.PollFd { Fd = PollFd, Events = LibC.PollIn };
            _ = LibC.Poll(&wait, 1, PollMs);
        }
    }

    /// <summary>Why its program could not be run; nothing where it could.</summary>
    public string? Failure()
    {
        Span<byte> errno = stackalloc byte[sizeof(int)];
        return HasEnded && LibC.Read(_failed, errno) == sizeof(int) ? Marshal.GetPInvokeErrorMessage(MemoryMarshal.Read<int>(errno)) : null;
    }

    /// <summary>Lets go of it. Without the word it ends.</summary>
    public void Dispose()
    {
        _ = LibC.Close(_word);
        _ = LibC.Close(_failed);
        if (PollFd >= 0)
            _ = LibC.Close(PollFd);
    }
}
