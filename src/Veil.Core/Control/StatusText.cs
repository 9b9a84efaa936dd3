// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Veil.Core.Filters;
using Veil.Core.Session;
using Veil.Core.Text;

namespace Veil.Core.Control;

/// <summary>A status for people, and for programs.</summary>
internal static class StatusText
{
    private const int KeysShown = 16;

    public static IReadOnlyList<string> Lines(SessionStatus status)
    {
        var lines = new List<string>
        {
            (status.PausedFor is { } paused ? $"paused for {Seconds(paused)} s, started {Seconds(status.Duration)} s ago"
                : $"tracing for {Seconds(status.Duration)} s")
            + (status.EventsPerSecond is { } rate ? $", {rate} events/s" : "")
            + (status.DroppedPaused > 0 ? $", {status.DroppedPaused} dropped while paused" : "")
            + (status.DroppedByFilter > 0 ? $", {status.DroppedByFilter} dropped by {status.FilterFlag}" : ""),
        };
        if (status.Rings is { } rings)
            lines.Add(
                $"ring     {rings.PendingBytes / 1024} of {rings.Bytes / 1024} KiB " +
                $"({100 * rings.PendingBytes / rings.Bytes}%){(rings.Count > 1 ? $", {rings.Count} rings" : "")}");
        if (status.Budget is { } budget)
            lines.Add(
                Exactly($"budget   {100 * budget.Budget:0.##}% of a CPU, {(budget.Cost is { } share ? Exactly($"{100 * share:F1}% used") : "not measured yet")}: {budget.Rate}")
                + string.Concat(status.Modules.Zip(budget.LeftOut).Where(static one => one.Second > 0)
                    .Select(static one => $", {one.Second} of {one.First.Name} left out")));
        foreach (var module in status.Modules)
        {
            string lost = module.Lost.Count == 0 ? "0 lost"
                : string.Join(
                ", ", module.Lost.Select(
                static cause =>
                $"{cause.Value.Count} lost " +
                $"({cause.Key}{cause.Value.UsersText.Replace(" (", ", ", StringComparison.Ordinal).TrimEnd(')')})"));
            string dropped = module.DroppedPaused > 0 ? $", {module.DroppedPaused} dropped while paused" : "";
            string events = module.Counting is { } counting ? $"counting in the kernel {counting}"
                : $"{module.Events} events{(module.EventsPerSecond is { } perSecond ? $", {perSecond}/s" : "")}";
            lines.Add($"{module.Name,-8} by {module.Hook}, {events}, {lost}{dropped}");
            foreach (var filter in module.Filters)
            {
                AddKeys(lines, filter, FilterBits.Allow, "allows");
                AddKeys(lines, filter, FilterBits.Deny, "denies");
                if (filter.Keys.Count > 0 && filter.Counts() is var (through, not))
                    lines.Add($"  {filter.Dimension.Name} passed {through}, dropped {not}");
            }
        }

        lines.AddRange(status.Cost?.Lines() ?? []);
        return lines;
    }

    public static string Json(SessionStatus status)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteBoolean("paused", status.Paused);
            WriteNumber(json, "paused_seconds", status.PausedFor is { } paused ? Math.Round(paused.TotalSeconds, 3) : null);
            json.WriteNumber("seconds", Math.Round(status.Duration.TotalSeconds, 3));
            WriteNumber(json, "events_per_second", status.EventsPerSecond);
            json.WriteNumber("dropped_paused", status.DroppedPaused);
            json.WriteNumber("dropped_by_filter", status.DroppedByFilter);
            WriteNumber(json, "ring_bytes", status.Rings?.Bytes);
            WriteNumber(json, "rings", status.Rings?.Count);
            WriteNumber(json, "ring_pending_bytes", status.Rings?.PendingBytes);
            if (status.Budget is { } budget)
            {
                json.WriteStartObject("budget");
                json.WriteNumber("percent", Math.Round(100 * budget.Budget, 3));
                WriteNumber(json, "cost_percent", budget.Cost is { } cost ? Math.Round(100 * cost, 3) : null);
                json.WriteString("step", budget.Rate.Name);
                json.WriteNumber("one_in", budget.Rate.OneIn);
                json.WriteStartObject("left_out");
                foreach (var (name, leftOut) in budget.LeftOut.Zip(status.Modules, static (count, module) => (module.Name, count))
                    .GroupBy(static one => one.Name, static one => one.count).Select(static group => (group.Key, group.Aggregate(0ul, static (sum, one) => sum + one))))
                    json.WriteNumber(name, leftOut);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteStartArray("modules");
            foreach (var module in status.Modules)
            {
                json.WriteStartObject();
                json.WriteString("module", module.Name);
                json.WriteString("hook", module.Hook);
                if (module.Counting is { } counting)
                    json.WriteString("counting", counting);
                json.WriteNumber("events", module.Events);
                WriteNumber(json, "events_per_second", module.EventsPerSecond);
                json.WriteNumber("dropped_paused", module.DroppedPaused);
                json.WriteStartObject("lost");
                foreach (var (cause, lost) in module.Lost)
                    json.WriteNumber(cause, lost.Count);
                json.WriteEndObject();
                json.WriteStartObject("lost_uids");
                foreach (var (cause, lost) in module.Lost.Where(static entry => entry.Value.Users.Count > 0))
                {
                    json.WriteStartObject(cause);
                    foreach (var user in lost.Shown)
                        json.WriteNumber(user.Uid.ToString(CultureInfo.InvariantCulture), user.Count);
                    if (lost.Others > 0)
                        json.WriteNumber("others", lost.Others);
                    json.WriteEndObject();
                }

                json.WriteEndObject();
                json.WriteStartObject("filters");
                foreach (var filter in module.Filters)
                {
                    WriteKeys(json, filter.Dimension.Name, filter, FilterBits.Allow);
                    WriteKeys(json, filter.Dimension.Name + "_deny", filter, FilterBits.Deny);
                }

                json.WriteEndObject();
                json.WriteStartObject("filter_counts");
                foreach (var filter in module.Filters.Where(static filter => filter.Keys.Count > 0))
                {
                    if (filter.Counts() is not var (passed, dropped))
                        continue;
                    json.WriteStartObject(filter.Dimension.Name);
                    json.WriteNumber("passed", passed);
                    json.WriteNumber("dropped", dropped);
                    json.WriteEndObject();
                }

                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            if (status.Cost is { } measured)
                WriteCost(json, measured);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>What a filter lets through, without its name.</summary>
    public static string Words(FilterMap filter) =>
        string.Join(
        " and ", new[] { Words(filter, FilterBits.Allow, "allows"), Words(filter, FilterBits.Deny, "denies") }.OfType<string>())
        is { Length: > 0 } words
        ? words
        : "allows everything";

    private static string Exactly(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("F0", CultureInfo.InvariantCulture);

    private static void WriteNumber(Utf8JsonWriter json, string name, double? number)
    {
        if (number is { } known)
            json.WriteNumber(name, known);
        else
            json.WriteNull(name);
    }

    private static void AddKeys(List<string> lines, FilterMap filter, FilterBits bit, string verb)
    {
        if (Words(filter, bit, verb) is { } words)
            lines.Add($"  {filter.Dimension.Name} {words}");
    }

    private static string? Words(FilterMap filter, FilterBits bit, string verb)
    {
        var keys = Keys(filter, bit);
        string more = keys.Count > KeysShown ? $" and {keys.Count - KeysShown} more" : "";
        return keys.Count == 0 ? null : $"{verb} {string.Join(", ", keys.Take(KeysShown).Select(Escaping.ForMessage))}{more}";
    }

    private static void WriteCost(Utf8JsonWriter json, SessionCost cost)
    {
        json.WriteStartObject("cost");
        json.WriteNumber("cpu_ns", (long)cost.Cpu.TotalNanoseconds);
        json.WriteNumber("memory_bytes", cost.MemoryBytes);
        json.WriteNumber("map_bytes", cost.MapBytes);
        json.WriteStartArray("programs");
        foreach (var program in cost.Programs)
        {
            json.WriteStartObject();
            json.WriteString("module", program.Module);
            json.WriteString("program", program.Program);
            json.WriteNumber("runs", program.Runs);
            json.WriteNumber("time_ns", program.TimeNs);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteKeys(Utf8JsonWriter json, string name, FilterMap filter, FilterBits bit)
    {
        var keys = Keys(filter, bit);
        if (keys.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (string key in keys)
            json.WriteStringValue(key);
        json.WriteEndArray();
    }

    // A name stands for a key in each table of system calls.
    private static List<string> Keys(FilterMap filter, FilterBits bit) =>
        [.. filter.Keys.Where(entry => (entry.Value & bit) != FilterBits.None).Select(static entry => entry.Key.Text)
            .Distinct(StringComparer.Ordinal)];
}
