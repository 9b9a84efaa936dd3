// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;

namespace Veil.Modules.Tests;

/// <summary>What the modules declare, against their objects.</summary>
public sealed class ModuleFactsTests
{
    public static TheoryData<string> Modules => [.. ModuleCatalog.All.Select(static module => module.Name)];

    // Those that every module has (bpf/veil/follow.bpf.h), whatever it is attached by.
    private static readonly string[] s_following =
        [
            "veil_hand_on", "veil_command_begin", "veil_command_end", "veil_mark_move", "veil_mark_drop", "veil_cgroup_make",
            "veil_cgroup_drop",
        ];

    [Theory]
    [MemberData(nameof(Modules))]
    public void Rungs_HaveEveryProgramOfTheObject_AndNoOther(string name)
    {
        using var bpf = Open(name, out var module);

        foreach (var rung in module.Rungs)
        {
            rung.Programs.Select(static program => program.Name).ShouldBeUnique(rung.Name);
            rung.UnusedMaps.ShouldBeSubsetOf(bpf.Maps.Select(static map => map.Name), rung.Name);
        }

        module.Rungs.Select(static rung => rung.Name).ShouldBeUnique();
        module.Rungs.SelectMany(static rung => rung.Programs).Select(static program => program.Name).Distinct()
            .Order(StringComparer.Ordinal)
            .ShouldBe(bpf.Programs.Select(static program => program.Name).Except(s_following).Order(StringComparer.Ordinal));
        s_following.ShouldBeSubsetOf(bpf.Programs.Select(static program => program.Name));
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Events_OfFlags_AreInTheObject_AndSoAreSomeOthers(string name)
    {
        using var bpf = Open(name, out var module);
        var declared = EventCatalog.Declared(bpf.Btf).Select(static kind => kind.Name).ToList();

        declared.ShouldContain(kind => module.Emits(kind, null));
        foreach (var kind in module.EventsByFlag)
        {
            declared.ShouldContain(kind.Struct);
            kind.Flags.ShouldBeSubsetOf(
                module.Flags.Select(static flag => flag.Name).Concat(module.Filters.Select(static filter => filter.Name)));
        }

        foreach (var program in module.Rungs.SelectMany(static rung => rung.Programs).Where(static program => program.Event is not null))
            module.EventsByFlag.ShouldContain(program.Event!, program.Name);
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Filters_AreThoseOfTheObject(string name)
    {
        using var bpf = Open(name, out var module);

        // One map has what cgroups, containers and pods are chosen by.
        module.Filters.Select(static filter => "filter_" + (filter is ScopeDimension ? ScopeDimension.MapName : filter.Name)).Distinct().Order(StringComparer.Ordinal)
            .ShouldBe(
                bpf.Maps.Select(static map => map.Name).Where(map => map != "filter_follow" && bpf.Btf.TryGetVariable(map + "_mode", out _))
                .Order(StringComparer.Ordinal));
        module.Flags.Contains(Thresholds.Slower).ShouldBe(bpf.Btf.TryGetVariable("veil_slower_ns", out _));
        module.Flags.Contains(Thresholds.Failed).ShouldBe(bpf.Btf.TryGetVariable("veil_only_failed", out _));
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void CountKey_IsAFieldThatIsAlwaysThere(string name)
    {
        var module = Module(name);

        ModuleFields.Of(module).ShouldContain(field => field.Field.Name == module.CountKey && field.Flag == null);
    }

    /// <summary>The words of a filter are those that its events show, by the same numbers.</summary>
    [Theory]
    [InlineData("files", "op", "files_op")]
    [InlineData("memory", "fault", "memory_fault")]
    public void EnumFilter_HasTheWordsOfTheObjectsEnum(string name, string filter, string type)
    {
        using var bpf = Open(name, out var module);

        var words = bpf.Btf.FindEnum(type)!.Values.Where(value => value.Name.StartsWith(type + "__", StringComparison.Ordinal))
            .ToDictionary(value => value.Name[(type.Length + 2)..], static value => value.Value);
        var dimension = module.OwnFilters.Single(own => own.Name == filter);
        dimension.KeyNames().ShouldBe(words.Keys);
        foreach (var (word, number) in words)
        {
            List<Core.Filters.FilterKey> keys = [];
            dimension.ParseKeys(word, keys).ShouldBeNull();
            keys.ShouldHaveSingleItem().Bits.ShouldBe((UInt128)number);
        }
    }

    private static TraceModule Module(string name) => ModuleCatalog.All.Single(module => module.Name == name);

    private static BpfObject Open(string name, out TraceModule module)
    {
        module = Module(name);
        return BpfObject.Open(module.ReadObject(), name);
    }
}
