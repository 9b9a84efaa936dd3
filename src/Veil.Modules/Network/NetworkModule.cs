// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Network;

/// <summary>TCP connections: their changes of state and, at the end, what they came to.</summary>
internal sealed class NetworkModule : TraceModule
{
    private static readonly Version s_cookies = new(5, 12);
    private const string Iterator = "network_sockets_iter";
    private const long LoadBytes = 30 * 1024 * 1024, TracepointLoadBytes = 41 * 1024 * 1024;

    private static readonly HookProgram s_acceptCall =
        new("network_accept_tracepoint", When: HasAcceptCalls), s_accept4Call = new("network_accept4_tracepoint", When: HasAcceptCalls);

    // The changes of state come after what tells more of that which they begin. Of two programs at one tracepoint the kernel runs
    // the one first that was attached first. At the very end the sockets that are there already.
    private static readonly HookProgram[] s_btfChanges =
        ["network_fork_tp_btf", "network_state_tp_btf", "network_state_second_tp_btf", Iterator];

    private static readonly HookRung s_fentry = Connecting("fentry", "fexit"), s_kprobe = Connecting("kprobe", "kretprobe");

    public override string Name => "network";

    public override string Summary => "TCP connections: who, from where to where, how much, how long";

    public override string CountKey => "dport";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module network --port 443 --output json", "connections with a port at either end"),
        new("veil --module network -p $(pidof nginx)", "a server's connections, with bytes and round-trip time at their end"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new PortDimension()];

    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        s_fentry,
        s_kprobe,
        new("tp_btf", "tp_btf/inet_sock_set_state, tp_btf/sys_exit or tracepoints of accept",
            [s_acceptCall, s_accept4Call, new("network_accept_tp_btf", When: static arguments => !HasAcceptCalls(arguments)),
                .. s_btfChanges]) { LoadBytes = LoadBytes },
        new("raw_tp", "raw_tp/inet_sock_set_state, raw_tp/sys_exit or tracepoints of accept",
            s_acceptCall, s_accept4Call, new("network_accept_raw_tp", When: static arguments => !HasAcceptCalls(arguments)),
            "network_fork_raw_tp", "network_state_raw_tp", "network_state_second_raw_tp", Iterator) { LoadBytes = LoadBytes },
        new("tracepoint", "tracepoint/sock/inet_sock_set_state, tracepoints of accept and accept4",
            "network_accept_tracepoint", "network_accept4_tracepoint", "network_fork_tracepoint", "network_state_tracepoint", Iterator) {
                LoadBytes = TracepointLoadBytes },
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
    };

    public override byte[] ReadObject() => EmbeddedObject.Read("network");

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
    }

    private static HookRung Connecting(string rung, string atReturn) => new(
        rung, $"tp_btf/inet_sock_set_state, {rung}/tcp_connect, {rung}/security_sock_graft or {atReturn}/inet_csk_accept",
        [$"network_connect_{rung}", new($"network_graft_{rung}", When: HasGraft),
            new($"network_accept_{rung}", When: static arguments => !HasGraft(arguments)), .. s_btfChanges])
    {
        LoadBytes = LoadBytes,
    };

    private static bool HasGraft(ModuleArguments arguments) => KernelFeatures.HasFunction("security_sock_graft");

    // A program at sys_exit runs for every call of the machine: getppid takes 186 ns instead of the 140 with the calls' own tracepoints,
    // and 108 without a trace. So these are taken wherever tracefs is there to find them in.
    private static bool HasAcceptCalls(ModuleArguments arguments) => KernelFeatures.HasTracepoint("syscalls", "sys_exit_accept4");
}
