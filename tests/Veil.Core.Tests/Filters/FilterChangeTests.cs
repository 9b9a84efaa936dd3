// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;

namespace Veil.Core.Tests.Filters;

/// <summary>
/// The order of the stores, by trying everything: small filters, every command, and a program that does each of its reads at each
/// point of the change. It has to decide as the filter before or the filter after it.
/// </summary>
public sealed class FilterChangeTests
{
    private static readonly Dictionary<FilterKey, FilterBits> s_nothing = [];
    private static readonly FilterBits[] s_bits = [FilterBits.None, FilterBits.Allow, FilterBits.Deny, FilterBits.Allow | FilterBits.Deny];

    // 0 and 64 share their bit of the hint.
    private static readonly ulong[] s_keys = [0, 1, 64];

    private static readonly FilterKey[] s_names = [Name("a"), Name("bb")];

    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    public void Plan_EveryCommandOnEverySmallFilter_NoEventIsDecidedByNeither(int keyBytes)
    {
        int checkedEvents = 0;
        foreach (var before in Filters())
        {
            foreach (var after in Filters().Where(after => IsOneCommand(before, after)))
            {
                var plan = FilterChange.Plan(new PidDimension(), keyBytes, before, after);
                var states = States(keyBytes, before, plan);
                foreach (ulong key in (ulong[])[.. s_keys, 2])
                {
                    bool old = Passes(before, key), next = Passes(after, key);
                    foreach (bool decided in EveryTiming(states, plan, key))
                    {
                        (decided == old || decided == next).ShouldBeTrue($"{Text(before)} to {Text(after)}, key {key}: {decided}");
                        checkedEvents++;
                    }
                }
            }
        }

        checkedEvents.ShouldBeGreaterThan(10_000);
    }

    // A name's verdict is remembered with the generation that was read before the search; an event takes it if the generation is
    // still that one, and searches itself otherwise (veil_name_bits).
    [Fact]
    public void Plan_EveryCommandOnEveryNameFilter_NoEventIsDecidedByNeitherNorByAnOldVerdict()
    {
        foreach (var before in NameFilters())
        {
            foreach (var after in NameFilters().Where(after => IsOneCommand(before, after)))
            {
                var plan = FilterChange.Plan(new NameDimension(), 16, before, after);
                var states = States(new NameDimension(), 16, before, plan);
                foreach (var name in s_names.Append(Name("ccc")))
                {
                    bool old = Passes(before, (ulong)name.Bits), next = Passes(after, (ulong)name.Bits);
                    foreach (bool decided in EveryTiming(states, plan, name))
                        (decided == old || decided == next).ShouldBeTrue($"{Text(before)} to {Text(after)}, {name.Text}: {decided}");
                    DecideName(states[^1], Search(states[^1], states[^1], name)).ShouldBe(next);
                }
            }
        }
    }

    [Fact]
    public void Plan_EveryPairOfFilters_EndsAsTheFilterAfter()
    {
        foreach (var before in Filters())
        {
            foreach (var after in Filters())
            {
                var state = States(4, before, FilterChange.Plan(new PidDimension(), 4, before, after))[^1];
                foreach (ulong key in (ulong[])[.. s_keys, 2])
                    Decide(state, state, state, state, key).ShouldBe(Passes(after, key));
                state.Map.Count.ShouldBe(after.Count);
            }
        }
    }

    [Fact]
    public void Plan_NoChange_IsNoStore()
    {
        var filter = FilterExpression.Parse(new NameDimension(), ["a", "!b"]).Bits;

        FilterChange.Plan(new NameDimension(), 16, filter, filter).ShouldBeEmpty();
    }

    [Fact]
    public void Plan_Names_RaiseTheGenerationAfterTheKeysAndBeforeTheMode() =>
        FilterChange.Plan(new NameDimension(), 16, s_nothing, FilterExpression.Parse(new NameDimension(), ["ab"]).Bits)
            .Select(static store => store.Kind).ShouldBe(
            [FilterStoreKind.Hint, FilterStoreKind.NameLengths, FilterStoreKind.SetKey, FilterStoreKind.NameGeneration,
                FilterStoreKind.Mode]);

