using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The network module against what both ends of a connection know of it.</summary>
public sealed class NetworkTests
{
    private static readonly string[] s_active = ["CONNECT CLOSE SYN_SENT", "ESTABLISHED SYN_SENT ESTABLISHED"];
    private static readonly string[] s_passive = ["ESTABLISHED SYN_RECV ESTABLISHED", "ACCEPT ESTABLISHED ESTABLISHED"];
    private static readonly string[] s_closesFirst = ["CLOSE ESTABLISHED FIN_WAIT1", "CLOSE FIN_WAIT1 FIN_WAIT2", "CLOSE FIN_WAIT2 CLOSE"];
    private static readonly string[] s_closesSecond = ["CLOSE ESTABLISHED CLOSE_WAIT", "CLOSE CLOSE_WAIT LAST_ACK", "CLOSE LAST_ACK CLOSE"];
    private static readonly string[] s_reset = ["CLOSE ESTABLISHED CLOSE"];
    private static readonly string[] s_fails = ["CONNECT CLOSE SYN_SENT", "FAILED SYN_SENT CLOSE"];

    public static TheoryData<string> Hooks => [.. Rungs.Exact("network")];

    public static TheoryData<string, string> HooksAndFamilies
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string hook in Rungs.Exact("network"))
            {
                foreach (string family in new[] { "ipv4", "ipv6", "mapped" })
                    data.Add(hook, family);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(HooksAndFamilies))]
    public void Connection_ClientCloses_BothEndsTellAllOfIt(string hook, string family)
    {
        using var trace = new Trace(hook, "client-closes", family);

        trace.Of("pid", "client").ShouldBe([.. s_active, .. s_closesFirst]);
        trace.Of("server_pid", "server").ShouldBe([.. s_passive, .. s_closesSecond]);
        trace.Listener.ShouldBe(["LISTEN CLOSE LISTEN", "CLOSE LISTEN CLOSE"]);
        trace.Events.Length.ShouldBe(12);
        trace.CheckFigures("client", "server");
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Connection_ServerCloses_BothEndsTellAllOfIt(string hook)
    {
        using var trace = new Trace(hook, "server-closes", "ipv4");

        trace.Of("pid", "client").ShouldBe([.. s_active, .. s_closesSecond]);
        trace.Of("server_pid", "server").ShouldBe([.. s_passive, .. s_closesFirst]);
        trace.Events.Length.ShouldBe(12);
        trace.CheckFigures("client", "server");
    }

    [Theory]
    [MemberData(nameof(HooksAndFamilies))]
    public void Connection_Addresses_AreThoseOfItsEnds(string hook, string family)
    {
        using var trace = new Trace(hook, "client-closes", family);
        string address = family switch { "ipv4" => "127.0.0.1", "ipv6" => "::1", _ => "::ffff:127.0.0.1" };
        long port = trace.Workload.Number("port"), clientPort = trace.Workload.Number("client.port");

        trace.Events.ShouldAllBe(e => e.GetProperty("family").GetString() == (family == "ipv4" ? "IPv4" : "IPv6"));
        var connected = trace.Events.Where(static e => e.GetProperty("dport").GetInt32() != 0).ToArray();
        connected.Length.ShouldBe(10);
        foreach (var e in connected)
        {
            e.GetProperty("saddr").GetString().ShouldBe(address);
            e.GetProperty("daddr").GetString().ShouldBe(address);
            bool isClient = e.GetProperty("pid").GetInt64() == trace.Workload.Number("pid");
            // Only a hook behind the choice of a port knows it at CONNECT.
            bool chosen = e.GetProperty("evt_type").GetString() != "CONNECT" || hook is "fentry" or "kprobe";
            (e.GetProperty("sport").GetInt64(), e.GetProperty("dport").GetInt64()).ShouldBe(isClient ? (chosen ? clientPort : 0, port) : (port, clientPort));
        }

        foreach (var e in trace.Events.Where(static e => e.GetProperty("dport").GetInt32() == 0))
            e.GetProperty("sport").GetInt64().ShouldBe(port);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Connection_Reset_ClosesAtOnceWithTheLastFigures(string hook)
    {
        using var trace = new Trace(hook, "reset", "ipv4");

        trace.Of("pid", "client").ShouldBe([.. s_active, .. s_reset]);
        trace.Of("server_pid", "server").ShouldBe([.. s_passive, .. s_reset]);
        trace.CheckFigures("client", "server");
        trace.Closed("client").GetProperty("srtt_us").GetInt64().ShouldBe(trace.Workload.Number("client.rtt"));
        trace.Closed("server").GetProperty("srtt_us").GetInt64().ShouldBe(trace.Workload.Number("server.rtt"));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Connection_LostSegments_AreCountedAsRetransmits(string hook)
    {
        using var trace = new Trace(hook, "lossy", "ipv4");

        trace.CheckFigures("client", "server");
        trace.Workload.Number("client.total_retrans").ShouldBeGreaterThanOrEqualTo(2);
        trace.Closed("client").GetProperty("srtt_us").GetInt64().ShouldBe(trace.Workload.Number("client.rtt"));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Connect_Refused_Failed(string hook)
    {
        using var trace = new Trace(hook, "refused", "ipv4");

        trace.All("pid").ShouldBe(s_fails);
        trace.Events.Length.ShouldBe(2);
    }

    [Theory]
    [InlineData("timed-out")]
    [InlineData("abandoned")]
    public void Connect_NoAnswer_Failed(string name)
    {
        using var trace = new Trace(Rungs.Best("network"), name, "ipv4");

        // The first connection fills the queue; it is reset when its listener goes without having accepted it.
        trace.All("pid").ShouldBe([.. s_active, .. s_fails, .. s_reset]);
        trace.All("server_pid").ShouldBe(["LISTEN CLOSE LISTEN", s_passive[0], "CLOSE LISTEN CLOSE", .. s_reset]);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Socket_PassedToAnotherProcess_IsThatOnesWhenItCloses(string hook)
    {
        using var trace = new Trace(hook, "passed", "ipv4");

        trace.Of("server_pid", "server").ShouldBe(s_passive);
        trace.Of("third_pid", "server").ShouldBe(s_closesFirst);
        trace.Of("pid", "client").ShouldBe([.. s_active, .. s_closesSecond]);
        trace.CheckFigures("client", "server");
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Connection_FromBeforeTheTrace_HasItsFiguresAndNoDuration(string hook)
    {
        using var trace = new Trace(hook, "before", "ipv4");

        trace.Of("pid", "client").ShouldBe(s_closesFirst);
        trace.Of("server_pid", "server").ShouldBe(s_closesSecond);
        trace.Listener.ShouldBe(["CLOSE LISTEN CLOSE"]);
        foreach (string end in new[] { "client", "server" })
        {
            trace.Closed(end).GetProperty("duration_ns").ValueKind.ShouldBe(JsonValueKind.Null);
            trace.CheckBytes(end);
        }
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Listener_FromBeforeTheTrace_OwnsWhatArrives(string hook)
    {
        using var trace = new Trace(hook, "listening", "ipv4");

        trace.Of("pid", "client").ShouldBe([.. s_active, .. s_closesFirst]);
        var server = trace.Of("server_pid", "server");
        server[0].ShouldBe(s_passive[0]);
        server.Where(static change => !change.StartsWith("ACCEPT ", StringComparison.Ordinal)).ShouldBe([s_passive[0], .. s_closesSecond]);
        server.Count(static change => change.StartsWith("ACCEPT ", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Connections_ThousandsOfThem_EachIsComplete(string hook)
    {
        using var trace = new Trace(hook, "cycles", "ipv4", "5000");

        int Count(string who, string change) => trace.All(who).Count(seen => seen == change);
        foreach (string change in (string[])[.. s_active, .. s_closesFirst])
            trace.Veil.ShouldAccountFor(Count("pid", change), 5000, change);
        foreach (string change in (string[])[s_passive[0], .. s_closesSecond])
            trace.Veil.ShouldAccountFor(Count("server_pid", change), 5000, change);
        trace.Veil.ShouldAccountFor(trace.All("server_pid").Count(static seen => seen.StartsWith("ACCEPT ", StringComparison.Ordinal)), 5000, "ACCEPT");
        trace.Veil.ShouldAccountFor(trace.Events.Length, 10 * 5000 + 2);
    }

    [Fact]
    public void Port_Filter_KnowsEitherEnd()
    {
        using var workload = Workload.Waiting("net", "client-closes", "ipv4");
        string port = workload.ReadAhead("port");
        using var allowed = VeilRun.Attach("--module", "network", "--port", port, "--output", "json");
        using var denied = VeilRun.Attach("--module", "network", "-p", workload.Pid, workload.ReadAhead("server_pid"), "--port", "!" + port, "--output", "json");
        using var both = VeilRun.Attach("--module", "network", "--port", port, "--port", "!" + port, "--output", "json");
        using var other = VeilRun.Attach("--module", "network", "-p", workload.Pid, workload.ReadAhead("server_pid"), "--port", "9,10", "--output", "json");
        workload.Go();

        foreach (var veil in new[] { allowed, denied, both, other })
            veil.Stop().ShouldBe(0);
        allowed.Events.Length.ShouldBe(12);
        denied.Events.ShouldBeEmpty();
        both.Events.ShouldBeEmpty();
        other.Events.ShouldBeEmpty();
    }

    [Fact]
    public void Pid_Filter_LeavesTheOtherEndOut()
    {
        using var workload = Workload.Waiting("net", "client-closes", "ipv4");
        using var veil = VeilRun.Attach("--module", "network", "-p", workload.ReadAhead("server_pid"), "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.ShouldAllBe(e => e.GetProperty("pid").GetInt64() == workload.Number("server_pid"));
        veil.Events.Length.ShouldBe(7);
    }

    [Theory]
    [InlineData("70000", "--port: '70000' is out of range (a port from 1 to 65535)")]
    [InlineData("0", "--port: '0' is out of range (a port from 1 to 65535)")]
    [InlineData("http", "--port: 'http' is not a port from 1 to 65535")]
    public void Port_Wrong_IsAUsageError(string value, string message)
    {
        using var veil = VeilRun.ToEnd("--module", "network", "--port", value);

        veil.ExitCode.ShouldBe(2);
        veil.Errors.TrimEnd().ShouldBe("veil: " + message);
    }

    [Fact]
    public void Text_OfAConnection_HasColumns()
    {
        using var workload = Workload.Waiting("net", "reset", "ipv4");
        using var veil = VeilRun.Attach("--module", "network", "-p", workload.Pid);
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines[^1].ShouldMatch(
            @"^net +PID=\d+ +TID=\d+ +UID=0 +evt_type=CLOSE +family=IPv4 +saddr=127\.0\.0\.1 +sport=\d+ +daddr=127\.0\.0\.1 +dport=\d+ +oldstate=ESTABLISHED +newstate=CLOSE +duration=\d+(\.\d{3})?[num]?s +rx_bytes=1234 +tx_bytes=70000 +retransmits=\d+ +srtt_us=\d+$");
    }

    /// <summary>One run of the workload under veil.</summary>
    private sealed class Trace : IDisposable
    {
        public Trace(string hook, params string[] arguments)
        {
            Workload = Workload.Waiting("net", arguments);
            Workload.ReadAhead("announced");
            Veil = VeilRun.Attach("--module", "network", "--hook", hook, "--output", "json", "-p", Workload.Pid, Workload["server_pid"], Workload.Said("third_pid") ? Workload["third_pid"] : Workload.Pid);
            Workload.Go();
            Veil.Stop().ShouldBe(0);
            Veil.ShouldHaveLostNothing();
            Events = Veil.Events;
        }

        public VeilRun Veil { get; }

        public Workload Workload { get; }

        public JsonElement[] Events { get; }

        /// <summary>What the listening socket did.</summary>
        public string[] Listener => [.. Events.Where(static e => e.GetProperty("dport").GetInt32() == 0).Select(Change)];

        /// <summary>What a process did, in order.</summary>
        public string[] All(string who) => [.. Events.Where(e => Is(e, who)).Select(Change)];

        /// <summary>What a process did at one end of the connection, in order.</summary>
        public string[] Of(string who, string end) =>
            [.. Events.Where(e => Is(e, who) && IsAt(e, end)).Select(Change)];

        /// <summary>The event with the figures.</summary>
        public JsonElement Closed(string end) => Events.Single(e => IsAt(e, end) && e.TryGetProperty("duration_ns", out _));

        public void CheckFigures(params string[] ends)
        {
            foreach (string end in ends)
            {
                CheckBytes(end);
                long duration = Closed(end).GetProperty("duration_ns").GetInt64();
                duration.ShouldBeGreaterThan(0);
                // Both ends are established within the call that connects, which takes far less.
                const long callNs = 500_000_000;
                duration.ShouldBeGreaterThanOrEqualTo(Workload.Number(end + ".closing_after_ns"));
                duration.ShouldBeLessThan(Workload.Number(end + ".closing_after_ns") + callNs);
                Closed(end).GetProperty("srtt_us").GetInt64().ShouldBeGreaterThan(0);
            }
        }

        public void CheckBytes(string end)
        {
            var closed = Closed(end);
            closed.GetProperty("tx_bytes").GetInt64().ShouldBe(Workload.Number(end + ".sent"));
            closed.GetProperty("rx_bytes").GetInt64().ShouldBe(Workload.Number(end + ".received"));
            closed.GetProperty("retransmits").GetInt64().ShouldBe(Workload.Number(end + ".total_retrans"));
            // TCP_INFO counts the SYN of the end that connected as a byte that was acknowledged; at that time no FIN was.
            Workload.Number(end + ".bytes_acked").ShouldBe(Workload.Number(end + ".sent") + (end == "client" ? 1 : 0));
        }

        public void Dispose()
        {
            Veil.Dispose();
            Workload.Dispose();
        }

        private bool Is(JsonElement e, string who) => e.GetProperty("pid").GetInt64() == Workload.Number(who);

        private bool IsAt(JsonElement e, string end)
        {
            long port = Workload.Number("port");
            return end == "client" ? e.GetProperty("dport").GetInt64() == port : e.GetProperty("sport").GetInt64() == port && e.GetProperty("dport").GetInt64() != 0;
        }

        private static string Change(JsonElement e) =>
            $"{e.GetProperty("evt_type").GetString()} {e.GetProperty("oldstate").GetString()} {e.GetProperty("newstate").GetString()}";
    }
}
