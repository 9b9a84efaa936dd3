// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events.Kinds;

namespace Veil.Core.Events;

/// <summary>One kind of event: how its records are read and shown. Immutable.</summary>
public sealed class EventSchema
{
    private readonly EventValue[] _parts;
    private readonly EventValue? _result;

    private EventSchema(
        EventLayout layout, EventLayout? origin, string module, uint kind, int index, EventField[] fields, EventColumn[] columns)
    {
        Layout = layout;
        Origin = origin;
        _parts = [.. fields.Select(static field => field.Value).SelectMany(CallKind.PartOf)];
        _result = Array.Find(fields, static field => field.Value.Is<ReturnKind>()).Value;
        Module = module;
        Kind = kind;
        Index = index;
        OriginOffset = layout.SizeBytes;
        PidOffset = layout.Find("pid")?.Offset;
        CgroupOffset = layout.SizeBytes + (origin?.Find("cgroup")?.Offset ?? 0);
        SizeBytes = layout.SizeBytes + (origin?.SizeBytes ?? 0);
        Fields = fields;
        Columns = columns;
    }

    /// <summary>The module that emits it.</summary>
    public string Module { get; }

    /// <summary>Its place in <see cref="EventCatalog.Schemas"/>: sinks keep what they compile for it in an array.</summary>
    public int Index { get; }

    /// <summary>The value of the header's <c>kind</c>: module number × 256 + number of the struct.</summary>
    public uint Kind { get; }

    /// <summary>Bytes of the event struct, with <c>struct veil_origin</c> where that is there: no record of this kind is shorter, and parts
    /// come after them.</summary>
    public int SizeBytes { get; }

    /// <summary>Where <c>struct veil_origin</c> is, if it is there: right behind the event struct.</summary>
    public int OriginOffset { get; }

    /// <summary>Where the thread group's id is, in the common header.</summary>
    internal int? PidOffset { get; }

    /// <summary>Where the cgroup's id is, if <c>struct veil_origin</c> is there.</summary>
    public int CgroupOffset { get; }

    /// <summary>Has a record the cgroup's id?</summary>
    public bool HasOrigin => SizeBytes > OriginOffset;

    /// <summary>Every named value, <c>module</c> first, in the order of the struct.</summary>
    public IReadOnlyList<EventField> Fields { get; }

    /// <summary>The columns of the text output.</summary>
    public IReadOnlyList<EventColumn> Columns { get; }

    /// <summary>Is a record as long as its event, with every part within it? One that is not must not be read.</summary>
    public bool IsWhole(ReadOnlySpan<byte> record) => record.Length >= SizeBytes && (_parts.Length == 0 || HasItsParts(record));

    /// <summary>Does a record say that a call or a wait goes on? What ends it is an event of its own, with all of its time.</summary>
    internal bool IsUnfinished(ReadOnlySpan<byte> record) => _result is { } result && result.Signed(record) == ReturnKind.Running;

    /// <summary>Its struct.</summary>
    public EventLayout Layout { get; }

    /// <summary><c>struct veil_origin</c>, where records have it; or none.</summary>
    public EventLayout? Origin { get; }

    /// <summary>Makes the fields and columns of an event.</summary>
    /// <param name="layout">The event struct, which begins with the header.</param>
    /// <param name="module">The module.</param>
    /// <param name="kind">The value that marks its records.</param>
    /// <param name="index">Its place in the catalog.</param>
    /// <param name="origin"><c>struct veil_origin</c>, where records have it; or none.</param>
    /// <param name="originFields">Those of its members that are shown.</param>
    /// <exception cref="VeilException">It has a member whose type says nothing.</exception>
    public static EventSchema FromLayout(
        EventLayout layout, IEventOwner module, uint kind, int index = 0, EventLayout? origin = null, IReadOnlySet<string>? originFields = null)
    {
        var shape = new MemberShape(module.Columns);
        shape.Fields.Add(new("module", ConstantKind.Of(module.Name)));
        foreach (var member in layout.Members)
            Add(member, 0);

        // A module may have such a member of its own.
        foreach (var member in origin?.Members ?? [])
        {
            if (originFields?.Contains(member.Name) == true && !shape.Fields.Exists(field => field.Name == member.Name))
                Add(member, layout.SizeBytes);
        }

        foreach (var (name, text) in module.Constants)
        {
            shape.Fields.Add(new(name, ConstantKind.Of(text)));
            shape.Column(name, 0, ConstantKind.Of(text), ConstantKind.Hint(text));
        }

        foreach (var (alias, name) in module.FieldAliases)
            shape.Fields.Add(
                new(alias, shape.Fields.Find(field => field.Name == name).Value
                ?? throw new VeilException($"reading the events of module {module.Name}: no field {name}")));

        // What is wide only now and then stands last, so that it moves nothing.
        return new EventSchema(
            layout, origin, module.Name, kind, index, [.. shape.Fields], [.. shape.Columns.OrderBy(static column => column.Width == 0)]);

        void Add(EventMember member, int offset)
        {
            if (!MemberKinds.TryExpand(shape, member, offset))
                throw new VeilException(
                    $"reading the events of module {module.Name}: {layout.Name}.{member.Name} has no semantic type of types.bpf.h");
        }
    }

    private bool HasItsParts(ReadOnlySpan<byte> record)
    {
        foreach (var part in _parts)
        {
            if (!part.PartOf(record).IsWithin(SizeBytes, record.Length))
                return false;
        }

        return true;
    }
}