    [Fact]
    public void Plan_LastAllowedKey_WaitsForProgramsBeforeTheKeyGoes()
    {
        var filter = FilterExpression.Parse(new PidDimension(), ["7"]).Bits;

        FilterChange.Plan(new PidDimension(), 4, filter, s_nothing).Select(static store => store.Kind).ShouldBe(
            [FilterStoreKind.Mode, FilterStoreKind.Grace, FilterStoreKind.RemoveKey, FilterStoreKind.Single, FilterStoreKind.Hint]);
    }

    // A command adds or removes bits of one kind.
    private static bool IsOneCommand(Dictionary<FilterKey, FilterBits> before, Dictionary<FilterKey, FilterBits> after)
    {
        var added = FilterBits.None;
        var removed = FilterBits.None;
        foreach (var key in before.Keys.Concat(after.Keys))
        {
            var (old, next) = (before.GetValueOrDefault(key), after.GetValueOrDefault(key));
            added |= next & ~old;
            removed |= old & ~next;
        }

        return (added == FilterBits.None || removed == FilterBits.None) && (added | removed) is FilterBits.Allow or FilterBits.Deny;
    }

    // The program's reads in its order (veil_filter_passes): mode, single, hint, map; each no earlier than the one before. It ends
    // before a grace period does that it began before.
    private static IEnumerable<bool> EveryTiming(List<Kernel> states, IReadOnlyList<FilterStore> plan, ulong key)
    {
        for (int mode = 0; mode < states.Count; mode++)
        {
            int end = mode;
            while (end < plan.Count && plan[end].Kind != FilterStoreKind.Grace)
                end++;
            for (int single = mode; single <= end; single++)
            {
                for (int hint = single; hint <= end; hint++)
                {
                    for (int map = hint; map <= end; map++)
                        yield return Decide(states[mode], states[single], states[hint], states[map], key);
                }
            }
        }
    }

    private static IEnumerable<bool> EveryTiming(List<Kernel> states, IReadOnlyList<FilterStore> plan, FilterKey name)
    {
        for (int mode = 0; mode < states.Count; mode++)
        {
            if (states[mode].Mode == FilterBits.None)
                yield return true;
            for (int at = mode; at <= End(mode); at++)
            {
                // Its own search: generation, lengths, map.
                for (int lengths = at; lengths <= End(mode); lengths++)
                {
                    for (int map = lengths; map <= End(mode); map++)
                        yield return DecideName(states[mode], Search(states[lengths], states[map], name));
                }

                // What another program found out before, in any of its timings.
                for (int first = 0; first <= at; first++)
                {
                    if (states[first].Mode == FilterBits.None)
                        continue;
                    for (int generation = first; generation <= Math.Min(at, End(first)); generation++)
                    {
                        if (states[generation].Generation != states[at].Generation)
                            continue;
                        for (int lengths = generation; lengths <= Math.Min(at, End(first)); lengths++)
                        {
                            for (int map = lengths; map <= Math.Min(at, End(first)); map++)
                                yield return DecideName(states[mode], Search(states[lengths], states[map], name));
                        }
                    }
                }
            }
        }

        int End(int from)
        {
            int end = from;
            while (end < plan.Count && plan[end].Kind != FilterStoreKind.Grace)
                end++;
            return end;
        }
    }

    private static FilterBits Search(Kernel lengths, Kernel map, FilterKey name) =>
        (lengths.Lengths >> NameDimension.LengthOf(name) & 1) == 0 ? FilterBits.None : map.Map.GetValueOrDefault((ulong)name.Bits);

    private static bool DecideName(Kernel mode, FilterBits bits) =>
        mode.Mode == FilterBits.None || ((bits & FilterBits.Deny) == FilterBits.None
            && ((mode.Mode & FilterBits.Allow) == FilterBits.None || (bits & FilterBits.Allow) != FilterBits.None));

