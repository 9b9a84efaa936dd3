// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Interop;

namespace Veil.Core.Waiting;

/// <summary>The request to end, from a signal or from code. The first asks for a clean end, the second for an end now.</summary>
public sealed class StopSignal : IDisposable
{
    private const int EfdCloexecNonblock = 0x80000 | 0x800;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Func<int> _early;
    private Timer? _timer;
    private int _requests;

    /// <summary>Makes the signal; it does not listen to the process's signals yet.</summary>
    /// <param name="early">The signal that asked for the end before <see cref="ListenToSignals"/>, or 0: asked by <see
    /// cref="ThrowIfEarly"/>.</param>
    public StopSignal(Func<int>? early = null)
    {
        _early = early ?? (static () => 0);
        PollFd = LibC.EventFd(0, EfdCloexecNonblock);
        if (PollFd < 0)
            throw new VeilException($"making an eventfd: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>A stop was asked for.</summary>
    public bool IsRequested => Volatile.Read(ref _requests) > 0;

    /// <summary>It was asked for again: wait for nothing more.</summary>
    public bool IsForced => Volatile.Read(ref _requests) > 1;

    /// <summary>Does SIGINT get here? Not where our parent has set it to be ignored.</summary>
    public bool ListensToInterrupt { get; private set; }

    /// <summary>Readable from the first request on, so that a waiting thread can wait for it too.</summary>
    internal int PollFd { get; }

    /// <summary>Takes SIGINT, SIGTERM and SIGHUP from now on, except for one that our parent has set to be ignored
    /// (<c>nohup</c>).</summary>
    /// <param name="onInterrupt">What SIGINT does instead, while no stop is asked for; for a terminal with a prompt.</param>
    public void ListenToSignals(Action? onInterrupt = null)
    {
        ListensToInterrupt = !LibC.IsIgnored(2);
        foreach (var (signal, number) in new[] { (PosixSignal.SIGINT, 2), (PosixSignal.SIGTERM, 15), (PosixSignal.SIGHUP, 1) })
        {
            if (LibC.IsIgnored(number))
                continue;
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                if (onInterrupt is not null && signal == PosixSignal.SIGINT && !IsRequested)
                    onInterrupt();
                else
                    Request();
            }));
        }

        // What came until now: between the last look and the new handlers too.
        if (_early() != 0)
            Request();
    }

    /// <summary>Ends what prepares a trace, where a signal has asked for it: to be called between its steps, while it can still be
    /// undone.</summary>
    /// <exception cref="StoppedException">It has.</exception>
    public void ThrowIfEarly()
    {
        if (_early() is > 0 and var signal)
            throw new StoppedException(signal);
    }

    /// <summary>What went wrong beside the trace, on another thread; nothing where nothing did.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Makes what a thread does: where it fails, it ends the trace, and <see cref="Failure"/> says why.</summary>
    /// <param name="work">What the thread does.</param>
    public ThreadStart Guard(Action work) => () =>
    {
        try
        {
            work();
        }
        catch (Exception failure)
        {
            Failure ??= failure;
            Request();
        }
    };

    /// <summary>Asks for the end after a time, unless it has been asked for by then. A write that waits for its reader does not hold it
    /// up.</summary>
    public void RequestAfter(TimeSpan time)
    {
        // At zero a timer fires at once, on another thread.
        _timer =
            new Timer(
            static stop => ((StopSignal)stop!).RequestFirst(), this, time > TimeSpan.Zero ? time : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Asks for the end, where nobody has: a second request would be one to wait for nothing.</summary>
    public void RequestFirst()
    {
        if (Interlocked.CompareExchange(ref _requests, 1, 0) == 0)
            Wake();
    }

    /// <summary>Asks for the end.</summary>
    public void Request()
    {
        Interlocked.Increment(ref _requests);
        Wake();
    }

    private unsafe void Wake()
    {
        ulong one = 1;
        _ = LibC.Write(PollFd, (byte*)&one, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Waits for one that fires right now: it would write to a descriptor that is another file's by then.
        using var over = new ManualResetEvent(initialState: false);
        if (_timer?.Dispose(over) == true)
            over.WaitOne();
        foreach (var registration in _registrations)
            registration.Dispose();
        _ = LibC.Close(PollFd);
    }
}
