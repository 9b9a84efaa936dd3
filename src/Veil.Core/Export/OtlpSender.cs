// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Core.Text;

namespace Veil.Core.Export;

/// <summary>
/// Sends requests one after the other, and each until the receiver has it: by <c>Retry-After</c>, else after longer and longer waits.
/// What the
/// receiver says that it never takes is dropped, and counted. What is wrong is said at once, and then once a minute.
/// </summary>
internal sealed class OtlpSender : IDisposable
{
    private const int FirstWaitMs = 250;
    private const int LastWaitMs = 5_000;
    private const int WaitWhileEndingMs = 200;
    private const int RetryAfterMaxMs = 60_000;
    private const int SayEveryMs = 60_000;
    private const int QuotedMax = 120;

    // ExportLogsServiceResponse and ExportMetricsServiceResponse
    private const int PartialField = 1;
    private const int RejectedField = 1;
    private const int ReasonField = 2;

    private readonly OtlpQueue _queue;
    private readonly HttpChannel _channel;
    private readonly string _fields;
    private readonly string _base;
    private readonly bool _isPacked;
    private readonly Uri _url;
    private readonly Action<string> _message;
    private long _saidMs = -SayEveryMs;
    private long _failingSinceMs;
    private int _waitMs = FirstWaitMs;
    private long _sent;
    private long _failed;

    public OtlpSender(OtlpOptions options, TlsClient? tls, OtlpQueue queue, Action<string> message)
    {
        _queue = queue;
        _url = options.Url;
        _message = message;
        _channel = new HttpChannel(options.Url, tls, options.TimeoutMs);
        _isPacked = options.Gzip;
        _base = options.Url.AbsolutePath.TrimEnd('/');
        var fields = new StringBuilder(options.Gzip ? "Content-Encoding: gzip\r\n" : "");
        foreach (var (name, value) in options.Headers)
            fields.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        _fields = fields.ToString();
    }

    /// <summary>Requests that the receiver took. From any thread.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Tries that failed. From any thread.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Sends events until the end.</summary>
    /// <param name="metricsEveryMs">How often metrics are sent too.</param>
    /// <param name="metrics">Makes them.</param>
    public void Run(int metricsEveryMs, Func<byte[]> metrics)
    {
        long metricsAtMs = Environment.TickCount64 + metricsEveryMs;
        while (!_queue.IsOver)
        {
            if (_queue.First(metricsAtMs) is { } request)
                SendEvents(request);
            if (Environment.TickCount64 < metricsAtMs)
                continue;
            metricsAtMs += metricsEveryMs;
            // Of numbers that only grow the next ones say all that these do.
            _ = TrySend("/v1/metrics", metrics(), out _);
            if (metricsAtMs < Environment.TickCount64)
                metricsAtMs = Environment.TickCount64 + metricsEveryMs;
        }

        _ = TrySend("/v1/metrics", metrics(), out _);
    }

    public void Dispose() => _channel.Dispose();

    private void SendEvents(OtlpRequest request)
    {
        switch (TrySend("/v1/logs", request.Body, out long rejected))
        {
            case Outcome.Taken:
                if (rejected > 0)
                    _queue.Drop(OtlpCause.Refused, Math.Min(rejected, request.Events));
                _queue.RemoveFirst();
                break;
            case Outcome.Refused:
                _queue.Drop(OtlpCause.Refused, request.Events);
                _queue.RemoveFirst();
                break;
            default:
                _queue.Sleep(_queue.IsEnding ? WaitWhileEndingMs : _waitMs);
                break;
        }
    }

