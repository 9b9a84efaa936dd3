// SPDX-License-Identifier: GPL-3.0-only
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Veil.Core.Export;
using Veil.Core.Options;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Tests.Sources;
using Veil.Core.Waiting;

namespace Veil.Core.Tests.Export;

/// <summary>The server of metrics over real sockets, for good clients and bad ones.</summary>
[SupportedOSPlatform("linux")]
public sealed class MetricsServerTests : IDisposable
{
    private readonly StopSignal _stop = new();
    private readonly TraceSession _session;
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-metrics-").FullName;
    private readonly HttpClient _client = new();
    private MetricsServer? _server;

    public MetricsServerTests()
    {
        var shown = new OutputOptions(OutputFormat.Text, [], Enrichments.None, Colour: false);
        var source = new BytesSource(isLive: true).Calls("a", "b").Loss("ring_full", 5);
        _session =
            new TraceSession(
            source, [new(shown, new MemoryOutput())], new SessionOptions { Modules = [], Output = shown, Duration = TimeSpan.Zero }, _stop,
            static _ => { });
        _session.Run();
    }

    public void Dispose()
    {
        _client.Dispose();
        _server?.Dispose();
        _session.Dispose();
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Get_Metrics_TellsOfTheTrace()
    {
        string text = await _client.GetStringAsync(Start());

        text.ShouldContain("\nveil_events_delivered_total{module=\"syscall\"} 2\n");
        text.ShouldContain("\nveil_events_lost_total{module=\"syscall\",cause=\"ring_full\"} 5\n");
        text.ShouldContain("\nveil_build_info{version=\"1.2\"} 1\n");
        text.ShouldContain("\nveil_paused 0\n");
    }

    [Fact]
    public async Task Get_OpenMetrics_EndsInItsMark()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Start());
        request.Headers.Accept.ParseAdd("application/openmetrics-text; version=1.0.0");
        using var answer = await _client.SendAsync(request);

        answer.Content.Headers.ContentType!.ToString().ShouldBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
        string text = await answer.Content.ReadAsStringAsync();
        text.ShouldContain("# TYPE veil_events_lost counter\n");
        text.ShouldEndWith("# EOF\n");
    }

    [Theory]
    [InlineData("GET", "/", HttpStatusCode.OK)]
    [InlineData("GET", "/none", HttpStatusCode.NotFound)]
    [InlineData("POST", "/metrics", HttpStatusCode.MethodNotAllowed)]
    [InlineData("HEAD", "/metrics", HttpStatusCode.OK)]
    public async Task Request_Other_IsAnswered(string method, string path, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(new Uri(Start()), path));
        using var answer = await _client.SendAsync(request);

        answer.StatusCode.ShouldBe(expected);
    }

    [Fact]
    public async Task Get_WithToken_IsForThoseWhoKnowIt()
    {
        string file = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(file, "s3cret\n");
        string url = Start(BearerToken.Read("--t", file, static _ => { }));

        (await _client.GetAsync(url)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "wrong");
        (await _client.GetAsync(url)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "s3cret");
        (await _client.GetAsync(url)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void Request_WithoutAnEnd_IsRefused()
    {
        using var socket = Connect(Start());
        socket.Send(Encoding.ASCII.GetBytes("GET /metrics HTTP/1.1\r\nX: " + new string('x', 20_000)));

        Receive(socket).ShouldStartWith("HTTP/1.1 431 ");
    }

    [Fact]
    public void Requests_InOnePiece_AreAnsweredInTheirOrder()
    {
        using var socket = Connect(Start());
        socket.Send("HEAD /none HTTP/1.1\r\n\r\nHEAD / HTTP/1.1\r\n\r\nHEAD / HTTP/1.0\r\n\r\n"u8);

        Receive(socket).Split("\r\n").Where(static line => line.StartsWith("HTTP/", StringComparison.Ordinal))
            .ShouldBe(["HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK"]);
    }

    /// <summary>A thousand who say nothing, half a word, or take nothing, keep nobody out and hold up no end.</summary>
    [Fact]
    public async Task Get_BesideAThousandBadClients_IsAnswered()
    {
        string url = Start();
        var bad = new List<Socket>();
        for (int i = 0; i < 1_000; i++)
        {
            bad.Add(Connect(url));
            if (i % 3 == 1)
                bad[i].Send("GET /met"u8);
            else if (i % 3 == 2)
                bad[i].Send("GET /metrics HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"u8);
        }

        (await _client.GetStringAsync(url)).ShouldContain("veil_paused 0");
        _server!.Dispose();
        bad.ForEach(static socket => socket.Dispose());
    }

    /// <summary>An answer that is still going out is not written over by the next one.</summary>
    [Fact]
    public async Task Get_BesideASlowClient_LeavesItsAnswerAlone()
    {
        var shown = new OutputOptions(OutputFormat.Text, [], Enrichments.None, Colour: false);
        var source = new BytesSource(isLive: true);
        for (int i = 0; i < 60_000; i++)
            source.Loss($"{i}-{new string('x', 100)}", 1);
        using var session =
            new TraceSession(
            source, [new(shown, new MemoryOutput())], new SessionOptions { Modules = [], Output = shown, Duration = TimeSpan.Zero }, _stop,
            static _ => { });
        session.Run();
        _server = MetricsServer.Open(new IPEndPoint(IPAddress.Loopback, 0), null);
        _server.Start(session, "1.2", _stop);
        using var slow = Connect(_server.Url);
        slow.Send("GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n"u8);
        slow.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead).ShouldBeTrue();
        // For so long another one would get the same answer.
        await Task.Delay(500);
        string next = await _client.GetStringAsync(_server.Url);
        string first = Receive(slow);

        first.Length.ShouldBeGreaterThan(8_000_000);
        first.ShouldContain("veil_paused 0\n");
        Cpu(first).ShouldBeLessThan(Cpu(next));

        static double Cpu(string text) =>
            double.Parse(text.Split("\nveil_cpu_seconds_total ")[1].Split('\n')[0]);
    }

    [Fact]
    public void Open_PortThatIsTaken_IsAnError()
    {
        var place = new Uri(Start());

        Should.Throw<VeilException>(() => MetricsServer.Open(new IPEndPoint(IPAddress.Loopback, place.Port), null)).Message
            .ShouldBe($"--metrics: listening on 127.0.0.1:{place.Port}: Address already in use");
    }

    private string Start(BearerToken? token = null)
    {
        _server = MetricsServer.Open(new IPEndPoint(IPAddress.Loopback, 0), token);
        _server.Start(_session, "1.2", _stop);
        return _server.Url;
    }

    private static Socket Connect(string url)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        socket.Connect(IPAddress.Loopback, new Uri(url).Port);
        return socket;
    }

    private static string Receive(Socket socket)
    {
        var text = new StringBuilder();
        byte[] room = new byte[4096];
        try
        {
            while (socket.Receive(room) is > 0 and var count)
                text.Append(Encoding.ASCII.GetString(room, 0, count));
        }
        catch (SocketException) when (text.Length > 0)
        {
            // Closed with our bytes unread: the kernel resets then.
        }

        return text.ToString();
    }
}
