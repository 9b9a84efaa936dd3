// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Export;

namespace Veil.Core.Tests.Export;

/// <summary>A request's head.</summary>
public sealed class MetricsRequestTests
{
    // What Prometheus 3.5 sends.
    private const string Prometheus =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5," +
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

    [Theory]
    [InlineData("", "Text")]
    [InlineData("*/*", "Text")]
    [InlineData("text/html", "Text")]
    [InlineData("text/plain;version=0.0.4", "Text")]
    [InlineData("application/openmetrics-text", "OpenMetrics")]
    [InlineData("application/openmetrics-text;q=0.1, text/plain;q=0.2", "Text")]
    [InlineData("application/openmetrics-text;q=x, */*;q=0.1", "Text")]
    [InlineData(Prometheus, "OpenMetrics")]
    public void Form_OfWhatIsAccepted_IsTheOneWantedMost(string accept, string expected)
    {
        MetricsRequest.TryParse(Encoding.ASCII.GetBytes($"GET /metrics HTTP/1.1\r\nHost: a\r\nACCEPT: {accept}\r\n\r\n"), out var request).ShouldBeTrue();
        request.Form().ToString().ShouldBe(expected);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", true)]
    [InlineData("GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n", false)]
    [InlineData("GET / HTTP/1.1\r\n Transfer-Encoding\t: chunked\r\n\r\n", false)]
    [InlineData("GET / HTTP/1.0\r\n\r\n", false)]
    [InlineData("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true)]
    [InlineData("GET / HTTP/1.1\n\n", true)]
    public void Stays_IsWhatTheVersionAndTheFieldsSay(string head, bool expected)
    {
        MetricsRequest.TryParse(Encoding.ASCII.GetBytes(head), out var request).ShouldBeTrue();
        request.Stays.ShouldBe(expected);
    }

    [Theory]
    [InlineData("\r\n\r\n")]
    [InlineData("GET\r\n\r\n")]
    [InlineData("GET /\r\n\r\n")]
    [InlineData("GET  HTTP/1.1\r\n\r\n")]
    [InlineData("GET / HTTP/2\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001\n\n")]
    public void TryParse_Other_IsNone(string head) => MetricsRequest.TryParse(Encoding.Latin1.GetBytes(head), out _).ShouldBeFalse();

    /// <summary>Whatever comes, it is read or refused.</summary>
    [Fact]
    public void TryParse_AnyBytes_NeverThrows()
    {
        var random = new Random(16);
        byte[] alphabet = "GET /metrics HTTP/1.1\r\n:;,q=0.5 Accept"u8.ToArray();
        for (int round = 0; round < 20_000; round++)
        {
            byte[] head = new byte[random.Next(1, 80)];
            for (int i = 0; i < head.Length; i++)
                head[i] = random.Next(4) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
            byte[] whole = [.. head, .. "\r\n\r\n"u8];
            if (MetricsRequest.TryParse(whole.AsSpan(0, MetricsRequest.EndOf(whole)), out var request))
                _ = (request.Form(), request.Stays, request.Token.Length);
        }
    }
}
