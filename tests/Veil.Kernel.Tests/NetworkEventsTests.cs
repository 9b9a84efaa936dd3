// SPDX-License-Identifier: GPL-3.0-only
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>What the network module shows where it is asked for: packets, datagrams, DNS, what stays open.</summary>
public sealed class NetworkEventsTests
{
    public static TheoryData<string> Hooks => [.. Rungs.Exact("network")];

    private static readonly string[] s_sizes = [.. Enumerable.Range(10, 8).Select(static bytes => $"{bytes}")];

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Datagrams_ByEveryCall_AreEachALine(string hook)
    {
        using var workload = Workload.Waiting("peers", "datagrams");
        using var veil = Attach(workload, hook, "--protocol", "udp");
        workload.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();

        veil.Events.ShouldAllBe(static e => e.GetProperty("oldstate").ValueKind == JsonValueKind.Null);
        Bytes("SEND", "sender.port").ShouldBe(["10", "11", "14", "15", "16", "17"]);
        Bytes("SEND", "loose.port").ShouldBe(["12", "13"]);
        Bytes("RECEIVE", "receiver.port").ShouldBe(s_sizes);
        foreach (var e in veil.Events.Where(e => e.GetProperty("sport").GetInt64() == workload.Number("sender.port")))
        {
            e.GetProperty("dport").GetInt64().ShouldBe(workload.Number("receiver.port"));
            e.GetProperty("saddr").GetString().ShouldBe("127.0.0.1");
            e.GetProperty("daddr").GetString().ShouldBe("127.0.0.1");
            e.GetProperty("errno").GetString().ShouldBeNull();
        }

        // The receiver is not connected: where the call asked who sent it, it is known.
        veil.Events.Where(e => e.GetProperty("evt_type").ValueEquals("RECEIVE") && e.GetProperty("bytes").GetInt64() is 10 or 13)
            .Where(e => e.GetProperty("evt_type").ValueEquals("RECEIVE")).Select(static e => e.GetProperty("dport").GetInt64())
            .ShouldBe([workload.Number("sender.port"), workload.Number("loose.port")]);
        var refused = veil.Events.Where(e => e.GetProperty("dport").GetInt64() == workload.Number("closed.port")).ToList();
        refused.Select(static e => $"{e.GetProperty("evt_type")} {e.GetProperty("bytes")} {e.GetProperty("errno")}")
            .ShouldBe(["SEND 20 ", "RECEIVE 0 ECONNREFUSED"]);

        string[] Bytes(string evt, string port) =>
            [.. Of(veil, evt).Where(e => e.GetProperty("sport").GetInt64() == workload.Number(port))
                .Select(static e => e.GetProperty("bytes").ToString())];
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Dns_QuestionsAndAnswers_AreMatched(string hook)
    {
        using var workload = Workload.Waiting("peers", "dns");
        using var veil = Attach(workload, hook, "--event", "DNS");
        workload.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();

        veil.Events.ShouldAllBe(static e => e.GetProperty("dport").GetInt32() == 53 && e.GetProperty("daddr").GetString() == "127.9.9.9");
        veil.Events.Select(static e =>
            $"{e.GetProperty("query")} {e.GetProperty("query_type")} {e.GetProperty("answer")} {e.GetProperty("answers")}")
            .ShouldBe(
            [
                "www.veil.example A NOERROR 2", "nx.veil.example AAAA NXDOMAIN 0", "slow.veil.example MX NOERROR 2",
                "fail.veil.example TXT SERVFAIL 0", "both.veil.example A NOERROR 2", "both.veil.example AAAA NOERROR 2",
                "lost.veil.example HTTPS  ",
            ]);
        long slow = veil.Events[2].GetProperty("duration_ns").GetInt64();
        slow.ShouldBeGreaterThanOrEqualTo(workload.Number("delay_ms") * 1_000_000);
        slow.ShouldBeLessThan(veil.Events[^1].GetProperty("timestamp").GetInt64() - veil.Events[1].GetProperty("timestamp").GetInt64());
    }

    [Fact]
    public void Dns_Failed_LeavesOutWhatWasAnswered()
    {
        using var workload = Workload.Waiting("peers", "dns");
        using var veil = Attach(workload, Rungs.Best("network"), "--event", "DNS", "--failed");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Select(static e => e.GetProperty("query").GetString())
            .ShouldBe(["nx.veil.example", "fail.veil.example", "lost.veil.example"]);
    }

    [Theory]
    [InlineData("query", "both.veil.example", 2)]
    [InlineData("answer", "NOERROR", 4)]
    [InlineData("query_type", "A", 2)]
    public void Dns_CountedInTheKernel_IsCounted(string field, string key, int count)
    {
        using var workload = Workload.Waiting("peers", "dns");
        using var veil = Attach(workload, Rungs.Best("network"), "--event", "DNS", "--count-by", field);
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Single(e => e.TryGetProperty(field, out var has) && has.ValueEquals(key))
            .GetProperty("count").GetInt32().ShouldBe(count);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Retransmit_OfLostSegments_IsEachALine(string hook)
    {
        using var workload = Workload.Waiting("net", "lossy", "ipv4");
        string port = workload.ReadAhead("port");
        using var veil =
            VeilRun.Attach(
            "--module", "network", "--hook", hook, "--port", port, "--event", "RETRANSMIT,DROP,CLOSE", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.ShouldAllBe(static e => e.GetProperty("evt_type").GetString() != "CONNECT");
        var sent = Of(veil, "RETRANSMIT");
        // The kernel counts segments, and may send several of them again at once.
        sent.Length.ShouldBeInRange(1, (int)workload.Number("client.total_retrans"));
        sent.ShouldAllBe(e => e.GetProperty("pid").ToString() == workload.Pid && e.GetProperty("dport").ToString() == port
            && e.GetProperty("bytes").GetInt64() > 0);
        if (Environment.OSVersion.Version >= new Version(5, 18))
        {
            var dropped = Of(veil, "DROP").Where(static e => e.GetProperty("reason").ValueEquals("SOCKET_FILTER")).ToList();
            dropped.Count.ShouldBeGreaterThanOrEqualTo(2);
            dropped.ShouldAllBe(e => e.GetProperty("sport").ToString() == port && e.GetProperty("protocol").ValueEquals("TCP"));
        }
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Reset_ByEitherSide_SaysWhose(string hook)
    {
        using var workload = Workload.Waiting("net", "reset", "ipv4");
        string port = workload.ReadAhead("port"), server = workload.ReadAhead("server_pid");
        using var veil =
            VeilRun.Attach("--module", "network", "--hook", hook, "--port", port, "--event", "RESET", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Select(static e => $"{e.GetProperty("evt_type")} {e.GetProperty("reset_by")} {e.GetProperty("pid")}")
            .Order().ShouldBe(new[] { $"RESET local {workload.Pid}", $"RESET remote {server}" }.Order());
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Failed_OfARefusal_HasItsErrorAlone(string hook)
    {
        using var workload = Workload.Waiting("net", "refused", "ipv4");
        string port = workload.ReadAhead("port");
        string[] flags = ["--module", "network", "--hook", hook, "--port", port, "--output", "json"];
        using var failed = VeilRun.Attach([.. flags, "--failed"]);
        using var refused = VeilRun.Attach([.. flags, "--errno", "ECONNREFUSED"]);
        using var others = VeilRun.Attach([.. flags, "--errno", "!ECONNREFUSED"]);
        workload.Go();

        foreach (var veil in new[] { failed, refused, others })
            veil.Stop().ShouldBe(0);
        string Only(VeilRun veil) => veil.Events.ShouldHaveSingleItem().GetProperty("evt_type").GetString()!;
        Only(failed).ShouldBe("FAILED");
        Only(refused).ShouldBe("FAILED");
        Only(others).ShouldBe("CONNECT");
    }

    [Theory]
    [InlineData("CLOSE,FAILED", "CLOSE", 3)]
    [InlineData("!CLOSING,!ACCEPT", "CLOSE CONNECT ESTABLISHED LISTEN", 7)]
    public void Event_Filter_AllowsAndDenies(string events, string kinds, int count)
    {
        using var workload = Workload.Waiting("net", "client-closes", "ipv4");
        using var veil = VeilRun.Attach("--module", "network", "--port", workload.ReadAhead("port"), "--event", events, "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        string.Join(' ', veil.Events.Select(static e => e.GetProperty("evt_type").GetString()).Distinct().Order()).ShouldBe(kinds);
        veil.Events.Length.ShouldBe(count);
    }

    [Fact]
    public void Netns_Filter_KnowsItsForms()
    {
        using var workload = Workload.Waiting("net", "refused", "ipv4");
        string port = workload.ReadAhead("port"), inode = new FileInfo("/proc/self/ns/net").LinkTarget![5..^1];
        string[] allowed = ["self", "pid:" + workload.Pid, inode, "/proc/self/ns/net"];
        var runs = allowed.Append("!self").Append("4294900000").Select(netns =>
            VeilRun.Attach("--module", "network", "--port", port, "--netns", netns, "--output", "json")).ToList();
        workload.Go();

        foreach (var (at, veil) in runs.Index())
        {
            veil.Stop().ShouldBe(0);
            veil.Events.Length.ShouldBe(at < allowed.Length ? 2 : 0, $"{at}");
            veil.Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Lifetimes_OfAConnection_AreOneLineAnEnd(string hook)
    {
        using var workload = Workload.Waiting("net", "client-closes", "ipv4");
        using var veil =
            VeilRun.Attach("--module", "network", "--hook", hook, "--port", workload.ReadAhead("port"), "--lifetimes", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.Length.ShouldBe(2);
        veil.Events.ShouldAllBe(static e => e.GetProperty("evt_type").ValueEquals("CLOSE") && e.GetProperty("duration_ns").GetInt64() > 0);
        veil.Events.Select(static e => e.GetProperty("tx_bytes").GetInt64()).Order()
            .ShouldBe(new[] { workload.Number("client.sent"), workload.Number("server.sent") }.Order());
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Open_AtTheEndOfTheTrace_IsWhatStays(string hook)
    {
        using var workload = Workload.Waiting("peers", "open");
        using var veil = Attach(workload, hook, "--lifetimes");
        workload.Begin().ReadAhead("ready");
        // As ss and /proc/net/tcp have them.
        veil.Stop().ShouldBe(0);

        var events = veil.Events;
        events.ShouldAllBe(e => e.GetProperty("evt_type").ValueEquals("OPEN") && e.GetProperty("pid").ToString() == workload.Pid);
        // Both ends of four connections, of which two ends have no descriptor yet.
        events.Length.ShouldBe(8);
        State("old.port", isClient: true).ShouldBe("ESTABLISHED");
        State("old.port", isClient: false).ShouldBe("ESTABLISHED");
        State("half.port", isClient: true).ShouldBe("FIN_WAIT2");
        State("half.port", isClient: false).ShouldBe("CLOSE_WAIT");
        State("waited.port", isClient: false).ShouldBe("ESTABLISHED");
        State("waiting.port", isClient: false).ShouldBe("ESTABLISHED");
        End("old.port", isClient: true).GetProperty("duration_ns").ValueKind.ShouldBe(JsonValueKind.Null);
        End("half.port", isClient: true).GetProperty("tx_bytes").GetInt64().ShouldBe(70);
        End("half.port", isClient: false).GetProperty("rx_bytes").GetInt64().ShouldBe(70);
        End("half.port", isClient: false).GetProperty("duration_ns").GetInt64().ShouldBeGreaterThan(0);

        JsonElement End(string port, bool isClient) =>
            events.Single(e => e.GetProperty(isClient ? "sport" : "dport").GetInt64() == workload.Number(port));
        string State(string port, bool isClient) => End(port, isClient).GetProperty("newstate").GetString()!;
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Overflow_OfAFullQueue_NamesTheListener(string hook)
    {
        using var workload = Workload.Waiting("peers", "overflow");
        using var veil = Attach(workload, hook, "--event", "OVERFLOW");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Events.ShouldNotBeEmpty();
        veil.Events.ShouldAllBe(e => e.GetProperty("evt_type").ValueEquals("OVERFLOW") && e.GetProperty("pid").ToString() == workload.Pid
            && e.GetProperty("sport").GetInt64() == workload.Number("port") && e.GetProperty("queue_max").GetInt32() == 0);
        veil.Events.Sum(static e => e.GetProperty("dropped").GetInt32()).ShouldBeGreaterThan(0);
    }

    /// <summary>All that was moved before the last look, in both directions, also of a connection that was there before.</summary>
    [Theory]
    [MemberData(nameof(Hooks))]
    public void Traffic_OfConnections_IsWhatTheyMoved(string hook)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var (before, beforeServer) = Connect(listener);
        Move(before, beforeServer, 50_000);
        string port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString();
        using var veil = VeilRun.Attach(
            "--module", "network", "--hook", hook, "--event", "TRAFFIC", "--port", port, "--count-by", "sport,dport", "--sum", "bytes", "-o", "json");
        Thread.Sleep(600); // The first look at what was there.
        var (client, server) = Connect(listener);
        for (int i = 0; i < 10; i++)
        {
            Move(client, server, 30_000);
            Move(before, beforeServer, 1_000);
            Thread.Sleep(60);
        }

        veil.Stop().ShouldBe(0);
        string clientPort = ((IPEndPoint)client.Client.LocalEndPoint!).Port.ToString(), beforePort = ((IPEndPoint)before.Client.LocalEndPoint!).Port.ToString();
        Moved("sport", clientPort).ShouldBe(300_000);
        Moved("dport", clientPort).ShouldBe(300_000);
        Moved("sport", beforePort).ShouldBe(10_000);
        foreach (var end in new[] { client, server, before, beforeServer })
            end.Dispose();

        long Moved(string side, string number) => veil.Events
            .Single(row => row.TryGetProperty("sum", out _) && row.GetProperty(side).ToString() == number).GetProperty("sum").GetInt64();
    }

    private static (TcpClient Client, TcpClient Server) Connect(TcpListener listener)
    {
        var client = new TcpClient();
        client.Connect((IPEndPoint)listener.LocalEndpoint);
        return (client, listener.AcceptTcpClient());
    }

    private static void Move(TcpClient from, TcpClient to, int bytes)
    {
        from.GetStream().Write(new byte[bytes]);
        to.GetStream().ReadExactly(new byte[bytes]);
    }

    [KernelFact(5, 18, "no reasons")]
    public void Drop_OfADatagramForNobody_HasItsReason()
    {
        using var receiver = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)receiver.Client.LocalEndPoint!).Port;
        receiver.Dispose();
        using var veil =
            VeilRun.Attach("--module", "network", "--protocol", "udp", "--event", "DROP", "--port", port.ToString(), "--output", "json");
        using var sender = new UdpClient();
        sender.Send(new byte[33], 33, new IPEndPoint(IPAddress.Loopback, port));
        veil.Stop().ShouldBe(0);

        var dropped = veil.Events.Single(static e => e.GetProperty("reason").ValueEquals("NO_SOCKET"));
        dropped.GetProperty("bytes").GetInt32().ShouldBe(33);
        dropped.GetProperty("protocol").GetString().ShouldBe("UDP");
        dropped.GetProperty("sport").GetInt32().ShouldBe(port);
        dropped.GetProperty("uid").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    /// <summary>The oracle is the socket's own count of drops.</summary>
    [KernelTheory(6, 11, "no socket")]
    [InlineData(true)]
    [InlineData(false)]
    public void Drop_OfAFullSocket_IsItsUsers(bool isOlder)
    {
        var older = isOlder ? new UdpClient(new IPEndPoint(IPAddress.Loopback, 0)) : null;
        using var veil = VeilRun.Attach(
            "--module", "network", "--event", "DROP", "--protocol", "udp", "-p", $"{Environment.ProcessId}", "--enrich", "parent", "--output", "json");
        using var sender = new UdpClient();
        using var receiver = older ?? new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        receiver.Client.ReceiveBufferSize = 1;
        var to = (IPEndPoint)receiver.Client.LocalEndPoint!;
        for (int sent = 0; sent < 50; sent++)
            sender.Send(new byte[1_000], 1_000, to);
        long drops = File.ReadLines("/proc/net/udp").Where(line => line.Contains($":{to.Port:X4} ", StringComparison.Ordinal))
            .Sum(static line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1]));
        veil.Stop().ShouldBe(0);

        drops.ShouldBeGreaterThan(0);
        var own = veil.Events.Where(e => e.GetProperty("sport").GetInt32() == to.Port).ToList();
        own.Count.ShouldBe((int)drops);
        own.ShouldAllBe(static e => e.GetProperty("pid").GetInt32() == Environment.ProcessId && e.GetProperty("socket_id").ValueKind == JsonValueKind.Number
            && e.GetProperty("ppid").ValueKind == JsonValueKind.Number && e.GetProperty("reason").ValueEquals("SOCKET_RCVBUFF"));
    }

    private static JsonElement[] Of(VeilRun veil, string evt) => [.. veil.Events.Where(e => e.GetProperty("evt_type").ValueEquals(evt))];

    private static VeilRun Attach(Workload workload, string hook, params string[] flags) =>
        VeilRun.Attach(["--module", "network", "--hook", hook, "-p", workload.Pid, "--output", "json", .. flags]);
}
