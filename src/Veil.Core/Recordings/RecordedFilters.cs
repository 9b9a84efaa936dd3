// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Recordings;

/// <summary>Makes the filters of a replay out of those that a trace takes, for each kind of event.</summary>
/// <param name="description">What was recorded.</param>
/// <param name="names">The names of then.</param>
internal sealed class RecordedFilters(RecordingDescription description, RecordedNames names)
{
    // What is a failure by itself: network_is_failure() in network.bpf.c.
    private static readonly string[] s_failures =
    [
        "network_evt__FAILED", "network_evt__DNS", "network_evt__RETRANSMIT", "network_evt__RESET", "network_evt__DROP",
        "network_evt__OVERFLOW",
    ];

    // What says which kind of thing happened, in words that there are few of.
    private static readonly string[] s_kinds = ["event", "op", "signal", "syscall", "fault", "effect"];

    /// <summary>The filter of a kind of event; none: all pass.</summary>
    public EventFilter? Of(TraceModule module, EventSchema schema, SessionOptions options)
    {
        var arguments = options.Arguments;
        var given = options.FiltersOf(module).Where(filter => module.Filters.Any(has => has.Name == filter.Dimension.Name)).ToList();
        var parts = given.Where(static filter => filter.Dimension.Name != ErrnoDimension.FlagName).Select(filter => Of(filter, schema))
            .OfType<EventFilter>().ToList();
        var errno = given.Find(static filter => filter.Dimension.Name == ErrnoDimension.FlagName);
        if ((errno is not null || arguments.Has(Thresholds.Failed.Name)) && Has(module, Thresholds.Failed))
            parts.Add(Result(schema.Layout, arguments.Has(Thresholds.Failed.Name), errno));
        if (Thresholds.SlowerNs(arguments) is var slower and > 0 && Has(module, Thresholds.Slower))
        {
            // What has no duration was not slow.
            parts.Add(Duration(schema.Layout) is { } duration ? new SlowFilter(slower, duration)
                : new NumberFilter("--" + Thresholds.Slower.Name, new Dictionary<ulong, FilterBits> { [1] = FilterBits.Allow }, []));
        }

        return parts.Count == 0 ? null : new RecordedFilter(parts);
    }

    /// <summary>Refuses a filter that nothing recorded can be asked about.</summary>
    /// <exception cref="UsageException">There is one; says what to record with.</exception>
    public void Require(TraceModule module, IReadOnlyList<EventSchema> schemas, SessionOptions options)
    {
        foreach (var filter in options.FiltersOf(module).Where(filter => module.Filters.Any(has => has.Name == filter.Dimension.Name)))
        {
            string name = filter.Dimension.Name;
            if (NeededEnrichment(name) is var needed and not Enrichments.None && !description.Enrichments.HasFlag(needed)
                && !(name == "ppid" && schemas.All(static schema => schema.Layout.Find("ppid") is not null)))
                throw new UsageException($"--{name}: was not recorded; record with --enrich {EnrichedColumns.FlagValueOf(needed)}");
            bool isKnown = name == ErrnoDimension.FlagName ? schemas.Any(static schema => ResultFilter.ResultOf(schema.Layout) is not null)
                : schemas.Any(schema => Of(filter, schema) is not null);
            if (!isKnown)
                throw NotRecorded("--" + name, module, module.FlagNeededBy(filter.Dimension, ModuleArguments.None));
        }

        if (Thresholds.SlowerNs(options.Arguments) > 0 && Has(module, Thresholds.Slower) && !schemas.Any(static schema => Duration(schema.Layout) is not null))
            throw NotRecorded("--" + Thresholds.Slower.Name, module, Beside(module));
        if (options.Arguments.Has(Thresholds.Failed.Name) && Has(module, Thresholds.Failed)
            && !schemas.Any(static schema => ResultFilter.ResultOf(schema.Layout) is not null))
            throw NotRecorded("--" + Thresholds.Failed.Name, module, Beside(module));
    }

