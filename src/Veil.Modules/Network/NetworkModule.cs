using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Network;

/// <summary>TCP connections: their changes of state and, at the end, what they came to.</summary>
public sealed class NetworkModule : TraceModule
{
    private const string Fentry = "fentry";
    private const string Kprobe = "kprobe";
    private const string TpBtf = "tp_btf";
    private const string Tracepoint = "tracepoint";
    private const string StateHook = "inet_sock_set_state";
    private const string ConnectFunction = "tcp_connect";

    /// <inheritdoc/>
    public override string Name => "network";

    /// <inheritdoc/>
    public override string Summary => "TCP connections";

    /// <inheritdoc/>
    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new PortDimension()];

    /// <inheritdoc/>
    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        new(Fentry, "tp_btf/inet_sock_set_state, fentry/tcp_connect, fexit/inet_csk_accept"),
        new(Kprobe, "inet_sock_set_state, kprobe/tcp_connect, kretprobe/inet_csk_accept"),
        new(TpBtf, "tp_btf/inet_sock_set_state, tracepoints of accept and accept4"),
        new(Tracepoint, "tracepoint/sock/inet_sock_set_state, tracepoints of accept and accept4"),
    ];

    /// <inheritdoc/>
    public override byte[] ReadObject() => EmbeddedObject.Read("network");

    /// <inheritdoc/>
    public override IReadOnlyList<string> Programs(HookRung rung, ModuleArguments arguments)
    {
        // What is told of a connection comes from the changes of state: attached last, when the rest is ready.
        string state = rung.Name == Tracepoint || (rung.Name == Kprobe && !KernelFeatures.HasBtfTracepoint(StateHook))
            ? "state_tracepoint"
            : "state_tp_btf";
        return rung.Name is Fentry or Kprobe
            ? [.. HasConnectHook ? [$"connect_{rung.Name}"] : Array.Empty<string>(), $"accept_{rung.Name}", state]
            : ["accept_tracepoint", "accept4_tracepoint", state];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<int> EventNumbers(ModuleArguments arguments) => [0, 1];

    /// <inheritdoc/>
    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments) =>
        bpfObject.SetGlobal("network_connect_hook", rung.Name is Fentry or Kprobe && HasConnectHook);

    private static bool HasConnectHook => KernelFeatures.HasFunction(ConnectFunction);
}
