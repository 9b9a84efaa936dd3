// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Events;

/// <summary>The layout of one kind of event, read from the BTF of the object that emits it. Immutable.</summary>
public sealed class EventSchema
{
    private readonly EventValue[] _parts;

    private EventSchema(
        string module, uint kind, int index, int structBytes, int originBytes, int cgroupAt, EventField[] fields, EventColumn[] columns)
    {
        _parts = [.. fields.Select(static field => field.Value).SelectMany(CallKind.PartOf)];
        Module = module;
        Kind = kind;
        Index = index;
        OriginOffset = structBytes;
        CgroupOffset = structBytes + cgroupAt;
        SizeBytes = structBytes + originBytes;
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

    /// <summary>Reads the layout of an event struct whose first member is <c>struct veil_event</c>.</summary>
    /// <param name="btf">The BTF of the object.</param>
    /// <param name="type">The event struct.</param>
    /// <param name="module">The module.</param>
    /// <param name="kind">The value that marks its records.</param>
    /// <param name="index">Its place in the catalog.</param>
    /// <param name="origin"><c>struct veil_origin</c>, where records have it; or none.</param>
    /// <param name="originFields">Those of its members that are shown.</param>
    /// <exception cref="VeilException">The struct does not begin with the header, or has a member whose type says nothing.</exception>
    public static EventSchema FromStruct(
        Btf btf, BtfStruct type, IEventOwner module, uint kind, int index = 0, BtfStruct? origin = null,
        IReadOnlySet<string>? originFields = null)
    {
        var shape = new MemberShape(module.Columns);
        shape.Fields.Add(new("module", ConstantKind.Of(module.Name)));
        if (type.Members.Count == 0 || type.Members[0].StructName != "veil_event")
            throw new VeilException(
                $"reading the events of module {module.Name}: struct {type.Name} does not begin with struct veil_event");

        foreach (var member in type.Members)
        {
            if (member is { TypedefName: null, Kind: BtfKind.Struct })
            {
                foreach (var inner in btf.ReadStruct(member.TypeId).Members)
                    Add(inner, member.OffsetBytes + inner.OffsetBytes);
            }
            else
            {
                Add(member, member.OffsetBytes);
            }
        }

        // A module may have such a member of its own.
        foreach (var member in origin?.Members ?? [])
        {
            if (originFields!.Contains(member.Name) && !shape.Fields.Exists(field => field.Name == member.Name))
                Add(member, type.SizeBytes + member.OffsetBytes);
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
            module.Name, kind, index, type.SizeBytes, origin?.SizeBytes ?? 0, CgroupAt(origin), [.. shape.Fields], [.. shape.Columns.OrderBy(static column => column.Width == 0)]);

        void Add(BtfMember member, int offset)
        {
            if (!MemberKinds.TryExpand(shape, btf, member, offset))
                throw new VeilException(
                    $"reading the events of module {module.Name}: {type.Name}.{member.Name} has no semantic type of types.bpf.h");
        }
    }

    private static int CgroupAt(BtfStruct? origin) => origin?.Members.First(static member => member.Name == "cgroup").OffsetBytes ?? 0;

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
