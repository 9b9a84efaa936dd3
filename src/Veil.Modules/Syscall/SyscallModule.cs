using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Syscall;

/// <summary>System calls, as they begin or, with <c>--returns</c>, as they end.</summary>
public sealed class SyscallModule : TraceModule
{
    private const string Returns = "returns";

    /// <inheritdoc/>
    public override string Name => "syscall";

    /// <inheritdoc/>
    public override string Summary => "system calls";

    /// <inheritdoc/>
    public override string CountKey => "syscall";

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module syscall -p $(pidof nginx) --syscall '!ioctl'", "what a process asks of the kernel, but for one call"),
        new("veil --module syscall --name postgres --returns --output json | jq .", "every call of some threads with its result and duration, as JSON"),
        new("veil --module syscall --uid www-data --fields comm,pid,syscall", "a user's calls, as key=value"),
    ];

    /// <inheritdoc/>
    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [new SyscallDimension(), new ErrnoDimension()];

    /// <inheritdoc/>
    public override IReadOnlyList<ModuleFlag> Flags { get; } =
        [new(Returns, null, "an event as each call ends, with its result, error and duration; only so are calls seen that seccomp refuses"), Thresholds.Slower, Thresholds.Failed];

    /// <inheritdoc/>
    public override IReadOnlyList<HookRung> Rungs { get; } =
    [
        new("tp_btf", "tp_btf/sys_enter"),
        new("raw_tp", "raw_tp/sys_enter"),
        new("tracepoint", "tracepoint/raw_syscalls/sys_enter"),
    ];

    /// <inheritdoc/>
    public override byte[] ReadObject() => EmbeddedObject.Read("syscall");

    /// <inheritdoc/>
    public override IReadOnlyList<TraceModule> Instances(ModuleArguments arguments)
    {
        Thresholds.Validate(arguments);
        return [this];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Programs(HookRung rung, ModuleArguments arguments)
    {
        // Entry last: a call seen to begin is then also seen to end.
        string[] names = (HasReturns(arguments), TaskStorage.IsSteady) switch
        {
            (false, _) => ["enter"],
            (true, true) => ["thread_exit", "exit", "enter"],
            (true, false) => ["exec", "thread_exit", "exit", "enter"],
        };
        return [.. names.Select(name => $"{name}_{rung.Name}")];
    }

    /// <inheritdoc/>
    // A call that was not seen to begin is an event.
    public override bool DetachesLastFirst => false;

    /// <inheritdoc/>
    public override IReadOnlyList<int> EventNumbers(ModuleArguments arguments) => [HasReturns(arguments) ? 1 : 0];

    /// <inheritdoc/>
    public override void Configure(BpfObject bpfObject, HookRung rung, ModuleArguments arguments)
    {
        bool returns = HasReturns(arguments);
        Thresholds.Configure(bpfObject, arguments);
        bpfObject.SetGlobal("syscall_returns", returns);
        bpfObject.SetGlobal("syscall_calls_in_tasks", TaskStorage.IsSteady);
        bpfObject.Map("syscall_calls").SetAutoCreate(returns && !TaskStorage.IsSteady);
        bpfObject.Map("syscall_task_calls").SetAutoCreate(returns && TaskStorage.IsSteady);
    }

    /// <inheritdoc/>
    public override string? FlagNeededBy(FilterDimension filter, ModuleArguments arguments) => filter is ErrnoDimension && !HasReturns(arguments) ? Returns : null;

    // What a call came to is only known at its end.
    private static bool HasReturns(ModuleArguments arguments) => arguments.Has(Returns) || Thresholds.AreGiven(arguments);
}