    private Outcome TrySend(string path, byte[] body, out long rejected)
    {
        rejected = 0;
        HttpAnswer answer;
        try
        {
            answer = _channel.Post(_base + path, _fields, body);
        }
        catch (HttpFailure failure)
        {
            Wait(null);
            Say($"{failure.Message}; {Waiting()}");
            return Outcome.Later;
        }

        switch (answer.Status)
        {
            case >= 200 and <= 299:
                Interlocked.Increment(ref _sent);
                if (PartialSuccess(answer.Body) is { } partial)
                {
                    rejected = partial.Rejected;
                    Say($"it took a part alone, and not {rejected} records{Quoted(partial.Reason)}");
                }
                else if (_failingSinceMs != 0)
                {
                    _message($"otlp: {_url}: it takes events again, after {(Environment.TickCount64 - _failingSinceMs) / 1000.0:F1} s");
                }

                _failingSinceMs = 0;
                _waitMs = FirstWaitMs;
                return Outcome.Taken;
            case 429 or 502 or 503 or 504:
                Wait(answer.RetryAfter);
                Say($"it answers {answer.Status}; {Waiting()}");
                return Outcome.Later;
            default:
                Interlocked.Increment(ref _failed);
                string hint = answer.Status is >= 300 and < 400 ? ", which is not followed"
                    : _isPacked && Sent == 0 && answer.Status is 400 or 415 or 500
                        ? " (does it not take gzip? OTEL_EXPORTER_OTLP_COMPRESSION=none)" : "";
                Say($"it answers {answer.Status}{hint}, so events are dropped{Quoted(ReasonOf(answer.Body))}");
                return Outcome.Refused;
        }
    }

    private string Waiting() => _queue.Requests == 1 ? "1 request waits" : $"{_queue.Requests} requests wait";

    private void Wait(string? retryAfter)
    {
        Interlocked.Increment(ref _failed);
        if (_failingSinceMs == 0)
            _failingSinceMs = Environment.TickCount64;
        if (After(retryAfter) is { } asked)
        {
            // "Now" is not taken at its word, or it would be asked as fast as it can answer.
            _waitMs = Math.Max(asked, FirstWaitMs);
            return;
        }

        // Not all agents of a fleet at the same moment.
        int next = Math.Min(Math.Max(_waitMs, FirstWaitMs) * 2, LastWaitMs);
        _waitMs = next - Random.Shared.Next(next / 4);
    }

    // Seconds, or a date (RFC 9110).
    private static int? After(string? text)
    {
        if (text is null)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds))
            return Math.Min(seconds, RetryAfterMaxMs / 1000) * 1000;
        return DateTimeOffset.TryParseExact(text, "r", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? (int)Math.Clamp((date - DateTimeOffset.UtcNow).TotalMilliseconds, 0, RetryAfterMaxMs) : null;
    }

    private void Say(string text)
    {
        if (Environment.TickCount64 - _saidMs < SayEveryMs)
            return;
        _saidMs = Environment.TickCount64;
        _message($"otlp: {_url}: {text}");
    }

    private static string Quoted(string reason) =>
        reason.Length == 0 ? "" : $": {Escaping.ForMessage(reason.Length > QuotedMax ? reason[..QuotedMax] + "…" : reason)}";

    // google.rpc.Status has its message under the number of the reason here.
    private static string ReasonOf(byte[] body)
    {
        foreach (var (field, _, bytes) in ProtoFields.Read(body))
        {
            if (field == ReasonField)
                return Encoding.UTF8.GetString(bytes);
        }

        return "";
    }

    private static (long Rejected, string Reason)? PartialSuccess(byte[] body)
    {
        foreach (var (field, _, bytes) in ProtoFields.Read(body))
        {
            if (field != PartialField)
                continue;
            long rejected = 0;
            string reason = "";
            foreach (var (inner, number, text) in ProtoFields.Read(bytes))
            {
                rejected = inner == RejectedField ? (long)number : rejected;
                reason = inner == ReasonField ? Encoding.UTF8.GetString(text) : reason;
            }

            return rejected > 0 ? (rejected, reason) : null;
        }

        return null;
    }

    private enum Outcome
    {
        Taken,
        Later,
        Refused,
    }
}
