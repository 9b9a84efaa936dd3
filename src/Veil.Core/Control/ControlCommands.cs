// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Session;
using Veil.Core.Sources;
using Veil.Core.Text;

namespace Veil.Core.Control;

/// <summary>The commands that steer a trace, for the prompt and the socket alike. From any thread; one command at a time.</summary>
/// <param name="session">The trace.</param>
/// <param name="catalog">All modules that there are, so that a mistake can say whose a filter is.</param>
public sealed class ControlCommands(TraceSession session, IReadOnlyList<TraceModule> catalog)
{
    /// <summary>All commands, as <c>help</c> lists them.</summary>
    public static IReadOnlyList<(string Name, string Arguments, string Summary)> Commands { get; } =
    [
        ("add", "[MODULE] MAP KEY…", "put keys into a filter"),
        ("del", "[MODULE] MAP KEY…", "take keys out"),
        ("list", "[MODULE] MAP", "show a filter's keys"),
        ("clear", "[MODULE] MAP", "take all keys out"),
        ("status", "[json]", "hooks, filters, events, losses"),
        ("pause", "", "drop events, and count them"),
        ("resume", "", "show events again"),
        ("help", "", "this list"),
        ("quit", "", "end the trace; exit does the same"),
    ];

    private const string DenySuffix = "_deny";

    private readonly Lock _gate = new();
    private ulong _droppedBeforePause;

    /// <summary>The commands' names.</summary>
    public static IEnumerable<string> Names => Commands.Select(static command => command.Name).Append("exit");

    /// <summary>Runs one command.</summary>
    /// <param name="line">The command and its arguments, separated by blanks.</param>
    /// <returns>The answer. Nothing has changed where it is an error.</returns>
    public ControlAnswer Execute(string line)
    {
        string[] words = [.. ListText.SplitWords(line)];
        if (words.Length == 0)
            return ControlAnswer.Error("an empty line is no command; help lists them");
        try
        {
            lock (_gate)
                return Run(words[0], words.AsSpan(1));
        }
        catch (UsageException wrong)
        {
            return ControlAnswer.Error(wrong.Message);
        }
        catch (BpfException refused)
        {
            return ControlAnswer.Error(refused.Message);
        }
    }

