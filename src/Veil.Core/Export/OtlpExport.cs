// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Interop;
using Veil.Core.Losses;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Waiting;

namespace Veil.Core.Export;

/// <summary>
/// Sends events as logs and counts as metrics to a receiver of OTLP by HTTP (docs/fleet.md). The reader of events encodes them; a thread
/// packs
/// them, and another one sends.
/// </summary>
public sealed class OtlpExport : IExport, IDisposable
{
    private const string Module = "otlp";
    private const int LastMetricsMs = 2_000;
    private const int StackBytes = 256 * 1024;

    // ExportLogsServiceRequest, ResourceLogs; those of metrics have the same numbers.
    private const int ResourceLogsField = 1;
    private const int ResourceField = 1;
    private const int ScopeLogsField = 2;
    private const int ScopeField = 1;

    private static readonly OtlpCause[] s_causes = Enum.GetValues<OtlpCause>();

    private readonly OtlpOptions _options;
    private readonly string _version;
    private readonly OtlpQueue _queue;
    private readonly OtlpSender _sender;
    private readonly byte[] _resource;
    private readonly byte[] _scope;
    private readonly long[] _told = new long[s_causes.Length];
    private Thread? _sending;

    private OtlpExport(OtlpOptions options, TlsClient? tls, string version, Action<string> message)
    {
        _options = options;
        _version = version;
        _queue = new OtlpQueue(options.BufferBytes);
        _sender = new OtlpSender(options, tls, _queue, message);
        _resource = OtlpResource.Make(version, options.Attributes, options.ServiceName);
        _scope = OtlpResource.Scope(version);
    }

    /// <summary>Reads the certificates, and sends nothing yet.</summary>
    /// <param name="options">Where to.</param>
    /// <param name="version">The version of this program.</param>
    /// <param name="message">Takes a line for the user.</param>
    /// <exception cref="VeilException">There is no OpenSSL, or a file is none.</exception>
    public static OtlpExport Open(OtlpOptions options, string version, Action<string> message)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new OtlpExport(options, options.Url.Scheme == "https" ? new TlsClient(options) : null, version, message);
    }

    /// <summary>Requests that the receiver took.</summary>
    internal long Sent => _sender.Sent;

    /// <summary>Tries that failed.</summary>
    internal long Failed => _sender.Failed;

    /// <summary>Bytes that wait.</summary>
    internal long WaitingBytes => _queue.Bytes;

    /// <inheritdoc/>
    public IEventSink Begin(EventCatalog catalog, OutputOptions shown, StopSignal stop) =>
        new OtlpLogSink(_queue, catalog, shown, _options.WithArguments, stop);

    /// <inheritdoc/>
    public void TakeLosses(Action<LossKey, LossCount> take)
    {
        ArgumentNullException.ThrowIfNull(take);
        foreach (var cause in s_causes)
        {
            long dropped = _queue.Dropped(cause), fresh = dropped - _told[(int)cause];
            _told[(int)cause] = dropped;
            if (fresh > 0)
                take(new LossKey(Module, NameOf(cause)), new LossCount((ulong)fresh, []));
        }
    }

    /// <summary>Sends from now on.</summary>
    /// <param name="session">What metrics tell of.</param>
    /// <param name="every">How often they are sent.</param>
    /// <param name="stop">Asked for where a thread fails.</param>
    public void Start(TraceSession session, TimeSpan every, StopSignal stop)
    {
        ArgumentNullException.ThrowIfNull(stop);
        var metrics = new TraceMetrics(session, _version) { Otlp = this };
        new Thread(stop.Guard(Pack), StackBytes) { IsBackground = true, Name = "veil-otlp-pack" }.Start();
        _sending =
            new Thread(stop.Guard(() => _sender.Run((int)every.TotalMilliseconds, () => MetricsOf(metrics))), StackBytes)
            {
                IsBackground = true,
                Name = "veil-otlp-send",
            };
        _sending.Start();
    }

    /// <summary>Waits a moment for the last metrics.</summary>
    public void Dispose()
    {
        _queue.End(0, static () => true);
        if (_sending?.Join(LastMetricsMs) != false)
            _sender.Dispose();
    }

    private static string NameOf(OtlpCause cause) => cause switch
    {
        OtlpCause.TooFast => LossCause.TooFast,
        OtlpCause.BufferFull => LossCause.BufferFull,
        OtlpCause.Refused => LossCause.Refused,
        _ => LossCause.NotSent,
    };

    private void Pack()
    {
        using var gzip = _options.Gzip ? new Gzip() : null;
        var head = new ProtoBuffer(1024);
        while (_queue.NextBatch() is { } batch)
        {
            _queue.Add(new OtlpRequest(Message(head, batch.Records.Written, gzip), batch.Events));
            _queue.GiveBack(batch);
        }
    }

    private byte[] MetricsOf(TraceMetrics metrics)
    {
        var writer = new OtlpMetrics((ulong)(metrics.StartedAt * 1e9), (ulong)LibC.NowNs(LibC.ClockRealtime));
        metrics.Write(writer);
        writer.End();
        using var gzip = _options.Gzip ? new Gzip() : null;
        return Message(new ProtoBuffer(1024), writer.Metrics.Written, gzip);
    }

    // The whole request: what is in front of the records, and they.
    private byte[] Message(ProtoBuffer head, ReadOnlySpan<byte> records, Gzip? gzip)
    {
        int scopeLogs = ProtoBuffer.SizeOfBytes(_scope.Length) + records.Length;
        head.Truncate(0);
        head.Begin(ResourceLogsField, ProtoBuffer.SizeOfBytes(_resource.Length) + ProtoBuffer.SizeOfBytes(scopeLogs));
        head.Bytes(ResourceField, _resource);
        head.Begin(ScopeLogsField, scopeLogs);
        head.Bytes(ScopeField, _scope);
        return gzip is null ? [.. head.Written, .. records] : gzip.Pack(head.Written, records);
    }
}
