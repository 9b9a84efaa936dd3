// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Bpf;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Modules;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Counting;

/// <summary>What one module counts: where in its events the key lies, and the number of a histogram. It becomes constants of the
/// programs.</summary>
internal sealed class CountPlan
{
    /// <summary>Slots of a histogram: zeros, one for each power of two, and what has no such number (<c>VEIL_HIST_SLOTS</c>).</summary>
    public const int HistogramSlots = 64;

    private const int WordBytes = sizeof(ulong);
    private const int EventsOfModule = 256; // EventSchema.Kind
    internal const int BytesKeyBytes = 24; // VEIL_COUNT_WORDS
    internal const int PathKeyBytes = 264; // struct veil_count_path
    internal const int PathHeadBytes = 8;
    internal const int PathTruncatedOffset = 4;
    internal const int PathDeletedOffset = 6;
    internal const int SmallKeys = 1_024; // VEIL_COUNT_SMALL

    private CountPlan(EventSchema schema, EventField? key, EventField? value, CountOptions options)
    {
        Schema = schema;
        Key = key;
        Value = value;
        MaxKeys = options.Keys;
        InTurns = options.Interval is not null;
        Kind = key?.Value.Facts.Key ?? KeyKind.None;
    }

    /// <summary>The events that have the key.</summary>
    public EventSchema Schema { get; }

    /// <summary>The field that is counted by, or none.</summary>
    public EventField? Key { get; }

    /// <summary>The field of the histogram, or none.</summary>
    public EventField? Value { get; }

    /// <summary>Are there two sets of counts?</summary>
    public bool InTurns { get; }

    /// <summary>Keys that there is room for.</summary>
    public int MaxKeys { get; }

    /// <summary>Are small keys counted in an array of their own?</summary>
    public bool HasSmall => Kind == KeyKind.None || (Kind == KeyKind.Word && Value is null);

    /// <summary>Numbers behind a key.</summary>
    public int Slots => Value is null ? 1 : HistogramSlots;

    /// <summary>What is counted, in words.</summary>
    public string Words =>
        string.Join(
        ", ", new[] {
        Key is { } key ? "by " + key.Name : null, Value is { } value ? "histogram of " + value.Name : null }.OfType<string>());

    private KeyKind Kind { get; }

    // Of the events, a bit for each kind that has the fields.
    private ulong Kinds { get; init; } = ulong.MaxValue;

    private int KeyBytes => Kind switch
    {
        KeyKind.Bytes => BytesKeyBytes,
        KeyKind.Path or KeyKind.Argument => PathKeyBytes,
        _ => WordBytes,
    };

    /// <summary>Finds the fields in the events of a module.</summary>
    /// <exception cref="UsageException">It has no such field, or one that cannot be counted by.</exception>
    public static CountPlan Of(TraceModule module, IReadOnlyList<EventSchema> schemas, CountOptions options)
    {
        string? by = options.KeyOf(module);
        var events = schemas.Where(schema => schema.Module == module.Name).ToList();
        Require(module, events, "--count-by", by, CanBeKey);
        Require(module, events, "--hist", options.Histogram, CanBeHistogram);
        var having =
            events.Where(
            schema => (by is null || Find(schema, by) is not null)
            && (options.Histogram is null || Find(schema, options.Histogram) is not null)).ToList();
        var schema = having.FirstOrDefault()
            ?? throw new UsageException($"--hist: no event of module {module.Name} has both {options.Histogram} and {by}");
        RequireOnePlace(module, having, "--count-by", by);
        RequireOnePlace(module, having, "--hist", options.Histogram);
        return new CountPlan(schema, Find(schema, by), Find(schema, options.Histogram), options)
        {
            Kinds = having.Aggregate(0UL, static (kinds, having) => kinds | 1UL << (int)(having.Kind % EventsOfModule)),
        };
    }

