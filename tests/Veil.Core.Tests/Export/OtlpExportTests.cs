// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text;
using Veil.Core.Export;
using Veil.Core.Options;
using Veil.Core.Session;
using Veil.Core.Sinks;
using Veil.Core.Tests.Sources;
using Veil.Core.Waiting;

namespace Veil.Core.Tests.Export;

/// <summary>A whole trace whose events go to a receiver, be it a good one or not.</summary>
public sealed class OtlpExportTests : IDisposable
{
    private static readonly OutputOptions s_text = new(OutputFormat.Text, [], Enrichments.None, Colour: false);

    private readonly OtlpReceiver _receiver = new();
    private readonly List<string> _said = [];

    public void Dispose() => _receiver.Dispose();

    [Fact]
    public void Run_Events_AreLogRecords()
    {
        var summary = Run(new BytesSource().Calls("nginx", "a\u001bb").Loss("ring_full", 5));

        summary.LostTotal.ShouldBe(5ul);
        var records = _receiver.Records.Select(OtlpReceiver.Read).ToList();
        records.Count.ShouldBe(3);
        records[0]["process.executable.name"].ShouldBe("nginx");
        records[0]["process.pid"].ShouldBe("812");
        records[0]["veil.syscall"].ShouldBe("openat");
        records[0]["veil.module"].ShouldBe("syscall");
        records[0]["severity"].ShouldBe("9");
        records[0]["event"].ShouldBe("veil.syscall");
        records[0]["body"].ShouldStartWith("nginx PID=812 ");
        records[1]["process.executable.name"].ShouldBe("a\u001bb");
        records[1]["body"].ShouldStartWith(@"a\x1bb PID=812 ");
        records[2]["veil.cause"].ShouldBe("ring_full");
        records[2]["veil.count"].ShouldBe("5");
        _receiver.Requests.ShouldContain(static request => request.Head.StartsWith("POST /v1/metrics HTTP/1.1\r\n", StringComparison.Ordinal));
        _said.ShouldBe(["lost 5 events of syscall: ring_full"]);
    }

    [Fact]
    public void Run_ManyEvents_LosesNone()
    {
        string[] comms = [.. Enumerable.Range(0, 40_000).Select(static i => $"t{i}")];
        var summary = Run(new BytesSource().Calls(comms));

        summary.LostTotal.ShouldBe(0ul);
        _receiver.Records.Select(static record => OtlpReceiver.Read(record)["process.executable.name"]).ShouldBe(comms);
    }

    [Theory]
    [InlineData("429 Too Many Requests", "Retry-After: 0\r\n")]
    [InlineData("503 Service Unavailable", "")]
    [InlineData("502 Bad Gateway", "")]
    [InlineData("garbage", "")]
    [InlineData("nothing", "")]
    public void Run_ReceiverInTrouble_GetsAllInTheEnd(string trouble, string fields)
    {
        byte[] bad = trouble switch
        {
            "garbage" => [0, 0xff, .. "nonsense\r\n\r\n"u8],
            "nothing" => [],
            _ => OtlpReceiver.Status(trouble, fields),
        };
        _receiver.Answer = request => request < 2 ? bad : OtlpReceiver.Status("200 OK");
        var summary = Run(new BytesSource().Calls("a", "b"));

        summary.LostTotal.ShouldBe(0ul);
        var third = _receiver.Requests.Where(static request => request.Head.Contains("/v1/logs", StringComparison.Ordinal)).ElementAt(2);
        OtlpReceiver.RecordsOf(third.Body).Count().ShouldBe(2);
        _said.ShouldContain(static line => line.StartsWith("otlp: http://127.0.0.1:", StringComparison.Ordinal));
    }

