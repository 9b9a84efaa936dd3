// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Kernel;
using Veil.Core.Sinks;

namespace Veil.Core.Recordings;

/// <summary>A description as JSON. Readers pass over members that they do not know.</summary>
internal static class DescriptionJson
{
    // As many as one session can have.
    private const int KindMax = 65_536;
    private const int EventBytesMax = 64 * 1024;

    public static byte[] Write(RecordingDescription description)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            Write(json, description);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Reads it.</summary>
    /// <exception cref="RecordingException">It is none.</exception>
    public static RecordingDescription Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return Read(document.RootElement);
        }
        catch (Exception cause) when (cause is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new RecordingException($"its description cannot be read: {cause.Message}");
        }
    }

    /// <summary>What the last block says.</summary>
    /// <param name="events">How many there are in the file.</param>
    /// <param name="untold">How many were lost that no note tells of.</param>
    /// <param name="goesOn">Is there a next file?</param>
    public static byte[] End(ulong events, ulong untold, bool goesOn) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $"{{\"events\":{events},\"lost\":{untold}{(goesOn ? ",\"goes_on\":true" : "")}}}"));

    /// <summary>What the last block of a file says: is there a next one, and how many events were lost that no note tells of?</summary>
    public static (bool GoesOn, ulong Lost) ReadEnd(ReadOnlySpan<byte> end)
    {
        try
        {
            var reader = new Utf8JsonReader(end);
            if (!JsonElement.TryParseValue(ref reader, out var said) || said is not { ValueKind: JsonValueKind.Object } json)
                return default;
            return (json.TryGetProperty("goes_on", out var goesOn) && goesOn.ValueKind == JsonValueKind.True,
                json.TryGetProperty("lost", out var lost) && lost.ValueKind == JsonValueKind.Number && lost.TryGetUInt64(out ulong count) ? count : 0);
        }
        catch (Exception cause) when (cause is JsonException or InvalidOperationException)
        {
            return default;
        }
    }

    private static void Write(Utf8JsonWriter json, RecordingDescription description)
    {
        json.WriteStartObject();
        json.WriteString("veil", description.Veil);
        json.WriteString("set", description.Set);
        json.WriteNumber("part", description.Part);
        json.WriteString("host", description.Host);
        json.WriteString("kernel", description.Kernel);
        json.WriteString("machine", SyscallTable.For(description.Machine).ArchName);
        Strings(json, "command", description.Command);
        Time(json, "started", description.Started);
        Time(json, "begun", description.Begun);
        Strings(json, "enrich", Enum.GetValues<Enrichments>()
            .Where(some => int.IsPow2((int)some) && description.Enrichments.HasFlag(some)).Select(EnrichedColumns.FlagValueOf));
        json.WriteStartObject("calls");
        json.WriteNumber("string_size", description.Calls.StringSize);
        json.WriteString("fds", description.Calls.Descriptors.ToString().ToLowerInvariant());
        json.WriteEndObject();
        json.WriteBoolean("steered", description.IsSteered);
        json.WriteStartArray("modules");
        foreach (var module in description.Modules)
        {
            json.WriteStartObject();
            json.WriteString("name", module.Name);
            json.WriteString("hook", module.Hook);
            Pairs(json, "filters", module.Filters);
            if (module.Flags is { } flags)
                Pairs(json, "flags", flags);
            Pairs(json, "constants", module.Constants);
            Pairs(json, "aliases", module.Aliases);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("events");
        foreach (var facts in description.Events)
        {
            json.WriteStartObject();
            json.WriteNumber("kind", facts.Kind);
            json.WriteNumber("module", facts.Module);
            Layout(json, facts.Layout);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (description is { Origin: { } origin, OriginFields: { } fields })
        {
            json.WriteStartObject("origin");
            Layout(json, origin);
            Strings(json, "known", fields);
            json.WriteEndObject();
        }

        json.WriteStartArray("reasons");
        foreach (byte[]?[] set in description.Reasons)
        {
            json.WriteStartObject();
            foreach (var (number, name) in set.Index())
            {
                if (name is not null)
                    json.WriteString(number.ToString(CultureInfo.InvariantCulture), name);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Layout(Utf8JsonWriter json, EventLayout layout)
    {
        json.WriteString("struct", layout.Name);
        json.WriteNumber("size", layout.SizeBytes);
        json.WriteStartArray("members");
        foreach (var member in layout.Members)
        {
            json.WriteStartObject();
            json.WriteString("name", member.Name);
            json.WriteNumber("offset", member.Offset);
            json.WriteNumber("size", member.Size);
            json.WriteString("type", member.Type);
            if (member.Values.Count > 0)
            {
                json.WriteStartObject("values");
                foreach (var (name, value) in member.Values)
                    json.WriteNumber(name, value);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Time(Utf8JsonWriter json, string name, (long BootNs, long RealNs) time)
    {
        json.WriteStartObject(name);
        json.WriteNumber("boottime_ns", time.BootNs);
        json.WriteNumber("realtime_ns", time.RealNs);
        json.WriteEndObject();
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void Pairs(Utf8JsonWriter json, string name, IEnumerable<(string Name, string Value)> pairs)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in pairs)
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static RecordingDescription Read(JsonElement json)
    {
        var modules = json.GetProperty("modules").EnumerateArray().Select(static module => new RecordingDescription.ModuleFacts(
            Text(module, "name"), Text(module, "hook"), ReadPairs(module, "filters"), ReadPairs(module, "constants"),
            ReadPairs(module, "aliases"))
        {
            Flags = module.TryGetProperty("flags", out _) ? ReadPairs(module, "flags") : null,
        }).ToList();
        var calls = json.GetProperty("calls");
        bool hasOrigin = json.TryGetProperty("origin", out var origin);
        string machine = Text(json, "machine");
        return new RecordingDescription
        {
            Veil = Text(json, "veil"),
            Set = Text(json, "set"),
            Part = json.GetProperty("part").GetInt32(),
            Host = Text(json, "host"),
            Kernel = Text(json, "kernel"),
            Machine = Enum.GetValues<SyscallArch>().FirstOrDefault(arch => SyscallTable.For(arch).ArchName == machine),
            Command = ReadStrings(json, "command"),
            Started = ReadTime(json, "started"),
            Begun = ReadTime(json, "begun"),
            Enrichments = ReadStrings(json, "enrich").Aggregate(
                Enrichments.None, static (all, word) => all | (Enum.TryParse<Enrichments>(word, true, out var some) ? some : Enrichments.None)),
            Calls = new CallOptions(
                StringSize: Math.Clamp(calls.GetProperty("string_size").GetInt32(), 1, CallOptions.StringSizeMax),
                Descriptors: Enum.TryParse<DescriptorDetail>(Text(calls, "fds"), true, out var detail) ? detail : DescriptorDetail.All),
            IsSteered = json.TryGetProperty("steered", out var steered) && steered.ValueKind == JsonValueKind.True,
            Modules = modules,
            Events = [.. json.GetProperty("events").EnumerateArray().Select(facts => ReadEvent(facts, modules.Count))],
            Origin = hasOrigin ? ReadLayout(origin) : null,
            OriginFields = hasOrigin ? ReadStrings(origin, "known").ToHashSet() : null,
            Reasons = [.. json.GetProperty("reasons").EnumerateArray().Select(ReadNames)],
        };
    }

    private static RecordingDescription.EventFacts ReadEvent(JsonElement json, int modules)
    {
        uint kind = json.GetProperty("kind").GetUInt32();
        int module = json.GetProperty("module").GetInt32();
        return kind < KindMax && module >= 0 && module < modules && kind / EventCatalog.KindsPerModule == module
            ? new(kind, module, ReadLayout(json)) : throw new FormatException($"there is no event {kind}");
    }

    // Kinds read their bytes without a look at how many there are: a member of another size is none of theirs.
    private static EventLayout ReadLayout(JsonElement json)
    {
        int size = json.GetProperty("size").GetInt32();
        var members = new List<EventMember>();
        foreach (var member in json.GetProperty("members").EnumerateArray())
        {
            int offset = member.GetProperty("offset").GetInt32(), bytes = member.GetProperty("size").GetInt32();
            if (offset < 0 || bytes < 0 || offset > size - bytes)
                throw new FormatException($"{Text(member, "name")} is outside of its event");
            members.Add(new(Text(member, "name"), offset, bytes, Text(member, "type"), member.TryGetProperty("values", out var values)
                ? [.. values.EnumerateObject().Select(static value => (value.Name, value.Value.GetInt64()))] : []));
        }

        return size is > 0 and <= EventBytesMax ? new(Text(json, "struct"), size, members)
            : throw new FormatException($"an event of {size} bytes");
    }

    private static byte[]?[] ReadNames(JsonElement json)
    {
        const int most = 1024;
        byte[]?[] names = new byte[]?[most];
        foreach (var name in json.EnumerateObject())
        {
            if (int.TryParse(name.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < most)
                names[number] = Encoding.UTF8.GetBytes(name.Value.GetString() ?? "");
        }

        return names;
    }

    private static (long BootNs, long RealNs) ReadTime(JsonElement json, string name)
    {
        var time = json.GetProperty(name);
        return (time.GetProperty("boottime_ns").GetInt64(), time.GetProperty("realtime_ns").GetInt64());
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? "";

    private static List<string> ReadStrings(JsonElement json, string name) =>
        [.. json.GetProperty(name).EnumerateArray().Select(static word => word.GetString() ?? "")];

    private static List<(string Name, string Value)> ReadPairs(JsonElement json, string name) =>
        [.. json.GetProperty(name).EnumerateObject().Select(static pair => (pair.Name, pair.Value.GetString() ?? ""))];
}
