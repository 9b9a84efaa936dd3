using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Network;

/// <summary>TCP connections: their changes of state and, at the end, what they came to.</summary>
public sealed class NetworkModule : TraceModule
{
    private static readonly Version s_cookies = new(5, 12);
    private const string Fentry = "fentry";
    private const string Kprobe = "kprobe";
    private const string TpBtf = "tp_btf";
    private const string RawTp = "raw_tp";
    private const string Tracepoint = "tracepoint";
    private const string Iterator = "sockets_iter";

    /// <inheritdoc/>
    public override string Name => "network";

    /// <inheritdoc/>
    public override string Summary => "TCP connections";

    /// <inheritdoc/>
    public override string CountKey => "dport";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module network --port 443 --output json", "connections with a port at either end"),
        new("veil --module network -p $(pidof nginx)", "a server's connections, with bytes and round-trip time at their end"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new PortDimension()];

    /// <inheritdoc/>
    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        new(Fentry, "tp_btf/inet_sock_set_state, fentry/tcp_connect, fentry/security_sock_graft or fexit/inet_csk_accept"),
        new(Kprobe, "tp_btf/inet_sock_set_state, kprobe/tcp_connect, kprobe/security_sock_graft or kretprobe/inet_csk_accept"),
        new(TpBtf, "tp_btf/inet_sock_set_state, tp_btf/sys_exit or tracepoints of accept"),
        new(RawTp, "raw_tp/inet_sock_set_state, raw_tp/sys_exit or tracepoints of accept"),
        new(Tracepoint, "tracepoint/sock/inet_sock_set_state, tracepoints of accept and accept4"),
    ];

    /// <inheritdoc/>
    public override long LoadBytes(HookRung rung) => (rung.Name == Tracepoint ? 40 : 30) * 1024 * 1024;

    /// <inheritdoc/>
    public override byte[] ReadObject() => EmbeddedObject.Read("network");

    /// <inheritdoc/>
    public override IReadOnlyList<string> Programs(HookRung rung, ModuleArguments arguments)
    {
        // The changes of state come after what tells more of that which they begin. Of two programs at one tracepoint the kernel runs
        // the one first that was attached first. At the very end the sockets that are there already.
        string[] changes = rung.Name switch
        {
            Tracepoint => ["fork_tracepoint", "state_tracepoint"],
            RawTp => ["fork_raw_tp", "state_raw_tp", "state_second_raw_tp"],
            _ => ["fork_tp_btf", "state_tp_btf", "state_second_tp_btf"],
        };
        if (rung.Name is not (Fentry or Kprobe))
            return [.. SystemCalls(rung), .. changes, Iterator];

        string accept = KernelFeatures.HasFunction("security_sock_graft") ? "graft" : "accept";
        return [$"connect_{rung.Name}", $"{accept}_{rung.Name}", .. changes, Iterator];
    }

    // A program at sys_exit runs for every call of the machine: getppid takes 186 ns instead of the 140 with the calls' own tracepoints, and
    // 108 without a trace. So these are taken wherever tracefs is there to find them in.
    private static string[] SystemCalls(HookRung rung) =>
        rung.Name == Tracepoint || KernelFeatures.HasTracepoint("syscalls", "sys_exit_accept4") ? ["accept_tracepoint", "accept4_tracepoint"] : [$"accept_{rung.Name}"];

    /// <inheritdoc/>
    public override bool CountsMisses(BpfProgram program) =>
        !program.Name.StartsWith("state_", StringComparison.Ordinal)
        || program.Name == "state_tracepoint"
        // 7.x preempts programs. What a process itself changes can then be skipped too, and the second program leaves that to the first.
        || KernelFeatures.KernelVersion.Major >= 7;

    /// <inheritdoc/>
    public override string? WhySilent(IReadOnlyList<(int Pid, HashSet<long> Sockets)> processes, IReadOnlyList<FilterMap> filters)
    {
        if (processes is [var only])
            return TcpSockets.Explain(only.Pid, only.Sockets);
        var ports = filters.Where(static filter => filter.Dimension is PortDimension).SelectMany(static filter => filter.Keys).Where(static key => key.Value == FilterBits.Allow).Select(static key => (int)key.Key.Bits).ToList();
        return processes.Count == 0 && ports.Count > 0 ? TcpSockets.Explain(ports) : null;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<int> EventNumbers(ModuleArguments arguments) => [0, 1, 2];

    /// <inheritdoc/>
    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bpfObject.SetGlobal("network_connect_hook", rung.Name is Fentry or Kprobe);
        bpfObject.SetGlobal("network_cookies", KernelFeatures.KernelVersion >= s_cookies);
    }

    /// <inheritdoc/>
    public override IEnumerable<BpfLink> Attach(BpfProgram program, HookRung rung, ModuleArguments arguments)
    {
        if (program.Name != Iterator)
            return [program.Attach()];
        program.Iterate();
        return [];
    }
}
