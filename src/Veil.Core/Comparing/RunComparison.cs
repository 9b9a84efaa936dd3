// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Core.Comparing;

/// <summary>
/// What differs between two runs of a command. Processes stand for each other by their role: their parents do, and they have the same name
/// and the same place among those that have it. So do threads. Their events are aligned in their order; time decides nothing.
/// </summary>
internal sealed class RunComparison
{
    private readonly Alignment _alignment = new();

    /// <summary>Compares.</summary>
    public RunComparison(Run good, Run bad)
    {
        Compare(good.Roots, bad.Roots, "");
        Roles.Sort(static (one, other) => (one.First!.TimeUs, one.Role).CompareTo((other.First!.TimeUs, other.Role)));
        First = Roles.Count > 0 ? Roles[0].First : null;
    }

    /// <summary>What differs, by role, in the order of the first difference of each.</summary>
    public List<RoleDifferences> Roles { get; } = [];

    /// <summary>The first difference of all; none: the runs are the same.</summary>
    public Difference? First { get; }

    /// <summary>The first that fails in the bad run, and not in the good one.</summary>
    public Difference? FirstFailure { get; private set; }

    /// <summary>What calls come to, by role and call: of the good and of the bad run.</summary>
    public Dictionary<(string Role, int Call), (CallTotals Good, CallTotals Bad)> Totals { get; } = [];

    /// <summary>Events that are equal in both.</summary>
    public long Equal { get; private set; }

    private void Compare(List<RunProcess> good, List<RunProcess> bad, string above)
    {
        // Deep trees take no stack.
        var waiting = new Stack<(List<RunProcess> Good, List<RunProcess> Bad, string Above)>();
        waiting.Push((good, bad, above));
        while (waiting.TryPop(out var level))
        {
            var names = new Dictionary<string, int>();
            foreach (var (one, other) in Pairs(level.Good, level.Bad))
            {
                string name = (one ?? other)!.Name;
                int place = names[name] = names.GetValueOrDefault(name) + 1;
                string role = (level.Above.Length > 0 ? level.Above + " > " : "") + name
                    + (place > 1 ? string.Create(CultureInfo.InvariantCulture, $"[{place}]") : "");
                AddTotals(role, one, other);
                if (one is not null && other is not null)
                {
                    CompareThreads(role, one, other);
                    waiting.Push((one.Children, other.Children, role));
                }
                else
                {
                    Add(role, one, other);
                    waiting.Push((one?.Children ?? [], other?.Children ?? [], role));
                }
            }
        }
    }

    // Those that execute the same; of the others those of one name; of the others those that were made as the same.
    private static List<(RunProcess? Good, RunProcess? Bad)> Pairs(List<RunProcess> good, List<RunProcess> bad)
    {
        var stands = new Dictionary<RunProcess, RunProcess>();
        var taken = new HashSet<RunProcess>();
        foreach (var key in (Func<RunProcess, string>[])[
            static process => process.Name + "\n" + process.Executed, static process => process.Name, static process => process.FirstName])
        {
            var free = bad.Where(process => !taken.Contains(process)).GroupBy(key).ToDictionary(
                static of => of.Key, static of => new Queue<RunProcess>(of));
            foreach (var process in good.Where(process => !stands.ContainsKey(process)))
            {
                if (free.TryGetValue(key(process), out var queue) && queue.TryDequeue(out var other) && taken.Add(other))
                    stands[process] = other;
            }
        }

        return [.. good.Select(process => ((RunProcess?)process, stands.GetValueOrDefault(process))),
            .. bad.Where(process => !taken.Contains(process)).Select(static process => ((RunProcess?)null, (RunProcess?)process))];
    }

    private void AddTotals(string role, RunProcess? good, RunProcess? bad)
    {
        foreach (var (call, totals) in good?.Totals ?? [])
            Totals[(role, call)] = (totals, default);
        foreach (var (call, totals) in bad?.Totals ?? [])
            Totals[(role, call)] = (Totals.GetValueOrDefault((role, call)).Good, totals);
    }

    private void Add(string role, RunProcess? good, RunProcess? bad)
    {
        int CountOf(RunProcess? process) => process?.Threads.Sum(static thread => thread.Lanes.Sum(static lane => lane.Value.Count)) ?? 0;
        Roles.Add(new RoleDifferences(role)
        {
            Missing = CountOf(good),
            Extra = CountOf(bad),
            First = new(role, 0, null, null, (bad ?? good)!.FirstUs) { IsExtraProcess = good is null },
        });
    }

