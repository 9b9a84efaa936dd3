// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Text;

namespace Veil.Modules.Network;

/// <summary>TCP connections: their changes of state and, at the end, what they came to; and what is asked for beside that.</summary>
internal sealed class NetworkModule : TraceModule
{
    private static readonly Version s_cookies = new(5, 12), s_receiverOfDrop = new(6, 11);
    private const string Iterator = "network_sockets_iter", Sockets = "network_sockets", Asked = "network_asked", Users = "network_users";
    private const string Tcp = "tcp", Udp = "udp", Open = "OPEN", Dns = "DNS", Traffic = "TRAFFIC";
    private const long LoadBytes = 30 * 1024 * 1024, TracepointLoadBytes = 41 * 1024 * 1024;

    // The order is that of enum network_evt.
    private static readonly string[] s_events =
        ["CONNECT", "ESTABLISHED", "ACCEPT", "CLOSING", "CLOSE", "FAILED", "LISTEN", "RETRANSMIT", "RESET", "DROP", "OVERFLOW", Open,
            "SEND", "RECEIVE", Dns, Traffic];

    private static readonly string[] s_usual = s_events[..7], s_ofEnds = ["CLOSE", "FAILED", Open], s_ofUdp = ["SEND", "RECEIVE", Dns];

    private static readonly EnumDimension s_event = new("event", "event", s_events);

    private static readonly ModuleFlag s_protocol =
        new("protocol", "PROTOCOL", "tcp, udp: of udp each datagram, and questions of DNS with their answers [tcp]");

    private static readonly ModuleFlag s_lifetimes =
        new("lifetimes", null, "a line a connection, at its end or, of one that is still open, at the end of the trace");

    private static readonly EventKind s_retransmit = Added("network_retransmit_event", "RETRANSMIT"),
        s_reset = Added("network_reset_event", "RESET"), s_drop = Added("network_drop_event", "DROP"),
        s_overflow = Added("network_overflow_event", "OVERFLOW"), s_traffic = Added("network_traffic_event", Traffic);

    // Neither names --event: that is a filter of all events, and not of these alone.
    private static readonly EventKind s_datagram =
        new("network_datagram_event", s_protocol.Name) { IsAdded = true, When = static arguments => Sees(arguments, "SEND", "RECEIVE") };

    private static readonly EventKind s_dns =
        new("network_dns_event", s_protocol.Name) { IsAdded = true, When = static arguments => Sees(arguments, Dns) };

    private static readonly HookProgram s_acceptCall =
        new("network_accept_tracepoint", When: static arguments => SeesTcp(arguments) && HasAcceptCalls()),
        s_accept4Call = new("network_accept4_tracepoint", When: static arguments => SeesTcp(arguments) && HasAcceptCalls());

    // The changes of state come after what tells more of that which they begin. Of two programs at one tracepoint the kernel runs
    // the one first that was attached first. At the very end the sockets that are there already.
    private static readonly HookProgram[] s_btfChanges =
        [OfTcp("network_fork_tp_btf"), OfTcp("network_state_tp_btf"), OfTcp("network_state_second_tp_btf"), OfTcp(Iterator)];

    private static readonly HookRung s_fentry = Connecting("fentry", "fexit"), s_kprobe = Connecting("kprobe", "kretprobe");

    private readonly FilterDimension[] _filters;

    /// <summary>With every event.</summary>
    public NetworkModule()
        : this(s_event)
    {
    }

    private NetworkModule(EnumDimension ofEvents) =>
        _filters = [ofEvents, new PortDimension(), new NetnsDimension(), new ErrnoDimension()];

    public override string Name => "network";

    public override string Summary => "TCP connections, and by --protocol UDP and DNS: who, from where to where, how much, how long";

    public override string CountKey => "dport";