    /// <summary>Refuses words of a filter whose events were not traced: that none came says nothing of them.</summary>
    /// <param name="module">The module.</param>
    /// <param name="facts">What was recorded of it.</param>
    /// <param name="options">The filters.</param>
    /// <exception cref="UsageException">There is one; says what to record with.</exception>
    public void RequireKinds(TraceModule module, RecordingDescription.ModuleFacts facts, SessionOptions options)
    {
        if (facts.Flags is not { } flags)
            return;
        var recorded = ModuleArguments.None with
        {
            Switches = flags.Where(static flag => flag.Values.Length == 0).Select(static flag => flag.Name).ToHashSet(StringComparer.Ordinal),
            Values = flags.Where(static flag => flag.Values.Length > 0)
                .ToDictionary(static flag => flag.Name, static flag => (IReadOnlyList<string>)flag.Values.Split(',')),
            Filters = Recorded(module, facts),
        };
        foreach (var asked in options.FiltersOf(module).Where(static filter => s_kinds.Contains(filter.Dimension.Name)))
        {
            var before = recorded.Filters.GetValueOrDefault(asked.Dimension.Name);
            // A word may stand for several keys, as a class of calls does.
            var words = asked.Bits.Where(static key => key.Value.HasFlag(FilterBits.Allow)).Select(static key => key.Key);
            foreach (var word in words.GroupBy(static key => key.Text))
            {
                bool wasLeftOut = !description.IsSteered && before is not null && word.All(key => !Passes(before, key));
                // What is attached stays so; what a filter alone decides may have been changed.
                bool mayHaveCome = description.IsSteered && module.EventsByFlag.Count == 0;
                bool wasNotTraced = !mayHaveCome && word.All(key => !module.Traces(asked.Dimension, key, recorded));
                string text = $"--{asked.Dimension.Name} {Escaping.ForMessage(word.Key)}";
                if (wasLeftOut || wasNotTraced)
                    throw new UsageException($"{text}: was not recorded; record with {text}");
            }
        }

        ulong slower = Thresholds.SlowerNs(recorded), wanted = Thresholds.SlowerNs(options.Arguments);
        if (wanted > 0 && wanted < slower)
            throw new UsageException(
                $"--{Thresholds.Slower.Name}: of module {module.Name} only what took {recorded.Of(Thresholds.Slower.Name)[0]} was recorded; " +
                $"record with --{Thresholds.Slower.Name} {options.Arguments.Of(Thresholds.Slower.Name)[0]}");
    }

    private static Dictionary<string, FilterExpression> Recorded(TraceModule module, RecordingDescription.ModuleFacts facts)
    {
        var filters = new Dictionary<string, FilterExpression>(StringComparer.Ordinal);
        foreach (var (name, values) in facts.Filters.Where(static filter => s_kinds.Contains(filter.Name)))
        {
            try
            {
                if (module.Filters.FirstOrDefault(has => has.Name == name) is { } dimension)
                    filters[name] = FilterExpression.Parse(dimension, [values]);
            }
            catch (UsageException)
            {
                // Words that this veil does not know say nothing here.
            }
        }

        return filters;
    }

    private static bool Passes(FilterExpression filter, FilterKey key)
    {
        var bits = filter.Bits.FirstOrDefault(one => one.Key.Bits == key.Bits).Value;
        return !bits.HasFlag(FilterBits.Deny) && (bits.HasFlag(FilterBits.Allow) || !filter.Bits.Values.Any(static one => one.HasFlag(FilterBits.Allow)));
    }

    private static string? Beside(TraceModule module) =>
        module.EventsByFlag.FirstOrDefault(static kind => kind.Flags.Contains(Thresholds.Slower.Name))?.Flags[0];

    private static UsageException NotRecorded(string flag, TraceModule module, string? needed) =>
        new($"{flag}: of module {module.Name} that was not recorded{(needed is null ? "" : $"; record with --{needed}")}");

    private static bool Has(TraceModule module, ModuleFlag flag) => module.Flags.Any(has => has.Name == flag.Name);

    private static Enrichments NeededEnrichment(string dimension) => dimension switch
    {
        "ppid" => Enrichments.Parent,
        CgroupDimension.FlagName => Enrichments.Cgroup,
        ContainerDimension.FlagName or PodDimension.FlagName => Enrichments.Container,
        _ => Enrichments.None,
    };

