// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Kernel.Tests;

/// <summary>A module that knows nothing but its object: what a file NAME.bpf.o tells of itself by its BTF and its names.</summary>
internal sealed class ObjectModule : TraceModule
{
    private static readonly string[] s_ladder = ["fentry", "kprobe", "tp_btf", "raw_tp", "tracepoint", "perf"];
    private readonly byte[] _object;

    public ObjectModule(string path)
    {
        const string suffix = ".bpf.o";
        Name = Path.GetFileName(path)[..^suffix.Length];
        _object = File.ReadAllBytes(path);
        using var bpf = BpfObject.Open(_object, Name);
        // A program's name ends in its rung's. What begins something is written first, and attached last.
        Rungs = [
            .. s_ladder.Select(
            rung => new HookRung(
            rung, "",
            [.. bpf.Programs.Where(program => program.Name.EndsWith("_" + rung, StringComparison.Ordinal)).Reverse().Select(AsItIs)]))
            .Where(static rung => rung.Programs.Count > 0)];
        OwnFilters =
            [.. bpf.Maps.Where(map => bpf.Btf.TryGetVariable(map.Name + "_mode", out _)).Select(static map => map.Name["filter_".Length..])
            .Where(name => name != "follow" && Filters.All(common => common.Name != name)).Select(static name => new NumberDimension(name))];
        Flags = [
            .. bpf.Btf.TryGetVariable("veil_slower_ns", out _) ? [Thresholds.Slower]
            : (ModuleFlag[])[], .. bpf.Btf.TryGetVariable("veil_only_failed", out _) ? [Thresholds.Failed] : (ModuleFlag[])[]];
        CountKey = bpf.Btf.FindStruct(EventCatalog.Declared(bpf.Btf).First().Name)!.Members[1].Name;
    }

    public override string Name { get; }

    public override string Summary => "";

    public override string CountKey { get; }

    public override IReadOnlyList<Example> Examples => [];

    public override IReadOnlyList<FilterDimension> OwnFilters { get; } = [];

    public override IReadOnlyList<ModuleFlag> Flags { get; }

    public override IReadOnlyList<HookRung> Rungs { get; }

    public override byte[] ReadObject() => _object;

    private static HookProgram AsItIs(BpfProgram program) => program.Name;

    // The key is a number; what its words are, the object does not tie to it.
    private sealed class NumberDimension(string name) : FilterDimension
    {
        public override string Name => name;

        public override string ValueName => "NUMBER";

        public override string Description => "";

        public override string AcceptedForm => "a number";

        public override string? ParseKeys(string text, List<FilterKey> keys)
        {
            if (ParseNumber(text, 0, uint.MaxValue, out long number) is { } wrong)
                return wrong;
            keys.Add(new((UInt128)number, text));
            return null;
        }
    }
}
