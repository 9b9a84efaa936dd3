// SPDX-License-Identifier: GPL-3.0-only
using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Veil.Core.Export;

namespace Veil.Core.Tests.Export;

/// <summary>A receiver of OTLP on loopback that answers what a test says, also what no receiver should.</summary>
internal sealed class OtlpReceiver : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<(string Head, byte[] Body)> _requests = [];

    private readonly X509Certificate2? _certificate;

    /// <summary>Listens from now on.</summary>
    /// <param name="certificate">Speaks TLS with it; none: does not.</param>
    public OtlpReceiver(X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _listener.Start();
        _ = Task.Run(AcceptAll);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What is answered to the n-th request, raw.</summary>
    public Func<int, byte[]> Answer { get; set; } = static _ => Status("200 OK");

    public IReadOnlyList<(string Head, byte[] Body)> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    /// <summary>The log records of all requests that were answered by 200.</summary>
    public IReadOnlyList<byte[]> Records =>
        [.. Requests.Where(static request => request.Head.Contains("/v1/logs ", StringComparison.Ordinal))
            .SelectMany(static request => RecordsOf(request.Body))];

    public static byte[] Status(string status, string fields = "", byte[]? body = null) =>
        [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{fields}Content-Length: {body?.Length ?? 0}\r\n\r\n"), .. body ?? []];

    public static IEnumerable<byte[]> RecordsOf(byte[] body) =>
        from resource in Fields(body, 1)
        from scope in Fields(resource, 2)
        from record in Fields(scope, 2)
        select record;

    /// <summary>The attributes of a record, and its text under <c>body</c>.</summary>
    public static Dictionary<string, string> Read(byte[] record)
    {
        var read = new Dictionary<string, string>();
        foreach (var (field, number, bytes) in ProtoFields.Read(record))
        {
            if (field == 6)
                read[Text(bytes, 1)] = Any(Fields(bytes, 2).Single());
            else if (field == 5)
                read["body"] = Any(bytes);
            else if (field == 2)
                read["severity"] = $"{number}";
            else if (field == 12)
                read["event"] = Encoding.UTF8.GetString(bytes);
        }

        return read;
    }

    public void Dispose() => _listener.Dispose();

    private static string Any(byte[] any)
    {
        var (field, number, bytes) = ProtoFields.Read(any).Single();
        return field switch
        {
            1 => Encoding.UTF8.GetString(bytes),
            2 => number == 1 ? "true" : "false",
            3 => $"{(long)number}",
            5 => string.Join(' ', Fields(bytes, 1).Select(Any)),
            _ => "?",
        };
    }

    private static string Text(byte[] message, int field) => Encoding.UTF8.GetString(Fields(message, field).Single());

    private static IEnumerable<byte[]> Fields(byte[] message, int field) =>
        ProtoFields.Read(message).Where(one => one.Field == field).Select(static one => one.Bytes);

    private async Task AcceptAll()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                _ = Task.Run(() => Serve(client));
            }
        }
        catch (SocketException)
        {
            // The end.
        }
        catch (ObjectDisposedException)
        {
            // The same.
        }
    }

    private void Serve(TcpClient client)
    {
        using var plain = client.GetStream();
        using var tls = _certificate is null ? null : new SslStream(plain);
        Stream stream = (Stream?)tls ?? plain;
        try
        {
            tls?.AuthenticateAsServer(_certificate!);
            while (ReadRequest(stream) is { } request)
            {
                byte[] answer;
                lock (_requests)
                {
                    answer = Answer(_requests.Count);
                    _requests.Add(request);
                }

                stream.Write(answer);
                if (!answer.AsSpan().StartsWith("HTTP/1.1"u8))
                    break;
            }
        }
        catch (Exception cause) when (cause is IOException or AuthenticationException)
        {
            // The other side went away.
        }

        client.Dispose();
    }

    private static (string Head, byte[] Body)? ReadRequest(Stream stream)
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            int one = stream.ReadByte();
            if (one < 0)
                return null;
            head.Append((char)one);
        }

        string text = head.ToString();
        string length = text.Split("\r\n").First(static line => line.StartsWith("Content-Length: ", StringComparison.Ordinal))["Content-Length: ".Length..];
        byte[] body = new byte[int.Parse(length)];
        stream.ReadExactly(body);
        if (text.Contains("Content-Encoding: gzip", StringComparison.Ordinal))
        {
            using var unpacked = new MemoryStream();
            using (var gzip = new GZipStream(new MemoryStream(body), CompressionMode.Decompress))
                gzip.CopyTo(unpacked);
            body = unpacked.ToArray();
        }

        return (text, body);
    }
}