    /// <summary>A receiver that always says "again, at once" is not asked as fast as it can answer, which is thousands of times a
    /// second.</summary>
    [Theory]
    [InlineData("0")]
    [InlineData("Mon, 01 Jan 2001 00:00:00 GMT")]
    public void Run_ReceiverThatWantsAllAgainAtOnce_IsAskedFourTimesASecond(string after)
    {
        const int shortestWaitMs = 250, requests = 4;
        _receiver.Answer = _ => OtlpReceiver.Status("429 Too Many Requests", $"Retry-After: {after}\r\n");
        var options = OtlpOptions.Parse("--otlp", $"http://127.0.0.1:{_receiver.Port}", static _ => null);
        var queue = new OtlpQueue(options.BufferBytes);
        queue.Add(new OtlpRequest([1], 1));
        using var sender = new OtlpSender(options, null, queue, Say);
        long beganMs = Environment.TickCount64;
        var thread = new Thread(() => sender.Run(60_000, static () => []));
        thread.Start();
        SpinWait.SpinUntil(() => _receiver.Requests.Count >= requests, TimeSpan.FromSeconds(20)).ShouldBeTrue();

        (Environment.TickCount64 - beganMs).ShouldBeGreaterThanOrEqualTo((requests - 1) * shortestWaitMs - 20);
        queue.End(0, static () => true);
        thread.Join();
    }

    /// <summary>An answer without a body ends with its head, though nothing says how long it is.</summary>
    [Fact]
    public void Run_ReceiverThatAnswersNoContent_HasTakenThem()
    {
        _receiver.Answer = _ => "HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray();
        var summary = Run(new BytesSource().Calls("a", "b"));

        summary.LostTotal.ShouldBe(0ul);
        _receiver.Records.Count.ShouldBe(2);
        _said.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("401 Unauthorized")]
    [InlineData("302 Found")]
    [InlineData("400 Bad Request")]
    public void Run_ReceiverThatRefuses_IsToldAndCounted(string status)
    {
        _receiver.Answer = _ => OtlpReceiver.Status(status, "Location: http://127.0.0.1:1/\r\n");
        var summary = Run(new BytesSource().Calls("a", "b"));

        summary.Lost.Select(static lost => $"{lost.Key} {lost.Value.Count}").ShouldBe(["otlp: refused 2"]);
        _said.ShouldHaveSingleItem().ShouldContain($"it answers {status[..3]}");
    }

    [Fact]
    public void Run_PartialSuccess_CountsWhatWasRejected()
    {
        byte[] partial = [0x0a, 8, 0x08, 1, 0x12, 4, .. "full"u8];
        _receiver.Answer = request => OtlpReceiver.Status("200 OK", body: request == 0 ? partial : []);
        var summary = Run(new BytesSource().Calls("a", "b"));

        summary.Lost.Select(static lost => $"{lost.Key} {lost.Value.Count}").ShouldBe(["otlp: refused 1"]);
        _said.ShouldHaveSingleItem().ShouldEndWith("it took a part alone, and not 1 records: full");
    }

    [Fact]
    public void Run_ReceiverAway_EndsAndCountsEveryEvent()
    {
        _receiver.Dispose();
        var since = Stopwatch.StartNew();
        var summary = Run(new BytesSource().Calls("a", "b"));

        since.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        summary.Lost.Select(static lost => $"{lost.Key} {lost.Value.Count}").ShouldBe(["otlp: not_sent 2"]);
        _said.ShouldHaveSingleItem().ShouldContain("connecting: Connection refused");
    }

