// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Net;
using System.Runtime.InteropServices;
using Veil.Bpf;
using Veil.Core.Interop;
using Veil.Core.Session;
using Veil.Core.Waiting;

namespace Veil.Core.Export;

/// <summary>
/// Serves metrics by HTTP/1.1. One thread serves all connections and waits for none; what they hold is bounded, in number, bytes and time.
/// The reader of events has no part in it. Why not Kestrel: docs/adr/0044.
/// </summary>
public sealed unsafe class MetricsServer : IDisposable
{
    private const int ClientsMax = 64;
    private const int Backlog = 128;
    private const int AcceptsAtOnce = 32;
    private const int NoDescriptorMs = 20;

    // However many ask: that often the trace is looked at.
    private const int FreshMs = 200;

    // Of answers that are under way. Beyond that who has taken longest over one is closed.
    private const long BodyBytesMax = 32 * 1024 * 1024;

    private static readonly ReadOnlyMemory<byte> s_index = "veil: metrics are at /metrics\n"u8.ToArray();
    private static readonly ReadOnlyMemory<byte> s_empty = ReadOnlyMemory<byte>.Empty;

    private readonly int _listener;
    private readonly int _wake;
    private readonly BearerToken? _token;
    private readonly List<MetricsClient> _clients = [];
    private readonly (ReadOnlyMemory<byte> Body, long AtMs)[] _bodies = new (ReadOnlyMemory<byte>, long)[Enum.GetValues<MetricsForm>().Length];
    private readonly ArrayBufferWriter<byte>?[] _rooms = new ArrayBufferWriter<byte>?[Enum.GetValues<MetricsForm>().Length];
    private TraceMetrics? _metrics;
    private Thread? _thread;
    private bool _ending;

    private MetricsServer(int listener, IPEndPoint place, BearerToken? token)
    {
        _listener = listener;
        _token = token;
        Url = $"http://{new IPEndPoint(place.Address, LibC.PortOf(listener))}/metrics";
        _wake = LibC.EventFd(0, 0x80000);
    }

    /// <summary>Where the metrics are.</summary>
    public string Url { get; }

    /// <summary>Takes the port; it answers from <see cref="Start"/> on.</summary>
    /// <exception cref="VeilException">It cannot be had.</exception>
    public static MetricsServer Open(IPEndPoint place, BearerToken? token)
    {
        ArgumentNullException.ThrowIfNull(place);
        bool isV6 = place.Address.GetAddressBytes().Length > 4;
        int listener = LibC.Socket(isV6 ? LibC.AfInet6 : LibC.AfInet, LibC.SockStreamCloexec | LibC.SockNonblock, 0);
        if (listener < 0 || LibC.BindTo(listener, place) != 0 || LibC.Listen(listener, Backlog) != 0)
        {
            string why = Marshal.GetLastPInvokeErrorMessage();
            _ = LibC.Close(listener);
            throw new VeilException($"--metrics: listening on {place}: {why}");
        }

        LibC.SendAtOnce(listener);
        return new MetricsServer(listener, place, token);
    }

    /// <summary>Takes over a socket that another process has made.</summary>
    /// <param name="listener">It listens.</param>
    /// <param name="place">Where.</param>
    /// <param name="token">What is asked for, or none.</param>
    public static MetricsServer Inherit(int listener, IPEndPoint place, BearerToken? token) => new(listener, place, token);

    /// <summary>The socket that listens.</summary>
    public int Listener => _listener;

    /// <summary>Answers from now on, on a thread of its own.</summary>
    /// <param name="session">What it tells of.</param>
    /// <param name="version">The version of this program.</param>
    /// <param name="stop">Asked for where the thread fails.</param>
    /// <param name="otlp">What sends events away, or nothing.</param>
    public void Start(TraceSession session, string version, StopSignal stop, OtlpExport? otlp = null)
    {
        ArgumentNullException.ThrowIfNull(stop);
        _metrics = new TraceMetrics(session, version) { Otlp = otlp };
        _thread = new Thread(stop.Guard(Serve), maxStackSize: 256 * 1024) { IsBackground = true, Name = "veil-metrics" };
        _thread.Start();
    }

    /// <summary>Closes everything.</summary>
    public void Dispose()
    {
        if (Volatile.Read(ref _ending))
            return;
        Volatile.Write(ref _ending, true);
        ulong one = 1;
        _ = LibC.Write(_wake, (byte*)&one, sizeof(ulong));
        _thread?.Join();
        foreach (var client in _clients)
            client.Dispose();
        _clients.Clear();
        _ = LibC.Close(_listener);
        _ = LibC.Close(_wake);
    }