    public override string? LastEvent => Open;

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module network --port 443 --output json", "connections with a port at either end"),
        new("veil --module network -p $(pidof nginx)", "a server's connections, with bytes and round-trip time at their end"),
        new("veil --module network --lifetimes", "a line a connection, and what is still open in the end"),
        new("veil --module network --failed --event FAILED,RESET,RETRANSMIT,DROP", "what goes wrong, and why"),
        new("veil --module network --event DNS", "who asks for which name, and how long the answer takes"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters => _filters;

    public override IReadOnlyList<ModuleFlag> Flags { get; } = [s_protocol, s_lifetimes, Thresholds.Failed];

    public override IReadOnlyList<EventKind> EventsByFlag { get; } = [s_retransmit, s_reset, s_drop, s_overflow, s_traffic, s_datagram, s_dns];

    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        s_fentry,
        s_kprobe,
        new("tp_btf", "tp_btf/inet_sock_set_state, tp_btf/sys_exit or tracepoints of accept",
            [s_acceptCall, s_accept4Call, new("network_accept_tp_btf", When: static arguments => SeesTcp(arguments) && !HasAcceptCalls()),
                .. s_btfChanges, .. More("tp_btf")]) { LoadBytes = LoadBytes },
        new("raw_tp", "raw_tp/inet_sock_set_state, raw_tp/sys_exit or tracepoints of accept",
            [s_acceptCall, s_accept4Call, new("network_accept_raw_tp", When: static arguments => SeesTcp(arguments) && !HasAcceptCalls()),
                OfTcp("network_fork_raw_tp"), OfTcp("network_state_raw_tp"), OfTcp("network_state_second_raw_tp"), OfTcp(Iterator),
                .. More("raw_tp")]) { LoadBytes = LoadBytes },
        new("tracepoint", "tracepoint/sock/inet_sock_set_state, tracepoints of accept and accept4",
            [OfTcp("network_accept_tracepoint"), OfTcp("network_accept4_tracepoint"), OfTcp("network_fork_tracepoint"),
                OfTcp("network_state_tracepoint"), OfTcp(Iterator), .. More("raw_tp")]) { LoadBytes = TracepointLoadBytes },
    ];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["evt_type"] = new() { Title = "EVENT" },
        ["family"] = new() { Rank = 5 },
        ["saddr"] = new() { Title = "SOURCE", Label = "source=", Width = 21, WidthMin = 18, Port = "sport" },
        ["daddr"] = new() { Title = "DEST", Label = "dest=", Width = 21, WidthMin = 18, Port = "dport" },
        ["oldstate"] = new() { Title = "OLD_STATE", Width = 11, Rank = 15 },
        ["newstate"] = new() { Title = "STATE", Width = 11, Rank = 60 },
        ["socket_id"] = new() { Title = "SOCKET", WidthMin = 6, Rank = 8 },
        ["netns"] = new() { Width = 10, Rank = 7 },
        ["reset_by"] = new() { Width = 8, Rank = 21, IsRare = true },
        ["rx_bytes"] = new() { WidthMin = 8, Rank = 65, IsRare = true },
        ["tx_bytes"] = new() { WidthMin = 8, Rank = 65, IsRare = true },
        ["retransmits"] = new() { Title = "RETRANS", Width = 7, Rank = 25, IsRare = true, HidesZero = true },
        ["srtt_us"] = new() { Width = 7, Rank = 24 },
        ["reason"] = new() { Width = 16, Rank = 62 },
        ["protocol"] = new() { Width = 8, Rank = 6 },
        ["query_type"] = new() { Title = "TYPE", Width = 6, Rank = 64 },
        ["answer"] = new() { Width = 8, Rank = 63 },
        ["answers"] = new() { Width = 7, Rank = 12 },
    };

    public override byte[] ReadObject() => EmbeddedObject.Read("network");

    public override bool Emits(string name, ModuleArguments arguments) => base.Emits(name, arguments) && name switch
    {
        "network_event" => SeesTcp(arguments) && !arguments.IsGiven(s_lifetimes.Name),
        "network_close_event" or "network_failed_event" => SeesTcp(arguments),
        _ => true,
    };

    public override bool Traces(FilterDimension filter, FilterKey key, ModuleArguments arguments) =>
        filter.Name != s_event.Name || Attaches(arguments, key.Text);

    public override IReadOnlyList<TraceModule> Instances(ModuleArguments arguments, IReadOnlyList<FilterExpression> filters)
    {
        foreach (string protocol in arguments.Of(s_protocol.Name).Except([Tcp, Udp]))
            throw new UsageException($"--protocol: unknown protocol '{Escaping.ForMessage(protocol)}' (available: {Tcp}, {Udp})");
        if (arguments.IsGiven(s_lifetimes.Name) && arguments.IsGiven(s_protocol.Name) && !Protocols(arguments).Contains(Tcp))
            throw new UsageException("--lifetimes: only TCP has connections; not beside --protocol udp");
        foreach (string name in s_events.Where(name => Asks(arguments, name)))
        {
            if (arguments.IsGiven(s_lifetimes.Name) && !s_ofEnds.Contains(name))
                throw new UsageException($"--lifetimes: shows {string.Join(", ", s_ofEnds)} alone; choose by --event or by --lifetimes");
            if (!Protocols(arguments).Intersect(ProtocolsOf(name)).Any())
                throw new UsageException(
                    $"--event: {name} is of {ProtocolsOf(name)[0]}; not beside --protocol {string.Join(',', Protocols(arguments))}");
        }

        var attached = s_events.Where(name => Attaches(arguments, name));
        return [new NetworkModule(new EnumDimension(s_event.Name, s_event.Name, s_events) { Attached = attached.ToHashSet() })];
    }

    public override bool CountsMisses(BpfProgram program) =>
        !program.Name.StartsWith("network_state_", StringComparison.Ordinal)
        || program.Name == "network_state_tracepoint"
        // 7.x preempts programs. What a process itself changes can then be skipped too, and the second program leaves that to the first.
        || KernelFeatures.KernelVersion.Major >= 7;

    public override string? WhySilent(IReadOnlyList<(int Pid, HashSet<long> Sockets)> processes, IReadOnlyList<FilterMap> filters)
    {
        if (processes is [var only])
            return TcpSockets.Explain(only.Pid, only.Sockets);
        var ports = filters.Where(static filter => filter.Dimension is PortDimension).SelectMany(static filter => filter.Keys)
            .Where(static key => key.Value == FilterBits.Allow).Select(static key => (int)key.Key.Bits).ToList();
        return processes.Count == 0 && ports.Count > 0 ? TcpSockets.Explain(ports) : null;
    }

    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bpfObject.SetGlobal("network_connect_hook", rung == s_fentry || rung == s_kprobe);
        bpfObject.SetGlobal("network_cookies", KernelFeatures.KernelVersion >= s_cookies);
        bpfObject.SetGlobal("network_drop_has_socket", KernelFeatures.KernelVersion >= s_receiverOfDrop);
        bpfObject.SetGlobal("network_lifetimes", arguments.IsGiven(s_lifetimes.Name));
        bpfObject.SetGlobal("network_sees_tcp", Protocols(arguments).Contains(Tcp));
        bpfObject.SetGlobal("network_sees_udp", Protocols(arguments).Contains(Udp));
        bpfObject.SetGlobal("network_drops_udp", DropsUdp(arguments));
        bpfObject.SetGlobal("network_sees_datagrams", s_datagram.IsChosen(arguments));
        bpfObject.SetGlobal("network_sees_dns", s_dns.IsChosen(arguments));
        if (!DropsUdp(arguments))
            bpfObject.Map(Users).SetMaxEntries(1);
        if (!s_dns.IsChosen(arguments))
            bpfObject.Map(Asked).SetMaxEntries(1);
    }

    private static EventKind Added(string type, string name) =>
        new(type, s_event.Name) { IsAdded = true, When = arguments => Sees(arguments, name) };

    private static HookProgram OfTcp(string program) => new(program, When: SeesTcp);

    // What is attached only where it is asked for.
    private static HookProgram[] More(string rung) =>
    [
        new($"network_retransmit_{rung}", s_retransmit), new($"network_synack_{rung}", s_retransmit),
        new($"network_reset_{rung}", s_reset), new($"network_was_reset_{rung}", s_reset),
        new($"network_drop_{rung}", s_drop),
        new($"network_datagram_{rung}", When: static arguments => SeesUdp(arguments) || DropsUdp(arguments)),
        new("network_users_iter", When: DropsUdp),
        new("network_overflow_iter", s_overflow) { IsRepeated = true, IsLast = true, IsCounted = true, Map = Sockets },
        new("network_traffic_iter", s_traffic) { IsRepeated = true, IsLast = true, IsCounted = true, Map = Sockets },
        new("network_open_iter", When: static arguments => Sees(arguments, Open)) { IsLast = true, Map = Sockets },
        new("network_unseen_iter", When: static arguments => Sees(arguments, Open)) { IsLast = true },
        new("network_late_iter", s_dns) { IsRepeated = true, IsCounted = true, Map = Asked },
        new("network_asked_iter", s_dns) { IsLast = true, Map = Asked },
    ];

    private static string[] ProtocolsOf(string name) => s_ofUdp.Contains(name) ? [Udp] : name == "DROP" ? [Tcp, Udp] : [Tcp];

    // Those that --event asks for by name need not be named twice.
    private static IReadOnlyList<string> Protocols(ModuleArguments arguments) =>
        arguments.Of(s_protocol.Name) is { Count: > 0 } given ? given
            : s_events.Where(name => Asks(arguments, name)).ToList() is { Count: > 0 } asked ? [.. asked.SelectMany(ProtocolsOf).Distinct()]
            : [Tcp];

    private static bool Asks(ModuleArguments arguments, string name) =>
        arguments.Filters.TryGetValue(s_event.Name, out var events) && events.Allows(name);

    // Is one of these events sent, as far as flags decide?
    private static bool Sees(ModuleArguments arguments, params ReadOnlySpan<string> names)
    {
        bool chooses = arguments.Filters.TryGetValue(s_event.Name, out var events) && s_events.Any(events.Allows);
        foreach (string name in names)
        {
            bool isUsual = arguments.IsGiven(s_lifetimes.Name) ? s_ofEnds.Contains(name) : s_usual.Contains(name) || s_ofUdp.Contains(name);
            if ((chooses ? events!.Allows(name) : isUsual) && Protocols(arguments).Intersect(ProtocolsOf(name)).Any())
                return true;
        }

        return false;
    }

    private static bool Attaches(ModuleArguments arguments, string name) =>
        Sees(arguments, name) || (s_usual.Contains(name) && SeesTcp(arguments) && !arguments.IsGiven(s_lifetimes.Name));

    private static bool SeesTcp(ModuleArguments arguments) => Protocols(arguments).Contains(Tcp);

    private static bool SeesUdp(ModuleArguments arguments) => s_datagram.IsChosen(arguments) || s_dns.IsChosen(arguments);

    private static bool DropsUdp(ModuleArguments arguments) => Sees(arguments, "DROP") && Protocols(arguments).Contains(Udp);

    private static HookRung Connecting(string rung, string atReturn) => new(
        rung, $"tp_btf/inet_sock_set_state, {rung}/tcp_connect, {rung}/security_sock_graft or {atReturn}/inet_csk_accept",
        // Also where only UDP is traced: what this kernel cannot hook is not to look as if it could.
        [$"network_connect_{rung}", new($"network_graft_{rung}", When: static arguments => SeesTcp(arguments) && HasGraft()),
            new($"network_accept_{rung}", When: static arguments => SeesTcp(arguments) && !HasGraft()), .. s_btfChanges, .. More("tp_btf")])
    {
        LoadBytes = LoadBytes,
    };

    private static bool HasGraft() => KernelFeatures.HasFunction("security_sock_graft");

    // A program at sys_exit runs for every call of the machine: getppid takes 186 ns instead of the 140 with the calls' own tracepoints,
    // and 108 without a trace. So these are taken wherever tracefs is there to find them in.
    private static bool HasAcceptCalls() => KernelFeatures.HasTracepoint("syscalls", "sys_exit_accept4");
}
