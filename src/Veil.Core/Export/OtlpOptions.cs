// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Net;
using Veil.Core.Text;

namespace Veil.Core.Export;

/// <summary>Where to send, and how: <c>--otlp</c>, and of the environment what OpenTelemetry has variables for. None of those starts an
/// export.</summary>
public sealed record OtlpOptions
{
    /// <summary>What may wait for the receiver, where it is not said.</summary>
    public const int DefaultBufferBytes = 16 * 1024 * 1024;

    private const int DefaultTimeoutMs = 10_000;
    private const int TimeoutMaxMs = 600_000;

    // What says where a request ends, and what is in it.
    private static readonly HashSet<string> s_own = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection", "Expect", "Trailer", "Upgrade",
    };

    /// <summary>The receiver.</summary>
    public required Uri Url { get; init; }

    /// <summary>Bytes that may wait.</summary>
    public int BufferBytes { get; init; } = DefaultBufferBytes;

    /// <summary>Send what is in arguments of calls and programs too.</summary>
    public bool WithArguments { get; init; }

    /// <summary>Fields of every request.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Attributes of this machine.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Attributes { get; init; } = [];

    /// <summary>The name of this program.</summary>
    internal string? ServiceName { get; init; }

    /// <summary>How long a request may take.</summary>
    internal int TimeoutMs { get; init; } = DefaultTimeoutMs;

    /// <summary>Compress.</summary>
    internal bool Gzip { get; init; } = true;

    /// <summary>Whom to believe instead of the system's authorities.</summary>
    internal string? Certificate { get; init; }

    /// <summary>Our certificate.</summary>
    internal string? ClientCertificate { get; init; }

    /// <summary>Its key.</summary>
    internal string? ClientKey { get; init; }

    /// <summary>Reads them.</summary>
    /// <param name="flag">The flag.</param>
    /// <param name="text">The URL.</param>
    /// <param name="variable">A variable of the environment, or nothing.</param>
    /// <exception cref="UsageException">The URL is none, or a variable is wrong.</exception>
    public static OtlpOptions Parse(string flag, string text, Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        string shown = Escaping.ForMessage(text ?? "");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0)
            throw new UsageException($"{flag}: '{shown}' is no URL, such as http://127.0.0.1:4318 or https://collector.example:4318");
        if (url.Scheme is not ("http" or "https"))
        {
            string hint = url.Scheme is "grpc" or "grpcs" ? "; a Collector takes http on port 4318 too" : "";
            throw new UsageException($"{flag}: '{shown}': http and https are spoken, not {Escaping.ForMessage(url.Scheme)}{hint}");
        }

        if (url.UserInfo.Length > 0)
            throw new UsageException($"{flag}: everybody on this machine can see a password in a URL; use OTEL_EXPORTER_OTLP_HEADERS");
        if (url.Query.Length > 0 || url.Fragment.Length > 0)
            throw new UsageException($"{flag}: '{shown}': /v1/logs is put behind it, so nothing can follow the path");
        var headers = Pairs(variable, "OTEL_EXPORTER_OTLP_HEADERS");
        foreach (var (name, value) in headers)
        {
            bool isName = name.Length > 0 && name.All(static one => char.IsAsciiLetterOrDigit(one) || one is '-' or '_' or '.');
            if (!isName || value.Any(static one => one is < ' ' or > '~'))
                throw new UsageException("OTEL_EXPORTER_OTLP_HEADERS: a name or a value in it can be in no request");
        }

        if (headers.Find(static header => s_own.Contains(header.Key)) is { Key: { } own })
            throw new UsageException($"OTEL_EXPORTER_OTLP_HEADERS: '{own}' is set for each request by itself; leave it out");
        if (headers.Count > 0 && url.Scheme == "http" && !IsLoopback(url))
            throw new UsageException($"{flag}: '{shown}': OTEL_EXPORTER_OTLP_HEADERS would be readable on the way; use https");
        return new OtlpOptions
        {
            Url = url,
            Headers = headers,
            Attributes = Pairs(variable, "OTEL_RESOURCE_ATTRIBUTES"),
            ServiceName = variable("OTEL_SERVICE_NAME") is { Length: > 0 } name2 ? name2 : null,
            TimeoutMs = Timeout(variable("OTEL_EXPORTER_OTLP_TIMEOUT")),
            Gzip = variable("OTEL_EXPORTER_OTLP_COMPRESSION") switch
            {
                null or "" or "gzip" => true,
                "none" => false,
                var other => throw new UsageException(
                    $"OTEL_EXPORTER_OTLP_COMPRESSION: '{Escaping.ForMessage(other)}' is neither gzip nor none"),
            },
            Certificate = File("OTEL_EXPORTER_OTLP_CERTIFICATE"),
            ClientCertificate = File("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
            ClientKey = File("OTEL_EXPORTER_OTLP_CLIENT_KEY"),
        };

        string? File(string name) => variable(name) is { Length: > 0 } path ? path : null;
    }

    private static bool IsLoopback(Uri url) =>
        url.Host == "localhost" || (IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static int Timeout(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return DefaultTimeoutMs;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int ms) && ms is > 0 and <= TimeoutMaxMs ? ms
            : throw new UsageException(
                $"OTEL_EXPORTER_OTLP_TIMEOUT: '{Escaping.ForMessage(text)}' is no number of milliseconds from 1 to {TimeoutMaxMs}");
    }

    // key=value,key=value, with %HH for what cannot stand there (W3C Baggage).
    private static List<KeyValuePair<string, string>> Pairs(Func<string, string?> variable, string name)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (string pair in (variable(name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            // Its value may be a secret.
            if (equals <= 0)
                throw new UsageException($"{name}: it is a list of key=value, and a part of it has no =");
            pairs.Add(new(Uri.UnescapeDataString(pair[..equals].Trim()), Uri.UnescapeDataString(pair[(equals + 1)..].Trim())));
        }

        return pairs;
    }
}
