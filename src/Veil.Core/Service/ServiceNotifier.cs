// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Core.Interop;

namespace Veil.Core.Service;

/// <summary>Tells the service manager how this process is, by the datagrams of sd_notify(3). It never waits: what the manager does not
/// take is not told.</summary>
public sealed unsafe class ServiceNotifier : IDisposable
{
    /// <summary>Names the manager's socket; set where somebody listens.</summary>
    public const string Variable = "NOTIFY_SOCKET";

    private const int SockDatagramCloexec = 2 | 0x80000;
    private const int MicrosecondsPerMs = 1_000;

    private readonly int _socket;
    private readonly int _beatEveryMs;
    private long _beatAt;

    private ServiceNotifier(int socket)
    {
        _socket = socket;
        _beatEveryMs = BeatEveryMs();
    }

    /// <summary>Connects to the manager's socket; nothing where there is none. To be called before privileges are given up.</summary>
    public static ServiceNotifier? Open()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 1 } name || name[0] is not ('/' or '@'))
            return null;
        byte[] address = Encoding.UTF8.GetBytes(name);
        if (address.Length > LibC.SocketPathMax)
            return null;
        if (name[0] == '@')
            address[0] = 0;
        int socket = LibC.Socket(LibC.AfUnix, SockDatagramCloexec | LibC.SockNonblock, 0);
        if (socket >= 0 && LibC.ConnectToName(socket, address) == 0)
            return new ServiceNotifier(socket);
        _ = LibC.Close(socket);
        return null;
    }

    /// <summary>Sends a state: lines of <c>NAME=VALUE</c>.</summary>
    public void Tell(string state)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(state);
        fixed (byte* data = bytes)
            _ = LibC.Send(_socket, data, bytes.Length, LibC.MsgNoSignal);
    }

    /// <summary>The configuration is about to be read anew.</summary>
    public void Reloading()
    {
        const int clockMonotonic = 1;
        const int nsPerMicrosecond = 1_000;
        string now = (LibC.NowNs(clockMonotonic) / nsPerMicrosecond).ToString(CultureInfo.InvariantCulture);
        Tell($"RELOADING=1\nMONOTONIC_USEC={now}");
    }

    /// <summary>Says that the caller is alive, as often as the manager's watchdog wants to hear it. Cheap, and without allocation.</summary>
    public void Beat()
    {
        if (_beatEveryMs == 0 || Environment.TickCount64 < _beatAt)
            return;
        _beatAt = Environment.TickCount64 + _beatEveryMs;
        var beat = "WATCHDOG=1"u8;
        fixed (byte* data = beat)
            _ = LibC.Send(_socket, data, beat.Length, LibC.MsgNoSignal);
    }

    /// <inheritdoc/>
    public void Dispose() => _ = LibC.Close(_socket);

    // Twice in its time, as sd_watchdog_enabled(3) advises; WATCHDOG_PID is the supervisor's, which the worker answers for.
    private static int BeatEveryMs() =>
        long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long us)
        && us > 0
            ? (int)Math.Clamp(us / MicrosecondsPerMs / 2, 1, int.MaxValue) : 0;
}
