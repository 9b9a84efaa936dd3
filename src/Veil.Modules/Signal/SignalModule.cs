// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Signal;

/// <summary>Signals, as they are sent.</summary>
internal sealed class SignalModule : TraceModule
{
    private const uint SigChld = 17;

    public override string Name => "signal";

    public override string Summary => "signals: who sends what to whom, and what it does there";

    public override string CountKey => "signal";

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("veil --module signal --pid $(pidof nginx) --effect deadly", "who kills my process"),
        new("veil --module signal --signal SIGTERM,SIGKILL --enrich time", "every SIGTERM and SIGKILL, and when"),
        new("veil --module signal --signal SIGSEGV,SIGBUS,SIGABRT", "what crashes, and at which address"),
    ];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } =
    [
        new SignalDimension(),
        new EnumDimension("effect", "effect", "none", "handled", "blocked", "stops", "continues", "deadly"),
    ];

    public override IReadOnlyList<HookRung> Rungs { get; } =
        [new("tp_btf", "tp_btf/signal_generate", "signal_tp_btf"), new("raw_tp", "raw_tp/signal_generate", "signal_raw_tp")];

    public override IReadOnlyList<(string Alias, string Field)> FieldAliases => [("sender_comm", "comm"), ("sender_pid", "pid")];

    public override IReadOnlyDictionary<string, ColumnHint> Columns { get; } = new Dictionary<string, ColumnHint>(StringComparer.Ordinal)
    {
        ["evt_type"] = new() { Title = "EVENT", Rank = 1 },
        ["from"] = new() { Rank = 42 },
        ["target_comm"] = new() { Title = "TARGET", Rank = 90 },
        ["target_pid"] = new() { Title = "TPID", Rank = 89 },
        ["target_tid"] = new() { Title = "TTID", Rank = 20, IsRare = true, SameAs = "target_pid" },
        ["result"] = new() { Rank = 60 },
        ["effect"] = new() { Rank = 91 },
    };

    public override bool Traces(FilterDimension filter, FilterKey key, ModuleArguments arguments) => filter is not SignalDimension || key.Bits != SigChld
        || (arguments.Filters.GetValueOrDefault(filter.Name)?.Bits.Any(static asked => asked.Key.Bits == SigChld && asked.Value.HasFlag(FilterBits.Allow)) == true);

    public override byte[] ReadObject() => EmbeddedObject.Read("signal");
}