    /// <summary>The fields that can be counted by, or of which a histogram can be made.</summary>
    public static IEnumerable<string> Names(IEnumerable<EventSchema> events, bool histogram) =>
        events.SelectMany(static schema => schema.Fields).Where(field => histogram ? CanBeHistogram(field) : CanBeKey(field))
            .Select(static field => field.Name).Distinct(StringComparer.Ordinal);

    /// <summary>Has an object count nothing, with as little memory as there can be.</summary>
    public void Configure(BpfObject bpfObject)
    {
        bpfObject.SetGlobal("veil_counting", true);
        bpfObject.SetGlobal("veil_count_key_kind", (uint)Kind);
        bool isText = Kind is KeyKind.Path or KeyKind.Argument;
        int part = Kind == KeyKind.Argument ? CallView.PartOffset : 0;
        bpfObject.SetGlobal("veil_count_key_offset", (uint)((Key?.Value.Offset ?? 0) + part));
        bpfObject.SetGlobal("veil_count_key_size", (uint)(isText || Kind == KeyKind.None ? 0 : Key?.Value.Size ?? 0));
        if (Value is { } value)
        {
            bpfObject.SetGlobal("veil_count_value_offset", (uint)value.Value.Offset);
            bpfObject.SetGlobal("veil_count_value_size", (uint)value.Value.Size);
            bpfObject.SetGlobal("veil_count_value_signed", value.Value.Facts.Quantity!.IsSigned);
        }

        bool byOrigin = Place(Schema, Key?.Value).OfOrigin;
        bpfObject.SetGlobal("veil_count_by_origin", byOrigin);
        bpfObject.SetGlobal("veil_count_origin_offset", byOrigin ? (uint)(Key!.Value.Value.Offset - Schema.OriginOffset) : 0);
        bpfObject.SetGlobal("veil_count_event_size", (uint)Math.Max(byOrigin ? 0 : EndOf(Key), EndOf(Value)));
        bpfObject.SetGlobal("veil_count_kinds", Kinds);
        bpfObject.SetGlobal("veil_count_small_keys", HasSmall);
        bpfObject.SetGlobal(
            "veil_count_needs_time", Key?.Value.Facts.Quantity is { NeedsTime: true }
            || Value?.Value.Facts.Quantity is { NeedsTime: true });
        bpfObject.SetGlobal("veil_count_in_turns", InTurns);
        for (int turn = 0; turn < (InTurns ? 2 : 1); turn++)
        {
            var counts = bpfObject.Map($"veil_counts_{turn}");
            counts.SetSizes(KeyBytes, Slots * sizeof(ulong));
            counts.SetMaxEntries(MaxKeys);
            if (HasSmall)
            {
                var small = bpfObject.Map($"veil_small_{turn}");
                small.SetSizes(sizeof(uint), Slots * sizeof(ulong));
                small.SetMaxEntries(Kind == KeyKind.None ? 1 : SmallKeys);
            }
        }

        if (!InTurns)
        {
            bpfObject.Map("veil_counts_1").SetSizes(KeyBytes, Slots * sizeof(ulong));
            if (HasSmall)
                bpfObject.Map("veil_small_1").SetSizes(sizeof(uint), Slots * sizeof(ulong));
        }
    }

    /// <summary>Is the key only the beginning of a path?</summary>
    public bool IsCut(ReadOnlySpan<byte> key) =>
        Kind is KeyKind.Path or KeyKind.Argument && BinaryPrimitives.ReadUInt16LittleEndian(key[PathTruncatedOffset..]) != 0;