    /// <summary>What the last word before the cursor may become: commands, modules and filters, keys by name.</summary>
    /// <param name="before">The line up to the cursor.</param>
    public IReadOnlyList<string> Complete(string before)
    {
        int start = before.AsSpan().LastIndexOfAny(' ', ',') + 1;
        string word = before[start..];
        string[] earlier = before[..start].Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        IEnumerable<string> names = earlier switch
        {
            [] => Names,
            ["status"] => ["json"],
            ["add" or "del" or "list" or "clear"] => MapNames(session.Modules).SelectMany(static map => new[] { map, map + DenySuffix })
                .Concat(session.Modules.Select(static module => module.Module.Name)).Distinct(StringComparer.Ordinal),
            ["add" or "del" or "list" or "clear", var module] when session.Modules.Where(Named(module)).ToList() is { Count: > 0 } named
                && !MapNames(named).Contains(module, StringComparer.Ordinal) =>
                MapNames(named).SelectMany(static map => new[] { map, map + DenySuffix }),
            ["add", ..] => KeyNames(earlier[1..]),
            _ => [],
        };
        return [.. names.Where(name => name.StartsWith(word, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    private IEnumerable<string> KeyNames(string[] words)
    {
        var dimensions = session.Modules.SelectMany(static module => module.Filters).Select(static filter => filter.Dimension).ToList();
        string? map = words.Take(2).Select(DimensionOf).LastOrDefault(name => dimensions.Exists(dimension => dimension.Name == name));
        return dimensions.Find(dimension => dimension.Name == map)?.KeyNames() ?? [];
    }

    private ControlAnswer Run(string command, ReadOnlySpan<string> arguments) => command switch
    {
        "add" => Change(command, arguments, static (held, bit) => held | bit),
        "del" => Change(command, arguments, static (held, bit) => held & ~bit),
        "clear" => Clear(arguments),
        "list" => List(arguments),
        "status" => arguments switch
        {
            [] => ControlAnswer.Listing(StatusText.Lines(session.Status())),
            ["json"] => ControlAnswer.Ok(StatusText.Json(session.Status())),
            _ => throw new UsageException("status: takes nothing, or json"),
        },
        "pause" => None(command, arguments, Pause),
        "resume" => None(command, arguments, Resume),
        "help" => None(command, arguments, Help),
        "quit" or "exit" => None(command, arguments, Quit),
        _ => throw new UsageException(
            $"unknown command '{Escaping.ForMessage(command)}'{NearestName.Hint(command, Names)} (available: {string.Join(", ", Names)})"),
    };

    private static ControlAnswer None(string command, ReadOnlySpan<string> arguments, Func<ControlAnswer> run) =>
        arguments.IsEmpty ? run()
            : throw new UsageException($"{command}: takes nothing after it, but there is '{Escaping.ForMessage(arguments[0])}'");

    private static ControlAnswer Help() => ControlAnswer.Listing(
    [
        .. Commands.Select(static command => $"{command.Name + " " + command.Arguments,-24} {command.Summary}"),
        "MAP is the name of a filter (pid, tid, uid, name, syscall, …), or with _deny behind it the keys that it denies.",
    ]);

    private ControlAnswer Pause()
    {
        if (session.Paused)
            return ControlAnswer.Ok("paused already");
        _droppedBeforePause = session.Status().DroppedPaused;
        session.Paused = true;
        return ControlAnswer.Ok("paused");
    }

    private ControlAnswer Resume()
    {
        if (!session.Paused)
            return ControlAnswer.Ok("not paused");
        session.Paused = false;
        ulong dropped = session.Status().DroppedPaused - _droppedBeforePause;
        return ControlAnswer.Ok($"resumed; {dropped} {(dropped == 1 ? "event" : "events")} dropped while paused");
    }

    private ControlAnswer Quit()
    {
        session.RequestStop();
        return ControlAnswer.Ok();
    }

    private ControlAnswer Change(string command, ReadOnlySpan<string> arguments, Func<FilterBits, FilterBits, FilterBits> change)
    {
        var view = FindView(command, ref arguments);
        if (arguments.IsEmpty)
            throw new UsageException($"{command} {view.Name}: say which key: {view.Maps[0].Dimension.AcceptedForm}");
        var keys = FilterExpression.ReadKeys(view.Maps[0].Dimension, view.Name, arguments.ToArray());
        if (command == "add")
            FilterExpression.RequireOneThatCanMatch(view.Maps[0].Dimension, view.Name, keys);
        if (view.Bit == FilterBits.Deny && keys.FirstOrDefault(static key => key.Denied) is { Key.Text: { } text })
            throw new UsageException($"{view.Name}: it denies already; leave the '!' of '!{Escaping.ForMessage(text)}' out");

        // Everything is worked out before anything is changed: a list applies as a whole or not at all.
        var wanted = new List<Dictionary<FilterKey, FilterBits>>();
        foreach (var map in view.Maps)
        {
            var after = new Dictionary<FilterKey, FilterBits>(map.Keys, FilterKeyByBits.Instance);
            foreach (var (key, denied) in keys)
            {
                after.TryGetValue(key, out var held);
                if (command == "del" && (held & (denied ? FilterBits.Deny : view.Bit)) == FilterBits.None)
                    throw new UsageException($"{view.Name}: '{Escaping.ForMessage(key.Text)}' is not there");
            }

            foreach (var (key, denied) in keys)
            {
                after.TryGetValue(key, out var held);
                Put(after, key, change(held, denied ? FilterBits.Deny : view.Bit));
            }

            if (after.Count > FilterExpression.KeysMax)
                throw new UsageException($"{view.Name}: {after.Count} keys, but a filter holds at most {FilterExpression.KeysMax}");
            wanted.Add(after);
        }

        return Replace(view, wanted);
    }

    private ControlAnswer Clear(ReadOnlySpan<string> arguments)
    {
        var view = FindView("clear", ref arguments);
        RefuseMore(view, arguments);
        var wanted = new List<Dictionary<FilterKey, FilterBits>>();
        foreach (var map in view.Maps)
        {
            var after = new Dictionary<FilterKey, FilterBits>(FilterKeyByBits.Instance);
            foreach (var (key, bits) in map.Keys)
                Put(after, key, bits & ~view.Bit);
            wanted.Add(after);
        }

        return Replace(view, wanted);
    }

    private ControlAnswer List(ReadOnlySpan<string> arguments)
    {
        var view = FindView("list", ref arguments);
        RefuseMore(view, arguments);
        return ControlAnswer.Listing([.. view.Maps
            .SelectMany(map => map.Keys.Where(entry => (entry.Value & view.Bit) != FilterBits.None))
            .Select(static entry => Escaping.ForMessage(entry.Key.Text)).Distinct(StringComparer.Ordinal)]);
    }

    private ControlAnswer Replace(View view, List<Dictionary<FilterKey, FilterBits>> wanted)
    {
        bool allowed = view.Maps.Any(map => map.Keys.Values.Any(bits => (bits & view.Bit) != FilterBits.None));
        var before = view.Maps.Select(static map => map.Keys).ToList();
        int done = 0;
        try
        {
            for (; done < wanted.Count; done++)
                view.Maps[done].Replace(wanted[done]);
        }
        catch (BpfException)
        {
            while (--done >= 0)
                view.Maps[done].Replace(before[done]);
            throw;
        }

        bool allows = wanted.Any(keys => keys.Values.Any(bits => (bits & view.Bit) != FilterBits.None));
        return ControlAnswer.Ok(
            view.Bit == FilterBits.Allow && allowed && !allows ? $"{view.Dimension} allows everything again: no key is left"
            : InForce(view.Dimension));
    }

    // What a filter is now, in every module that has it: once, where all say the same.
    private string InForce(string dimension)
    {
        var modules =
            session.Modules.Select(
            module => (module.Module.Name, Filter: module.Filters.FirstOrDefault(filter => filter.Dimension.Name == dimension)))
            .Where(static module => module.Filter is not null)
            .Select(static module => (module.Name, Words: StatusText.Words(module.Filter!))).ToList();
        var without =
            session.Modules.SelectMany(
            module => module.FiltersWithoutFlag.Where(filter => filter.Name == dimension)
            .Select(filter => $"; not in {module.Module.Name}: it shows calls as they begin, which have no result yet (--{filter.Flag})"));
        return (modules.TrueForAll(module => module.Words == modules[0].Words)
            ? $"{dimension} {modules[0].Words}"
            : string.Join("; ", modules.Select(module => $"{module.Name} {dimension} {module.Words}"))) + string.Concat(without);
    }

    private static void Put(Dictionary<FilterKey, FilterBits> keys, in FilterKey key, FilterBits bits)
    {
        if (bits == FilterBits.None)
            keys.Remove(key);
        else
            keys[key] = bits;
    }

    private static void RefuseMore(View view, ReadOnlySpan<string> arguments)
    {
        if (!arguments.IsEmpty)
            throw new UsageException($"{view.Name}: takes no key here, but there is '{Escaping.ForMessage(arguments[0])}'");
    }

    // [MODULE] MAP: a map's name alone is the map of every module that has it. `syscall` is both, and a module only before a map.
    private View FindView(string command, ref ReadOnlySpan<string> arguments)
    {
        var attached = session.Modules;
        if (arguments is [var module, ..] && NamesAModule(arguments))
        {
            if (!attached.Any(Named(module)))
                throw new UsageException(
                    $"{command}: module {module} is not traced " +
                    $"({string.Join(", ", session.Modules.Select(static traced => traced.Module.Name).Distinct(StringComparer.Ordinal))} {(session.Modules.Count == 1 ? "is" : "are")})");
            attached = [.. attached.Where(Named(module))];
            arguments = arguments[1..];
        }

        if (arguments.IsEmpty)
            throw new UsageException($"{command}: say which filter: {string.Join(", ", MapNames(attached))}");
        string name = arguments[0];
        arguments = arguments[1..];
        string dimension = DimensionOf(name);
        List<FilterMap> maps =
            [.. attached.SelectMany(static module => module.Filters).Where(filter => filter.Dimension.Name == dimension)];
        return maps.Count > 0
            ? new View(name, dimension, dimension == name ? FilterBits.Allow : FilterBits.Deny, maps)
            : throw NoSuchFilter(command, name, attached);
    }

    // The first word is a module before a filter of whatever module, and where it is no filter itself.
    private bool NamesAModule(ReadOnlySpan<string> arguments)
    {
        string first = arguments[0];
        var filters =
            catalog.SelectMany(static module => module.Filters).Select(static filter => filter.Name).ToHashSet(StringComparer.Ordinal);
        return catalog.Any(module => module.Name == first)
            && (!filters.Contains(first) || (arguments.Length > 1 && filters.Contains(DimensionOf(arguments[1]))));
    }

    // Whose it is, where it is one at all: a filter of another module, or a flag that is for the start.
    private UsageException NoSuchFilter(string command, string name, IReadOnlyList<TracedModule> asked)
    {
        string dimension = DimensionOf(name);
        string whose = string.Join(", ", asked.Select(static module => module.Module.Name).Distinct(StringComparer.Ordinal));
        string available = $"available: {string.Join(", ", MapNames(asked))}, each with {DenySuffix} too";
        if (asked.SelectMany(static module => module.FiltersWithoutFlag)
            .FirstOrDefault(filter => filter.Name == dimension) is { Flag: { } needed })
            return new($"{command}: {dimension}: this trace shows calls as they begin, which have no result yet; start it with --{needed}");
        if (catalog.Any(module => module.Flags.Any(flag => flag.Name == dimension)))
            return new($"{command}: --{dimension} is set when the trace starts, and cannot be changed while it runs ({available})");
        var having =
            catalog.Where(module => module.Filters.Any(filter => filter.Name == dimension)).Select(static module => module.Name).ToList();
        if (having.Count > 0)
            return new(
                $"{command}: {whose} {(whose.Contains(',', StringComparison.Ordinal) ? "have" : "has")} no filter '{dimension}'; " +
                $"{string.Join(", ", having)} {(having.Count == 1 ? "has" : "have")} ({available})");
        var known = MapNames(asked).SelectMany(static map => new[] { map, map + DenySuffix })
            .Concat(session.Modules.Select(static module => module.Module.Name));
        return new($"{command}: unknown filter '{Escaping.ForMessage(name)}'{NearestName.Hint(name, known)} ({available})");
    }

    private static string DimensionOf(string map) => map.EndsWith(DenySuffix, StringComparison.Ordinal) ? map[..^DenySuffix.Length] : map;

    private static Func<TracedModule, bool> Named(string name) => module => module.Module.Name == name;

    private static IEnumerable<string> MapNames(IEnumerable<TracedModule> modules) =>
        modules.SelectMany(static module => module.Filters).Select(static map => map.Dimension.Name).Distinct(StringComparer.Ordinal);

    private sealed record View(string Name, string Dimension, FilterBits Bit, IReadOnlyList<FilterMap> Maps);
}
