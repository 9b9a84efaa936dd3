// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The network module against what both ends of a connection know of it.</summary>
public sealed class NetworkTests
{
    private static readonly string[] s_active = ["CONNECT CLOSE SYN_SENT", "ESTABLISHED SYN_SENT ESTABLISHED"];
    private static readonly string[] s_passive = ["ESTABLISHED SYN_RECV ESTABLISHED", "ACCEPT ESTABLISHED ESTABLISHED"];
    private static readonly string[] s_closesFirst =
        ["CLOSING ESTABLISHED FIN_WAIT1", "CLOSING FIN_WAIT1 FIN_WAIT2", "CLOSE FIN_WAIT2 CLOSE"];
    private static readonly string[] s_closesSecond =
        ["CLOSING ESTABLISHED CLOSE_WAIT", "CLOSING CLOSE_WAIT LAST_ACK", "CLOSE LAST_ACK CLOSE"];
    private static readonly string[] s_reset = ["CLOSE ESTABLISHED CLOSE"];
    private static readonly string[] s_fails = ["CONNECT CLOSE SYN_SENT", "FAILED SYN_SENT CLOSE"];

    public static TheoryData<string> Hooks => [.. Rungs.Exact("network")];

    /// <summary>Those that see an accept() where the system call ends.</summary>
    public static TheoryData<string> HooksOfSystemCalls => [.. Rungs.Exact("network").Where(static hook => hook is "tp_btf" or "raw_tp")];

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
            (Number(e, "sport"), Number(e, "dport")).ShouldBe(isClient ? (chosen ? clientPort : null, port) : (port, clientPort));
        }

        foreach (var e in trace.Events.Where(static e => e.GetProperty("dport").GetInt32() == 0))
            Number(e, "sport").ShouldBe(port);
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
        End(trace.Closed("client")).ShouldBe(("ECONNRESET", 104, "local"));
        End(trace.Closed("server")).ShouldBe(("ECONNRESET", 104, "remote"));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Connection_ClosedInTurn_HasNoErrorAndNoReset(string hook)
    {
        using var trace = new Trace(hook, "client-closes", "ipv4");

        End(trace.Closed("client")).ShouldBe((null, 0, null));
        End(trace.Closed("server")).ShouldBe((null, 0, null));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Socket_Id_JoinsItsLines(string hook)
    {
        using var trace = new Trace(hook, "client-closes", "ipv4");
        long port = trace.Workload.Number("port");

        var ids =
            trace.Events.GroupBy(e => (Client: e.GetProperty("dport").GetInt64() == port, Listens: e.GetProperty("dport").GetInt64() == 0))
            .ToDictionary(
                static end => end.Key, static end => end.Select(static e => e.GetProperty("socket_id").GetUInt64()).Distinct().ToArray());
        ids.Count.ShouldBe(3);
        ids.Values.ShouldAllBe(static end => end.Length == 1 && end[0] > 0 && end[0] < 1UL << 53);
        ids.Values.Select(static end => end[0]).Distinct().Count().ShouldBe(3);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Socket_Id_IsTheCookieWhereTheKernelCanBeAsked(string hook)
    {
        using var trace = new Trace(hook, "client-closes", "ipv4");

        foreach (string end in new[] { "client", "server" })
        {
            long id = trace.Closed(end).GetProperty("socket_id").GetInt64();
            // Somebody else may have had the kernel make one already.
            bool isOwn = id >= 1L << 52 && (hook is "raw_tp" or "tracepoint" || Environment.OSVersion.Version < new Version(5, 12));
            if (!isOwn)
                id.ShouldBe(trace.Workload.Number(end + ".cookie"));
        }
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Socket_Netns_IsItsInode(string hook)
    {
        using var trace = new Trace(hook, "refused", "ipv4");
        string own = new FileInfo("/proc/self/ns/net").LinkTarget!;

        trace.Events.ShouldAllBe(e => own == $"net:[{e.GetProperty("netns").GetInt64()}]");
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Server_InTheBackground_IsTheProcessThatLives(string hook)
    {
        using var trace = new Trace(hook, ofItsPort: true, withoutTracefs: false, ["daemon", "ipv4"]);

        trace.All("server_pid").ShouldBe(["LISTEN CLOSE LISTEN"]);
        trace.Of("worker_pid", "server").ShouldBe([.. s_passive, .. s_closesSecond]);
        trace.All("worker_pid")[^1].ShouldBe("CLOSE LISTEN CLOSE");
        trace.Of("pid", "client").ShouldBe([.. s_active, .. s_closesFirst]);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Server_OfTwoWorkersThatHaveTheListener_IsTheOneThatAccepts(string hook)
    {
        using var trace = new Trace(hook, ofItsPort: true, withoutTracefs: false, ["prefork", "ipv4"]);

        trace.OfNobody("server").ShouldBe([s_passive[0], "CLOSING ESTABLISHED CLOSE_WAIT"]);
        trace.Of("worker_pid", "server").ShouldBe(["ACCEPT CLOSE_WAIT CLOSE_WAIT", "CLOSING CLOSE_WAIT LAST_ACK", "CLOSE LAST_ACK CLOSE"]);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Server_OfAProcessForEachConnection_IsTheOneThatHasIt(string hook)
    {
        using var trace = new Trace(hook, ofItsPort: true, withoutTracefs: false, ["forking", "ipv4"]);

        trace.Of("server_pid", "server").ShouldBe(s_passive);
        trace.Of("worker_pid", "server").ShouldBe(s_reset);
        End(trace.Closed("server")).ShouldBe(("ECONNRESET", 104, "remote"));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Socket_PassedAndReset_IsNobodys(string hook)
    {
        using var trace = new Trace(hook, ofItsPort: true, withoutTracefs: false, ["passed-reset", "ipv4"]);

        trace.Of("server_pid", "server").ShouldBe(s_passive);
        var closed = trace.Closed("server");
        foreach (string key in new[] { "comm", "pid", "tid" })
            closed.GetProperty(key).ValueKind.ShouldBe(JsonValueKind.Null, key);
        closed.GetProperty("uid").GetInt64().ShouldBe(0);
        End(closed).ShouldBe(("ECONNRESET", 104, "remote"));
    }

    [MptcpTheory]
    [MemberData(nameof(Hooks))]
    public void Mptcp_Connection_IsOfTheProcessesThatHaveIt(string hook)
    {
        using var trace = new Trace(hook, ofItsPort: true, withoutTracefs: false, ["daemon", "mptcp"]);

        trace.Of("worker_pid", "server").ShouldBe([.. s_passive, .. s_closesSecond]);
        trace.Of("pid", "client").ShouldBe([.. s_active, .. s_closesFirst]);
    }

    [Theory]
    [MemberData(nameof(HooksOfSystemCalls))]
    public void Accept_WithoutTracefs_IsSeen(string hook)
    {
        using var trace = new Trace(hook, ofItsPort: false, withoutTracefs: true, ["client-closes", "ipv4"]);

        trace.Of("pid", "client").ShouldBe([.. s_active, .. s_closesFirst]);
        trace.Of("server_pid", "server").ShouldBe([.. s_passive, .. s_closesSecond]);
    }

    [Theory]
    [MemberData(nameof(HooksOfSystemCalls))]
    public void Accept_OfThe32BitTable_IsSeen(string hook)
    {
        using var caller = Workload.Waiting("int80", "1");
        caller.Go()["supported"].ShouldBe("1");
        using var trace = new Trace(hook, ofItsPort: false, withoutTracefs: true, ["accept32", "ipv4"]);

        trace.All("server_pid").Count(static seen => seen.StartsWith("ACCEPT ", StringComparison.Ordinal)).ShouldBe(2);
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
        End(trace.Events[1]).ShouldBe(("ECONNREFUSED", 111, "remote"));
    }

    [Theory]
    [InlineData("timed-out", "ETIMEDOUT", 110)]
    [InlineData("abandoned", null, 0)]
    public void Connect_NoAnswer_Failed(string name, string? errno, int number)
    {
        using var trace = new Trace(Rungs.Best("network"), name, "ipv4");

        // The first connection fills the queue; it is reset when its listener goes without having accepted it.
        trace.All("pid").ShouldBe([.. s_active, .. s_fails, .. s_reset]);
        trace.All("server_pid").ShouldBe(["LISTEN CLOSE LISTEN", s_passive[0], "CLOSE LISTEN CLOSE", .. s_reset]);
        End(trace.Events.Single(static e => e.GetProperty("evt_type").ValueEquals("FAILED"))).ShouldBe((errno, number, null));
        End(trace.Closed("client")).ShouldBe(("ECONNRESET", 104, "remote"));
        End(trace.Closed("server")).ShouldBe(("ECONNRESET", 104, "local"));
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
        string[] server = trace.Of("server_pid", "server");
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
        // Acknowledgements that a timer sends may come while PID 1 runs: then the client's end goes through both states unseen.
        int unseen = Rungs.SkipsPid1 ? 5000 - Count("pid", s_closesFirst[^1]) : 0;
        unseen.ShouldBeInRange(0, 500);
        foreach (string change in (string[])[.. s_active, s_closesFirst[0]])
            trace.Veil.ShouldAccountFor(Count("pid", change), 5000, change);
        foreach (string change in s_closesFirst[1..])
            trace.Veil.ShouldAccountFor(Count("pid", change) + unseen, 5000, change);
        foreach (string change in (string[])[s_passive[0], .. s_closesSecond])
            trace.Veil.ShouldAccountFor(Count("server_pid", change), 5000, change);
        trace.Veil.ShouldAccountFor(
            trace.All("server_pid").Count(static seen => seen.StartsWith("ACCEPT ", StringComparison.Ordinal)), 5000, "ACCEPT");
        var kinds = trace.All("pid").Concat(trace.All("server_pid")).CountBy(static seen => seen);
        trace.Veil.ShouldAccountFor(
            trace.Events.Length + 2 * unseen, 10 * 5000 + 2, string.Join("; ", kinds.Select(static kind => $"{kind.Value} {kind.Key}")));
    }

    [Fact]
    public void Port_Filter_KnowsEitherEnd()
    {
        using var workload = Workload.Waiting("net", "client-closes", "ipv4");
        string port = workload.ReadAhead("port");
        using var allowed = VeilRun.Attach("--module", "network", "--port", port, "--output", "json");
        using var denied =
            VeilRun.Attach(
            "--module", "network", "-p", workload.Pid, workload.ReadAhead("server_pid"), "--port", "!" + port, "--output", "json");
        using var both = VeilRun.Attach("--module", "network", "--port", port, "--port", "!" + port, "--output", "json");
        using var other =
            VeilRun.Attach(
            "--module", "network", "-p", workload.Pid, workload.ReadAhead("server_pid"), "--port", "9,10", "--output", "json");
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
            @"^net +PID=\d+ +TID=\d+ +UID=0 +evt_type=CLOSE +family=IPv4 +saddr=127\.0\.0\.1 +sport=\d+ +daddr=127\.0\.0\.1 +dport=\d+ +oldstate=ESTABLISHED +newstate=CLOSE +socket_id=\d+ +netns=\d+ +errno=ECONNRESET\(104\) +reset_by=local +duration=\d+(\.\d{3})?[num]?s +rx_bytes=1234 +tx_bytes=70000 +retransmits=\d+ +srtt_us=\d+$");
    }

    private static long? Number(JsonElement e, string key) =>
        e.GetProperty(key) is { ValueKind: not JsonValueKind.Null } value ? value.GetInt64() : null;

    /// <summary>How it ended.</summary>
    private static (string? Errno, int ErrnoNr, string? ResetBy) End(JsonElement e) =>
        (e.GetProperty("errno").GetString(), e.GetProperty("errno_nr").GetInt32(), e.GetProperty("reset_by").GetString());

    /// <summary>One run of the workload under veil.</summary>
    private sealed class Trace : IDisposable
    {
        // In a mount namespace of its own.
        private static readonly string[] s_withoutTracefs =
            ["unshare", "-m", "sh", "-c",
                "for folder in /sys/kernel/tracing /sys/kernel/debug; do umount \"$folder\" 2>/dev/null; done; exec \"$@\"", "sh"];

        private static readonly string[] s_connections = ["/proc/net/tcp", "/proc/net/tcp6"];

        public Trace(string hook, params string[] arguments)
            : this(hook, ofItsPort: false, withoutTracefs: false, arguments)
        {
        }

        public Trace(string hook, bool ofItsPort, bool withoutTracefs, string[] arguments)
        {
            Workload = Workload.Waiting("net", arguments);
            Workload.ReadAhead("announced");
            // Whom nobody knows passes no filter of processes.
            string[] filter = ofItsPort ? ["--port", Workload["port"]]
                : ["-p", Workload.Pid, Workload["server_pid"], Workload.Said("third_pid") ? Workload["third_pid"] : Workload.Pid];
            string[] flags = ["--module", "network", "--hook", hook, "--output", "json", .. filter];
            Veil = withoutTracefs ? VeilRun.AttachUnder(s_withoutTracefs, flags) : VeilRun.Attach(flags);
            Workload.Go();
            WaitForLastAcks();
            Veil.Stop().ShouldBe(0);
            Veil.ShouldHaveLostNothing();
            Events = Veil.Events;
        }

        // The last packet of a connection may come after both processes have ended, and with it the end of the socket: proc_net_tcp.txt of
        // the kernel has the states, 4 is FIN_WAIT1, 9 LAST_ACK and B CLOSING.
        private void WaitForLastAcks()
        {
            string port = $":{Workload.Number("port"):X4}";
            var watch = Stopwatch.StartNew();
            while (watch.Elapsed < TimeSpan.FromSeconds(10) && Waits())
                Thread.Sleep(10);

            bool Waits() => s_connections.Where(File.Exists).SelectMany(File.ReadLines).Any(line =>
                line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var local, var remote, "04" or "09" or "0B", ..]
                && (local.EndsWith(port, StringComparison.Ordinal) || remote.EndsWith(port, StringComparison.Ordinal)));
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

        /// <summary>What at one end is of nobody that is known.</summary>
        public string[] OfNobody(string end) =>
            [.. Events.Where(e => e.GetProperty("pid").ValueKind == JsonValueKind.Null && IsAt(e, end)).Select(Change)];

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

        private bool Is(JsonElement e, string who) => Number(e, "pid") == Workload.Number(who);

        private bool IsAt(JsonElement e, string end)
        {
            long port = Workload.Number("port");
            return end == "client" ? e.GetProperty("dport").GetInt64() == port
                : Number(e, "sport") == port && e.GetProperty("dport").GetInt64() != 0;
        }

        private static string Change(JsonElement e) =>
            $"{e.GetProperty("evt_type").GetString()} {e.GetProperty("oldstate").GetString()} {e.GetProperty("newstate").GetString()}";
    }
}