    private static bool Decide(Kernel mode, Kernel single, Kernel hint, Kernel map, ulong key)
    {
        if (mode.Mode == FilterBits.None)
            return true;
        var bits = FilterBits.None;
        if (single.Single != 0)
            bits = single.Single == (FilterChange.SingleFlag | key) ? mode.Mode : FilterBits.None;
        else if ((hint.Hint >> (int)(key % 64) & 1) != 0)
            bits = map.Map.GetValueOrDefault(key);
        return (bits & FilterBits.Deny) == FilterBits.None
            && ((mode.Mode & FilterBits.Allow) == FilterBits.None || (bits & FilterBits.Allow) != FilterBits.None);
    }

    private static bool Passes(Dictionary<FilterKey, FilterBits> filter, ulong key)
    {
        var bits = filter.FirstOrDefault(entry => entry.Key.Bits == key).Value;
        bool allows = filter.Values.Any(static bits => (bits & FilterBits.Allow) != FilterBits.None);
        return (bits & FilterBits.Deny) == FilterBits.None && (!allows || (bits & FilterBits.Allow) != FilterBits.None);
    }

    // The kernel's side before the change and after each store.
    private static List<Kernel> States(int keyBytes, Dictionary<FilterKey, FilterBits> before, IReadOnlyList<FilterStore> plan) =>
        States(new PidDimension(), keyBytes, before, plan);

    private static List<Kernel> States(
        FilterDimension dimension, int keyBytes, Dictionary<FilterKey, FilterBits> before, IReadOnlyList<FilterStore> plan)
    {
        var state = new Kernel(FilterBits.None, 0, 0, 0, 0, []);
        foreach (var store in FilterChange.Plan(dimension, keyBytes, s_nothing, before))
            state = state.After(store);
        var states = new List<Kernel> { state };
        foreach (var store in plan)
            states.Add(state = state.After(store));
        return states;
    }

    private static IEnumerable<Dictionary<FilterKey, FilterBits>> Filters() => Filters([.. s_keys.Select(Key)]);

    private static IEnumerable<Dictionary<FilterKey, FilterBits>> NameFilters() => Filters(s_names);

    private static IEnumerable<Dictionary<FilterKey, FilterBits>> Filters(FilterKey[] keys)
    {
        for (int number = 0; number < Math.Pow(s_bits.Length, keys.Length); number++)
        {
            var filter = new Dictionary<FilterKey, FilterBits>(FilterKeyByBits.Instance);
            int rest = number;
            foreach (var key in keys)
            {
                if (s_bits[rest % s_bits.Length] is not FilterBits.None and var bits)
                    filter[key] = bits;
                rest /= s_bits.Length;
            }

            yield return filter;
        }
    }

    private static FilterKey Name(string text) => FilterExpression.Parse(new NameDimension(), [text]).Bits.Keys.Single();

    private static FilterKey Key(ulong key) => new(key, key.ToString());

    private static string Text(Dictionary<FilterKey, FilterBits> filter) =>
        "{" + string.Join(' ', filter.Select(static entry => $"{entry.Key.Text}:{(int)entry.Value}")) + "}";

    private sealed record Kernel(
        FilterBits Mode, ulong Hint, ulong Single, ulong Lengths, int Generation, Dictionary<ulong, FilterBits> Map)
    {
        public Kernel After(in FilterStore store) => store.Kind switch
        {
            FilterStoreKind.Mode => this with { Mode = (FilterBits)store.Value },
            FilterStoreKind.Hint => this with { Hint = store.Value },
            FilterStoreKind.Single => this with { Single = store.Value },
            FilterStoreKind.SetKey => this with { Map = new(Map) { [(ulong)store.Key.Bits] = (FilterBits)store.Value } },
            FilterStoreKind.RemoveKey => this with { Map = Without((ulong)store.Key.Bits) },
            FilterStoreKind.NameLengths => this with { Lengths = store.Value },
            FilterStoreKind.NameGeneration => this with { Generation = Generation + 1 },
            _ => this,
        };

        private Dictionary<ulong, FilterBits> Without(ulong key)
        {
            var map = new Dictionary<ulong, FilterBits>(Map);
            map.Remove(key);
            return map;
        }
    }
}