    private EventFilter? Of(FilterExpression filter, EventSchema schema)
    {
        var layout = schema.Layout;
        string flag = "--" + filter.Dimension.Name;
        var call = layout.Members.FirstOrDefault(static member => member.Type == CallView.TypeName);
        switch (filter.Dimension.Name)
        {
            case "pid" or "tid" or "port":
                return Numbers(flag, filter, Places(layout, filter.Dimension.Name));
            case "name":
                return new RecordedNameFilter(filter, Places(layout, "comm"));
            case "uid":
                return layout.Find("uid") is { } uid ? new RecordedUserFilter(filter, uid, names) : null;
            case "ppid":
                var own = layout.Find("ppid");
                var origin = schema.Origin?.Find("ppid");
                return Numbers(flag, filter, own is not null ? [own]
                    : origin is not null ? [origin with { Offset = origin.Offset + schema.OriginOffset }] : []);
            case CgroupDimension.FlagName or ContainerDimension.FlagName or PodDimension.FlagName:
                return schema.HasOrigin ? new RecordedScopeFilter(filter, names) : null;
            case "syscall":
                var syscall = call ?? layout.Members.FirstOrDefault(static member => member.Type == "veil_syscall_t");
                return syscall is null ? null : Numbers(flag, filter, [syscall with { Size = sizeof(ulong) }]);
            case FdDimension.FlagName:
                return call is null ? null : new RecordedDescriptorFilter(Keys(filter), call);
            case "path":
                return call is null ? null : new RecordedCallPathFilter(filter, call);
            case "file":
                var paths = schema.Fields.Where(static field => field.Name is "filename" or "target").Select(static field => field.Value).ToList();
                return paths.Count == 0 ? null : new PathFilter(flag, PathAutomaton.Of(filter.Bits), paths);
            case "signal":
                return layout.Find("signal") is { Size: >= sizeof(uint) } signal ? Numbers(flag, filter, [signal with { Size = sizeof(uint) }]) : null;
            case "fault" or "event":
                return Words(flag, filter, layout.Find("evt_type"));
            case "op" or "effect":
                return Words(flag, filter, layout.Find(filter.Dimension.Name));
            default:
                return Numbers(flag, filter, layout.Find(filter.Dimension.Name) is { } place ? [place] : []);
        }
    }

    // Of an event with two sides both are meant.
    private static List<EventMember> Places(EventLayout layout, string name)
    {
        string[] all = name == "port" ? ["sport", "dport"] : [name, "next_" + name, "target_" + name];
        return [.. all.Select(layout.Find).OfType<EventMember>()];
    }

    private static NumberFilter? Numbers(string flag, FilterExpression filter, List<EventMember> places) =>
        places.Count == 0 ? null : new NumberFilter(flag, Keys(filter), places);

    // The kernel that was recorded numbers them as it describes them.
    private static NumberFilter? Words(string flag, FilterExpression filter, EventMember? place)
    {
        if (place is null)
            return null;
        var keys = new Dictionary<ulong, FilterBits>();
        foreach (var (key, bits) in filter.Bits)
        {
            long number = place.Values.FirstOrDefault(value => value.Name.EndsWith("__" + key.Text, StringComparison.Ordinal), ("", -1)).Value;
            keys[(uint)number] = bits | keys.GetValueOrDefault((uint)number);
        }

        return new NumberFilter(flag, keys, [place]);
    }

    private static Dictionary<ulong, FilterBits> Keys(FilterExpression filter) =>
        filter.Bits.ToDictionary(static key => (ulong)key.Key.Bits, static key => key.Value);

    /// <summary>The member that says how long it took, or none.</summary>
    public static EventMember? Duration(EventLayout layout) => layout.Find("duration_ns") ?? layout.Find("wait_ns");

    private static ResultFilter Result(EventLayout layout, bool onlyFailed, FilterExpression? errno)
    {
        var type = layout.Find("evt_type");
        return new ResultFilter(
            onlyFailed, errno is null ? new Dictionary<ulong, FilterBits>() : Keys(errno), ResultFilter.ResultOf(layout),
            ResultFilter.FailingOf(layout),
            (type, [.. (type?.Values ?? []).Where(static value => s_failures.Contains(value.Name))
            .Select(static value => value.Value)]));
    }
}