    private void Serve()
    {
        // The reader of events, from whom the thread has its priority, goes before it.
        _ = LibC.SetPriority(0, 0, 0);
        var fds = new LibC.PollFd[ClientsMax + 2];
        while (!Volatile.Read(ref _ending))
        {
            fds[0] = new() { Fd = _wake, Events = LibC.PollIn };
            fds[1] = new() { Fd = _listener, Events = LibC.PollIn };
            int waitMs = -1;
            MetricsClient[] served = [.. _clients];
            for (int i = 0; i < served.Length; i++)
            {
                fds[i + 2] = new() { Fd = served[i].Fd, Events = served[i].Wants };
                int leftMs = (int)Math.Max(served[i].DeadlineMs - Environment.TickCount64, 0);
                waitMs = waitMs < 0 ? leftMs : Math.Min(waitMs, leftMs);
            }

            fixed (LibC.PollFd* set = fds)
            {
                if (LibC.Poll(set, (nuint)(served.Length + 2), waitMs) < 0)
                    continue;
            }

            for (int i = 0; i < served.Length; i++)
            {
                // One's answer may have closed another.
                if (!served[i].IsClosed && !Step(served[i], fds[i + 2].Returned != 0))
                    Close(served[i]);
            }

            for (int waiting = AcceptsAtOnce; (fds[1].Returned & LibC.PollIn) != 0 && waiting > 0 && Accept(); waiting--)
            {
            }
        }
    }

    // What a client can do without waiting; false where it is over.
    private bool Step(MetricsClient client, bool isReady)
    {
        if (isReady && !(client.IsAnswered ? client.Send() : client.Receive()))
            return false;
        // Requests that came together are answered one after the other.
        while (client.TryTake(out var head))
        {
            Answer(client, head);
            if (!client.Send())
                return false;
        }

        return Environment.TickCount64 < client.DeadlineMs;
    }

    private void Answer(MetricsClient client, ReadOnlySpan<byte> head)
    {
        const string plain = "Content-Type: text/plain; charset=utf-8\r\n";
        if (!MetricsRequest.TryParse(head, out var request))
        {
            client.Answer("400 Bad Request", plain, stays: false, hasBody: true, "no request of HTTP/1\n"u8.ToArray());
            return;
        }

        bool hasBody = request.Method.SequenceEqual("GET"u8), stays = request.Stays;
        if (!hasBody && !request.Method.SequenceEqual("HEAD"u8))
        {
            client.Answer("405 Method Not Allowed", plain + "Allow: GET, HEAD\r\n", stays, hasBody: true, "GET alone\n"u8.ToArray());
            return;
        }

        if (_token is not null && !_token.Equals(request.Token))
        {
            client.Answer("401 Unauthorized", plain + "WWW-Authenticate: Bearer\r\n", stays, hasBody, "the token is missing, or wrong\n"u8.ToArray());
            return;
        }

        if (!request.Path.SequenceEqual("/metrics"u8))
        {
            bool isIndex = request.Path.SequenceEqual("/"u8);
            client.Answer(isIndex ? "200 OK" : "404 Not Found", plain, stays, hasBody, isIndex ? s_index : "metrics are at /metrics\n"u8.ToArray());
            return;
        }

        var form = request.Form();
        string type = form == MetricsForm.OpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
            : "text/plain; version=0.0.4; charset=utf-8";
        client.Answer("200 OK", $"Content-Type: {type}\r\n", stays, hasBody, BodyOf(form));
    }

    private ReadOnlyMemory<byte> BodyOf(MetricsForm form)
    {
        ref var body = ref _bodies[(int)form];
        if (!body.Body.IsEmpty && Environment.TickCount64 - body.AtMs < FreshMs)
            return body.Body;
        body.Body = s_empty;
        BoundBodies();
        ref var room = ref _rooms[(int)form];
        if (room is null || IsBeingSent(room.WrittenSpan))
            room = new ArrayBufferWriter<byte>();
        var text = new PrometheusText(isOpenMetrics: form == MetricsForm.OpenMetrics, room);
        _metrics!.Write(text);
        body = (text.End(), Environment.TickCount64);
        return body.Body;
    }

    private bool IsBeingSent(ReadOnlySpan<byte> body)
    {
        foreach (var client in _clients)
        {
            if (client.Body.Span.Overlaps(body))
                return true;
        }

        return false;
    }

    private void BoundBodies()
    {
        while (_clients.Select(static client => client.Body).Distinct().Sum(static body => (long)body.Length) > BodyBytesMax)
            Close(_clients.Where(static client => client.IsAnswered).MinBy(static client => client.DeadlineMs)!);
    }

    private bool Accept()
    {
        int fd = LibC.Accept(_listener, null, null, 0x80000 | LibC.SockNonblock);
        if (fd < 0)
        {
            // Out of descriptors: the connection stays pending until one is free.
            if (Marshal.GetLastPInvokeError() is not (Errno.EMFILE or Errno.ENFILE))
                return false;
            if (_clients.Count == 0)
                Thread.Sleep(NoDescriptorMs);
            else
                Close(Longest());
            return true;
        }

        if (_clients.Count >= ClientsMax)
            Close(Longest());
        _clients.Add(new MetricsClient(fd));
        return true;
    }

    // Who waits between two requests goes first, then who takes longest.
    private MetricsClient Longest() => _clients.OrderBy(static client => client.IsBusy).ThenBy(static client => client.DeadlineMs).First();

    private void Close(MetricsClient client)
    {
        client.Dispose();
        _clients.Remove(client);
    }
}