    /// <summary>What does not fit is counted, and what fits arrives: nothing is in neither.</summary>
    [Fact]
    public void Run_BufferTooSmall_SentAndLostAreAll()
    {
        const int events = 100_000;
        _receiver.Answer = request => request < 4 ? OtlpReceiver.Status("503 Service Unavailable") : OtlpReceiver.Status("200 OK");
        var summary = Run(new BytesSource().Calls(Enumerable.Range(0, events).Select(static i => $"t{i * 7919 % 99991}")), 100_000);

        int taken = _receiver.Requests.Skip(4).Where(static request => request.Head.Contains("/v1/logs", StringComparison.Ordinal))
            .Sum(static request => OtlpReceiver.RecordsOf(request.Body).Count(static record => !OtlpReceiver.Read(record).ContainsKey("veil.cause")));
        summary.Lost.ShouldAllBe(static lost => lost.Key.Module == "otlp");
        summary.LostTotal.ShouldBeGreaterThan(0ul);
        (taken + (int)summary.LostTotal).ShouldBe(events);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1:4318", "http and https are spoken, not ftp")]
    [InlineData("grpc://127.0.0.1:4317", "not grpc; a Collector takes http on port 4318 too")]
    [InlineData("127.0.0.1:4318", "is no URL")]
    [InlineData("", "is no URL")]
    [InlineData("http://a:b@127.0.0.1:4318", "can see a password in a URL")]
    [InlineData("http://127.0.0.1:4318/?x=1", "nothing can follow the path")]
    public void Parse_UrlThatIsNone_IsAnError(string url, string expected) =>
        Should.Throw<UsageException>(() => OtlpOptions.Parse("--otlp", url, static _ => null)).Message.ShouldContain(expected);

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "x", "a part of it has no =")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "x=a%0d%0ay", "can be in no request")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "a=b,content-length=5", "'content-length' is set for each request by itself")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "'0' is no number of milliseconds")]
    [InlineData("OTEL_EXPORTER_OTLP_COMPRESSION", "br", "'br' is neither gzip nor none")]
    public void Parse_VariableThatIsWrong_IsAnError(string name, string value, string expected) =>
        Should.Throw<UsageException>(() => OtlpOptions.Parse("--otlp", "http://127.0.0.1:4318", asked => asked == name ? value : null)).Message
            .ShouldContain(expected);

    [Fact]
    public void Parse_CredentialsInTheOpen_AreRefused() =>
        Should.Throw<UsageException>(() => OtlpOptions.Parse("--otlp", "http://collector.example:4318", Secret)).Message
            .ShouldEndWith("OTEL_EXPORTER_OTLP_HEADERS would be readable on the way; use https");

    [Fact]
    public void Run_HeadersAndResource_AreThoseOfTheEnvironment()
    {
        Run(new BytesSource().Calls("a"), variable: static name => name switch
        {
            "OTEL_RESOURCE_ATTRIBUTES" => "deployment.environment=t%20est,host.name=other",
            "OTEL_EXPORTER_OTLP_COMPRESSION" => "none",
            _ => Secret(name),
        });

        var (head, body) = _receiver.Requests[0];
        head.ShouldContain("\r\nauthorization: Bearer x y\r\n");
        string text = Encoding.Latin1.GetString(body);
        text.ShouldContain("deployment.environment");
        text.ShouldContain("t est");
        text.ShouldContain("other");
    }

    private static string? Secret(string name) => name == "OTEL_EXPORTER_OTLP_HEADERS" ? "authorization=Bearer%20x%20y" : null;

    private SessionSummary Run(BytesSource source, int bufferBytes = OtlpOptions.DefaultBufferBytes, Func<string, string?>? variable = null)
    {
        using var stop = new StopSignal();
        var options = OtlpOptions.Parse("--otlp", $"http://127.0.0.1:{_receiver.Port}", variable ?? (static _ => null)) with { BufferBytes = bufferBytes };
        using var export = OtlpExport.Open(options, "1.2", Say);
        using var session =
            new TraceSession(
            source, [new(s_text, new MemoryOutput())], new SessionOptions { Modules = [], Output = s_text }, stop, Say, export: export);
        export.Start(session, TimeSpan.FromSeconds(60), stop);
        var summary = session.Run();
        export.Dispose();
        return summary;
    }

    private void Say(string line)
    {
        lock (_said)
            _said.Add(line);
    }
}