    private void CompareThreads(string role, RunProcess good, RunProcess bad)
    {
        // The first thread stands for the first, whatever its name.
        RunThread? first = good.Threads.Find(thread => thread.Tid == good.Pid), other = bad.Threads.Find(thread => thread.Tid == bad.Pid);
        CompareLanes(role, first ?? new RunThread(0), other ?? new RunThread(0));
        var free = bad.Threads.Where(thread => thread != other).GroupBy(static thread => thread.Name).ToDictionary(
            static of => of.Key, static of => new Queue<RunThread>(of));
        var names = new Dictionary<string, int>();
        foreach (var thread in good.Threads.Where(thread => thread != first))
        {
            RunThread? like = null;
            if (free.TryGetValue(thread.Name, out var queue))
                queue.TryDequeue(out like);
            CompareLanes(ThreadRole(role, thread, names), thread, like ?? new RunThread(0));
        }

        foreach (var thread in free.Values.SelectMany(static of => of))
            CompareLanes(ThreadRole(role, thread, names), new RunThread(0), thread);
    }

    private static string ThreadRole(string role, RunThread thread, Dictionary<string, int> names)
    {
        int place = names[thread.Name] = names.GetValueOrDefault(thread.Name) + 1;
        return string.Create(CultureInfo.InvariantCulture, $"{role} > thread {thread.Name}") + (place > 1 ? $"[{place}]" : "");
    }

    private void CompareLanes(string role, RunThread good, RunThread bad)
    {
        var differences = new RoleDifferences(role);
        foreach (string lane in good.Lanes.Keys.Union(bad.Lanes.Keys))
            CompareLane(differences, good.Lanes.GetValueOrDefault(lane) ?? [], bad.Lanes.GetValueOrDefault(lane) ?? []);
        Equal += differences.Equal;
        if (differences.First is not null)
            Roles.Add(differences);
    }

    private void CompareLane(RoleDifferences differences, List<RunEvent> good, List<RunEvent> bad)
    {
        int fromGood = 0, fromBad = 0, equal = 0;
        foreach (var (atGood, atBad, length) in _alignment.Find(good, bad).Append((good.Count, bad.Count, 0)))
        {
            CompareGap(differences, good, (fromGood, atGood), bad, (fromBad, atBad), equal);
            for (int i = 0; i < length; i++)
            {
                RunEvent one = good[atGood + i], other = bad[atBad + i];
                if (one.Whole == other.Whole)
                {
                    equal++;
                    continue;
                }

                differences.Changed++;
                Note(differences, new(differences.Role, equal, one, other, other.TimeUs));
            }

            (fromGood, fromBad) = (atGood + length, atBad + length);
        }

        differences.Equal += equal;
    }

    // What stands between events that are the same: calls of one name stand for each other, with other paths.
    private void CompareGap(
        RoleDifferences differences, List<RunEvent> good, (int From, int To) ofGood, List<RunEvent> bad, (int From, int To) ofBad,
        int equal)
    {
        if (ofGood.From == ofGood.To && ofBad.From == ofBad.To)
            return;
        var free = new Dictionary<int, Queue<int>>();
        for (int at = ofBad.From; at < ofBad.To; at++)
        {
            if (!free.TryGetValue(bad[at].Name, out var queue))
                free.Add(bad[at].Name, queue = new());
            queue.Enqueue(at);
        }

        uint now = ofBad.From < bad.Count ? bad[ofBad.From].TimeUs : bad.Count > 0 ? bad[^1].TimeUs
            : good[ofGood.From].TimeUs;
        var taken = new Dictionary<int, int>();
        int? standsForFirst = null;
        for (int at = ofGood.From; at < ofGood.To; at++)
        {
            if (!free.TryGetValue(good[at].Name, out var queue) || !queue.TryDequeue(out int other))
            {
                differences.Missing++;
                continue;
            }

            if (at == ofGood.From)
                standsForFirst = other;
            taken.Add(other, at);
            differences.Changed++;
        }

        RunEvent? firstBad = ofBad.From < ofBad.To && !taken.ContainsKey(ofBad.From) ? bad[ofBad.From] : null;
        RunEvent? one = ofGood.From < ofGood.To ? good[ofGood.From] : null, instead = firstBad;
        if (standsForFirst is { } found && firstBad is null)
            instead = bad[found];
        else if (standsForFirst is not null)
            one = null;
        Note(differences, new(differences.Role, equal, one, instead, instead?.TimeUs ?? now));
        for (int at = ofBad.From; at < ofBad.To; at++)
        {
            bool isPaired = taken.TryGetValue(at, out int pair);
            if (!isPaired)
                differences.Extra++;
            if (bad[at].Failed && !(isPaired && good[pair].Failed))
                NoteFailure(new(differences.Role, equal, isPaired ? good[pair] : null, bad[at], bad[at].TimeUs));
        }
    }

    private void Note(RoleDifferences differences, Difference found)
    {
        if (differences.First is null || found.TimeUs < differences.First.TimeUs)
            differences.First = found;
        if (found is { Bad: { Failed: true } } && found.Good is not { Failed: true })
            NoteFailure(found);
    }

    private void NoteFailure(Difference found)
    {
        if (FirstFailure is null || found.TimeUs < FirstFailure.TimeUs)
            FirstFailure = found;
    }
}
