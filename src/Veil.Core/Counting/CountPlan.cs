// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Veil.Bpf;
using Veil.Core.Calls;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Modules;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Counting;

/// <summary>What one module counts: where in its events the keys lie, and the number that is added up or made a histogram. It becomes constants
/// of the programs.</summary>
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

    internal const int KeyBytesMax = 512; // VEIL_COUNT_KEY_MAX
    internal const int TextBytesMax = PathKeyBytes - PathHeadBytes; // VEIL_COUNT_PATH_MAX
    private const int ReadWords = 4; // of veil_count_reads
    private const int ReadBytes = 4;

    private CountPlan(EventSchema schema, IReadOnlyList<EventField> keys, EventField? value, CountOptions options)
    {
        Schema = schema;
        Value = value;
        HasHistogram = options.Histogram is not null;
        HasSums = value is not null && (options.Sum is not null || !HasHistogram);
        KeepsSums = HasSums || (value is not null && options.IsExported);
        MaxKeys = options.Keys;
        InTurns = options.Interval is not null;
        (Keys, TextMax) = PlacesOf(keys);
    }

    /// <summary>The events that have the keys.</summary>
    public EventSchema Schema { get; }

    /// <summary>The fields that are counted by.</summary>
    public IReadOnlyList<CountKey> Keys { get; }

    /// <summary>The field whose numbers are added up, or of which a histogram is made; or none.</summary>
    public EventField? Value { get; }

    /// <summary>Is a histogram made?</summary>
    public bool HasHistogram { get; }

    /// <summary>Are the numbers added up?</summary>
    public bool HasSums { get; }

    /// <summary>Are they added up in the kernel, shown or not?</summary>
    public bool KeepsSums { get; }

    /// <summary>Are failed events counted?</summary>
    public bool HasErrors => HasSums && ErrorKinds != 0;

    /// <summary>Are there two sets of counts?</summary>
    public bool InTurns { get; }

    /// <summary>Keys that there is room for.</summary>
    public int MaxKeys { get; }

    /// <summary>Are small keys counted in an array of their own?</summary>
    public bool HasSmall => Told.Count == 0 || (Told is [{ Kind: KeyKind.Word }] && !HasHistogram);

    /// <summary>Counts of a key: one, or those of a histogram.</summary>
    public int Slots => HasHistogram ? HistogramSlots : 1;

    /// <summary>Numbers behind a key.</summary>
    public int Words => Slots + (Value is null ? 0 : CountTotals.SumWords);

    /// <summary>What is counted, in words.</summary>
    public string Text =>
        string.Join(
        ", ", new[] {
        Keys.Count > 0 ? "by " + KeyNames : null, HasHistogram ? "histogram of " + Value!.Value.Name : null,
        HasSums ? "sum of " + Value!.Value.Name : null }.OfType<string>());

    /// <summary>The fields that are counted by, as they are written.</summary>
    public string KeyNames => string.Join(',', Keys.Select(static key => key.Field.Name));

    /// <summary>The fields that some events lack, which are therefore under no key.</summary>
    public IReadOnlyList<string> Lacking { get; private init; } = [];

    // Of the events, a bit for each kind that has the fields.
    private ulong Kinds { get; init; } = ulong.MaxValue;

    private EventValue? Error { get; init; }

    private ulong ErrorKinds { get; init; }

    // Bytes of a text, where there is one.
    private int TextMax { get; }

    // The kernel knows nothing of what is the same in all events.
    private IReadOnlyList<CountKey> Told => [.. Keys.Where(static key => key.Kind != KeyKind.None)];

    private int KeyBytes => Told is [.., var last] ? last.Place + last.Bytes : WordBytes;

    /// <summary>Finds the fields in the events of a module.</summary>
    /// <exception cref="UsageException">It has no such field, or one that cannot be counted by.</exception>
    public static CountPlan Of(TraceModule module, IReadOnlyList<EventSchema> schemas, CountOptions options)
    {
        var keys = options.KeysOf(module);
        var events = schemas.Where(schema => schema.Module == module.Name).ToList();
        // Events that a flag chose may lack the usual key: whose they are, they all have.
        if (options.By.Count == 0 && keys.Count > 0 && events.Count > 0 && !events.Exists(schema => Find(schema, keys[0]) is not null))
            keys = ["comm"];
        foreach (string key in keys)
            Require(module, events, "--count-by", key, CanBeKey);
        Require(module, events, "--hist", options.Histogram, IsQuantity);
        Require(module, events, "--sum", options.Sum, IsQuantity);
        string flag = options.Histogram is null ? "--sum" : "--hist";
        string? number = options.Histogram ?? options.Sum;
        var having = Having(number);
        // What calls took is added up beside their count, where they all have it.
        if (number is null && module.CountSum is { } usual && having.Count > 0 && Having(usual).Count == having.Count)
            number = usual;
        var schema = having.FirstOrDefault()
            ?? throw new UsageException(
                $"{(number is null ? "--count-by" : flag)}: no event of module {module.Name} has all of {string.Join(", ", keys.Append(number).OfType<string>().Distinct())}");
        foreach (string key in keys)
            RequireOnePlace(module, having, "--count-by", key);
        RequireOnePlace(module, having, flag, number);
        var error = having.Select(ErrorOf).OfType<EventValue>().FirstOrDefault();
        var plan = new CountPlan(schema, [.. keys.Select(key => Find(schema, key)!.Value)], Find(schema, number), options)
        {
            Lacking =
                [.. keys.Append(number).OfType<string>().Distinct()
                    .Where(name => ArgumentKind.IsOne(name) || events.Exists(schema => Find(schema, name) is null))],
            Kinds = KindsOf(having),
            Error = error,
            ErrorKinds = KindsOf(having.Where(one => ErrorOf(one) is { } other && other.Offset == error!.Offset)),
        };
        if (options.Sort is CountSort.Sum && !plan.HasSums)
            throw new UsageException($"--sort sum: nothing of module {module.Name} is added up; --sum FIELD does that");
        if (options.Sort is CountSort.Max && plan.Value is null)
            throw new UsageException($"--sort max: no number of module {module.Name} is looked at; --sum FIELD or --hist FIELD does that");
        if (options.Sort is CountSort.Errors && !plan.HasErrors)
            throw new UsageException(
                $"--sort errors: {(error is null ? $"these events of module {module.Name} have none" : "errors are counted with --sum FIELD")}");
        return plan;

        List<EventSchema> Having(string? value) =>
            [.. events.Where(schema => keys.Append(value).OfType<string>().All(name => Find(schema, name) is not null))];
    }

    /// <summary>The fields that can be counted by, or whose numbers can be added up or made a histogram.</summary>
    public static IEnumerable<string> Names(IEnumerable<EventSchema> events, bool quantities) =>
        events.SelectMany(static schema => schema.Fields).Where(field => quantities ? IsQuantity(field) : CanBeKey(field))
            .Select(static field => field.Name).Distinct(StringComparer.Ordinal);

    /// <summary>Has an object count nothing, with as little memory as there can be.</summary>
    public void Configure(BpfObject bpfObject)
    {
        bpfObject.SetGlobal("veil_counting", true);
        var fields = default(NativeKeys);
        foreach (var (number, key) in Told.Index())
            fields[number] = NativeOf(key);
        bpfObject.SetGlobal("veil_count_fields", fields);
        bpfObject.SetGlobal("veil_count_text_max", (uint)TextMax);
        bpfObject.SetGlobal("veil_count_by_origin", Keys.Any(key => Place(Schema, key.Field.Value).OfOrigin));
        if (Value is { } value)
        {
            bpfObject.SetGlobal("veil_count_value_offset", (uint)value.Value.Offset);
            bpfObject.SetGlobal("veil_count_value_size", (uint)value.Value.Size);
            bpfObject.SetGlobal("veil_count_value_signed", value.Value.Facts.Quantity!.IsSigned);
            bpfObject.SetGlobal("veil_count_value_none", value.Value.Facts.Quantity.None);
        }

        bpfObject.SetGlobal("veil_count_hist", HasHistogram);
        bpfObject.SetGlobal("veil_count_sums", KeepsSums);
        bpfObject.SetGlobal("veil_count_error_offset", (uint)(Error?.Offset ?? 0));
        bpfObject.SetGlobal("veil_count_error_kinds", HasErrors ? ErrorKinds : 0);
        bpfObject.SetGlobal("veil_count_reads", Reads());
        bpfObject.SetGlobal("veil_count_event_size", (uint)Counted().Select(static read => read.Offset + read.Size).DefaultIfEmpty().Max());
        bpfObject.SetGlobal("veil_count_kinds", Kinds);
        bpfObject.SetGlobal("veil_count_small_keys", HasSmall);
        bpfObject.SetGlobal(
            "veil_count_needs_time", Keys.Select(static key => key.Field).Append(Value.GetValueOrDefault())
            .Any(static field => field.Value?.Facts.Quantity is { NeedsTime: true }));
        bpfObject.SetGlobal("veil_count_in_turns", InTurns);
        for (int turn = 0; turn < 2; turn++)
        {
            bool isUsed = turn == 0 || InTurns;
            var counts = bpfObject.Map($"veil_counts_{turn}");
            counts.SetSizes(KeyBytes, Words * sizeof(ulong));
            if (isUsed)
                counts.SetMaxEntries(MaxKeys);
            if (!HasSmall)
                continue;
            var small = bpfObject.Map($"veil_small_{turn}");
            small.SetSizes(sizeof(uint), Words * sizeof(ulong));
            if (isUsed)
                small.SetMaxEntries(Told.Count == 0 ? 1 : SmallKeys);
        }

        bpfObject.Map("veil_others").SetSizes(sizeof(uint), Words * sizeof(ulong));
    }

    /// <summary>Has an event the fields?</summary>
    public bool Has(EventSchema schema) => (Kinds >> (int)(schema.Kind % EventsOfModule) & 1) != 0;

    /// <summary>The number of an event; 0 where none is looked at, nothing where it is not known, or negative.</summary>
    public ulong? NumberOf(ReadOnlySpan<byte> record)
    {
        if (Value is not { Value: var value })
            return 0;
        bool isSigned = value.Facts.Quantity!.IsSigned;
        ulong number = isSigned ? (ulong)value.Signed(record) : value.Unsigned(record);
        return number == ulong.MaxValue || (isSigned && (long)number < 0) ? null : number;
    }

    /// <summary>Has an event failed, as far as that is counted?</summary>
    public bool HasFailed(EventSchema schema, ReadOnlySpan<byte> record)
    {
        const long most = 4095;
        return HasErrors && (ErrorKinds >> (int)(schema.Kind % EventsOfModule) & 1) != 0
            && BinaryPrimitives.ReadInt64LittleEndian(record[Error!.Offset..]) is < 0 and >= -most;
    }

    /// <summary>Is a key's text only the beginning of the field's?</summary>
    public static bool IsCut(CountKey key, ReadOnlySpan<byte> bytes) =>
        key.IsText && BinaryPrimitives.ReadUInt16LittleEndian(key.Of(bytes)[PathTruncatedOffset..]) != 0;

    /// <summary>A record as if an event had this field of a key, for the code that shows fields.</summary>
    /// <param name="key">The field.</param>
    /// <param name="bytes">The bytes that the map has.</param>
    public byte[] RecordOf(CountKey key, ReadOnlySpan<byte> bytes)
    {
        byte[] record = new byte[Schema.SizeBytes + CallChunk.HeaderBytes + PathKeyBytes];
        int offset = key.Field.Value.Offset;
        var own = key.Of(bytes);
        switch (key.Kind)
        {
            case KeyKind.Argument:
                CountedArgument.Write(
                    record, offset, Schema.SizeBytes, ArgumentKind.NameIn(key.Field.Name),
                    own.Slice(PathHeadBytes, (int)BinaryPrimitives.ReadUInt32LittleEndian(own)),
                    isNumber: BinaryPrimitives.ReadUInt16LittleEndian(own[PathDeletedOffset..]) != 0);
                break;
            case KeyKind.Path:
                uint length = BinaryPrimitives.ReadUInt32LittleEndian(own);
                if (length == uint.MaxValue)
                    break; // the event has no such path
                bool deleted = BinaryPrimitives.ReadUInt16LittleEndian(own[PathDeletedOffset..]) != 0;
                new EventPart((uint)Schema.SizeBytes, (int)length, IsCut(key, bytes), deleted).Write(record.AsSpan(offset));
                own[PathHeadBytes..].CopyTo(record.AsSpan(Schema.SizeBytes));
                break;
            case not KeyKind.None:
                own[..Math.Min(own.Length, key.Field.Value.Size)].CopyTo(record.AsSpan(offset));
                break;
        }

        return record;
    }

    // Texts share what the other fields leave of a key.
    private static (IReadOnlyList<CountKey> Keys, int TextMax) PlacesOf(IReadOnlyList<EventField> fields)
    {
        var sizes = fields.Select(static field => field.Value.Facts.Key switch
        {
            KeyKind.Bytes => BytesKeyBytes,
            KeyKind.Path or KeyKind.Argument => (int?)null,
            KeyKind.None => 0,
            _ => WordBytes,
        }).ToList();
        int texts = sizes.Count(static size => size is null);
        int textBytes = texts == 0 ? 0 : Math.Min(PathKeyBytes, (KeyBytesMax - sizes.Sum()!.Value) / texts / WordBytes * WordBytes);
        var keys = new List<CountKey>();
        int place = 0;
        foreach (var (field, size) in fields.Zip(sizes))
        {
            keys.Add(new CountKey(field, field.Value.Facts.Key!.Value, place, size ?? textBytes));
            place += keys[^1].Bytes;
        }

        return (keys, texts == 0 ? 0 : textBytes - PathHeadBytes);
    }

    private CountKey.Native NativeOf(CountKey key)
    {
        var place = Place(Schema, key.Field.Value);
        return new(
            (uint)key.Kind, (uint)key.Field.Value.Offset, key.IsText ? 0 : (uint)key.Field.Value.Size, (uint)key.Place,
            place.OfOrigin ? 1u : 0, place.OfOrigin ? (uint)place.Offset! : 0);
    }

    // What is read of an event struct.
    private IEnumerable<EventValue> Counted() =>
        Keys.Select(static key => key.Field.Value).Append(Value?.Value)
            .Append(HasErrors ? Error : null).OfType<EventValue>().Where(value => !Place(Schema, value).OfOrigin);

    private NativeReads Reads()
    {
        var reads = default(NativeReads);
        foreach (var value in Counted())
        {
            for (int word = value.Offset / ReadBytes; word * ReadBytes < value.Offset + Math.Max(value.Size, 1); word++)
                reads[word / 64] |= 1UL << (word % 64);
        }

        return reads;
    }

    private static ulong KindsOf(IEnumerable<EventSchema> schemas) =>
        schemas.Aggregate(0UL, static (kinds, having) => kinds | 1UL << (int)(having.Kind % EventsOfModule));

    // The result that events of a kind have failed by.
    private static EventValue? ErrorOf(EventSchema schema) =>
        schema.Fields.FirstOrDefault(static field => field.Value.Is<ErrnoKind>()).Value;

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
        bool isArgument = ArgumentKind.IsOne(name);
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

        var valid = Names(events, quantities: flag != "--count-by").ToList();
        string hint = NearestName.Hint(name, valid);
        string why = events.Any(schema => Find(schema, name) is not null) ? flag != "--count-by"
            ? $"is not a quantity in module " +
            $"{module.Name}{(Names(events, quantities: false).Contains(name) ? $"; --count-by {name} counts it" : "")}"
            : $"cannot be counted by in module {module.Name}"
            : $"is not a field of module {module.Name}";
        throw new UsageException($"{flag}: '{Escaping.ForMessage(name)}' {why}{hint} (available: {string.Join(' ', valid)})");
    }

    internal static bool CanBeKey(EventField field) => field.Name != "module" && field.Value.Facts.Key is not null
        && (!field.Value.Is<ArgumentKind>() || CountedArgument.Exists(ArgumentKind.NameIn(field.Name)));

    internal static bool IsQuantity(EventField field) => field.Value.Facts.Quantity is not null;

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

    [InlineArray(CountOptions.FieldsMax)]
    private struct NativeKeys
    {
        private CountKey.Native _first;
    }

    [InlineArray(ReadWords)]
    private struct NativeReads
    {
        private ulong _first;
    }
}