    /// <summary>A record as if an event had this key, for the code that shows fields.</summary>
    /// <param name="key">The bytes that the map has.</param>
    public byte[] RecordOf(ReadOnlySpan<byte> key)
    {
        byte[] record = new byte[Schema.SizeBytes + CallChunk.HeaderBytes + PathKeyBytes];
        switch (Kind)
        {
            case KeyKind.Argument:
                CountedArgument.Write(
                    record, Key!.Value.Value.Offset, Schema.SizeBytes, ArgumentKind.NameIn(Key.Value.Name),
                    key.Slice(PathHeadBytes, (int)BinaryPrimitives.ReadUInt32LittleEndian(key)),
                    isNumber: BinaryPrimitives.ReadUInt16LittleEndian(key[PathDeletedOffset..]) != 0);
                break;
            case KeyKind.Path:
                uint length = BinaryPrimitives.ReadUInt32LittleEndian(key);
                if (length == uint.MaxValue)
                    break; // the event has no such path
                bool deleted = BinaryPrimitives.ReadUInt16LittleEndian(key[PathDeletedOffset..]) != 0;
                new EventPart((uint)Schema.SizeBytes, (int)length, IsCut(key), deleted).Write(record.AsSpan(Key!.Value.Value.Offset));
                key[PathHeadBytes..].CopyTo(record.AsSpan(Schema.SizeBytes));
                break;
            case not KeyKind.None:
                key[..Math.Min(key.Length, Key!.Value.Value.Size)].CopyTo(record.AsSpan(Key!.Value.Value.Offset));
                break;
        }

        return record;
    }

    private static EventField? Find(EventSchema schema, string? name)
    {
        if (name is null)
            return null;
        if (ArgumentKind.Of(schema.Fields, name) is { } argument)
            return new EventField(name, argument);
        return schema.Fields.FirstOrDefault(field => field.Name == name) is { Value: not null } found ? found : null;
    }

    private static void Require(TraceModule module, List<EventSchema> events, string flag, string? name, Func<EventField, bool> can)
    {
        if (name is null || events.Any(schema => Find(schema, name) is { } field && can(field)))
            return;
        bool isArgument = name.StartsWith(ArgumentKind.Prefix, StringComparison.Ordinal);
        if (ModuleFields.HintFor([module], isArgument ? "args" : name) is { } how && !events.Any(schema => Find(schema, name) is not null))
            throw new UsageException($"{flag}: '{Escaping.ForMessage(name)}': {how}");
        if (isArgument && events.Any(schema => Find(schema, name) is not null))
        {
            FieldSelection.ValidateArgument(flag, ArgumentKind.NameIn(name));
            if (flag == "--count-by")
            {
                throw new UsageException(
                    $"{flag}: '{Escaping.ForMessage(name)}' is no number and no string: it points to something larger");
            }
        }

        var valid = Names(events, histogram: flag == "--hist").ToList();
        string hint = NearestName.Hint(name, valid);
        string why = events.Any(schema => Find(schema, name) is not null) ? flag == "--hist"
            ? $"is not a quantity in module " +
            $"{module.Name}{(Names(events, histogram: false).Contains(name) ? $"; --count-by {name} counts it" : "")}"
            : $"cannot be counted by in module {module.Name}"
            : $"is not a field of module {module.Name}";
        throw new UsageException($"{flag}: '{Escaping.ForMessage(name)}' {why}{hint} (available: {string.Join(' ', valid)})");
    }

    internal static bool CanBeKey(EventField field) => field.Name != "module" && field.Value.Facts.Key is not null
        && (!field.Value.Is<ArgumentKind>() || CountedArgument.Exists(ArgumentKind.NameIn(field.Name)));

    internal static bool CanBeHistogram(EventField field) => field.Value.Facts.Quantity is not null;

    // Programs know a field by where it lies.
    private static void RequireOnePlace(TraceModule module, List<EventSchema> events, string flag, string? name)
    {
        if (events.Select(schema => Place(schema, Find(schema, name)?.Value)).Distinct().Count() > 1)
            throw new UsageException(
                $"{flag}: '{Escaping.ForMessage(name!)}' is not in the same place in all events of module {module.Name}; " +
                "choose fewer of them");
    }

    private static (bool OfOrigin, int? Offset, int? Size) Place(EventSchema schema, EventValue? value) =>
        schema.HasOrigin && value is { Size: > 0 } && value.Offset >= schema.OriginOffset
            ? (true, value.Offset - schema.OriginOffset, value.Size) : (false, value?.Offset, value?.Size);

    private static int EndOf(EventField? field) => field is { Value: var value } ? value.Offset + value.Size : 0;
}
