// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics.CodeAnalysis;
using Veil.Bpf;
using Veil.Core.Stacks;

namespace Veil.Core.Events;

/// <summary>Every kind of event of a session, by the number in its records.</summary>
/// <param name="origin">The fields of <c>struct veil_origin</c> that records show of what is behind their struct; null: nothing is there.</param>
public sealed class EventCatalog(IReadOnlySet<string>? origin = null)
{
    internal const int KindsPerModule = 256;
    private const string VariablePrefix = "veil_event_";
    private readonly List<EventSchema> _all = [];
    private EventSchema?[] _byKind = [];

    /// <summary>Where the common header keeps what; known once a module was added.</summary>
    public EventHeader Header { get; private set; } = null!;

    /// <summary>All schemas, in the order of modules and structs.</summary>
    public IReadOnlyList<EventSchema> Schemas => _all;

    /// <summary>The event structs that an object declares with <c>VEIL_EVENT</c>, by their numbers.</summary>
    public static IEnumerable<(int Number, string Name)> Declared(Btf btf)
    {
        for (int number = 0; btf.TryGetVariable(VariablePrefix + number, out var variable); number++)
            yield return (number, btf.NameOf(btf.Resolve(btf.PointedType(variable.TypeId))));
    }

    /// <summary>Adds the event struct that an object declares with <c>VEIL_EVENT</c>.</summary>
    /// <param name="btf">The object's BTF.</param>
    /// <param name="module">The module.</param>
    /// <param name="moduleNumber">The value of <c>veil_module</c> in the object.</param>
    /// <param name="number">The struct's number in the module.</param>
    public void Add(Btf btf, IEventOwner module, int moduleNumber, int number)
    {
        string name = VariablePrefix + number;
        if (!btf.TryGetVariable(name, out var variable))
            throw new VeilException($"reading the events of module {module.Name}: its object declares no {name}");
        var type = btf.ReadStruct(btf.PointedType(variable.TypeId));
        if (type.Members.Count == 0 || type.Members[0].StructName != "veil_event")
            throw new VeilException(
                $"reading the events of module {module.Name}: struct {type.Name} does not begin with struct veil_event");
        var behind = origin is not null && btf.FindStruct(origin.Any(static field => StackFields.Of(field) != StackKinds.None) ? "veil_behind" : "veil_origin") is { } found ? EventLayout.FromStruct(btf, found) : null;
        Add(EventLayout.FromStruct(btf, type), behind, module, (uint)((moduleNumber * KindsPerModule) + number));
    }

    /// <summary>Adds an event.</summary>
    /// <param name="layout">Its struct, which begins with the header.</param>
    /// <param name="behind"><c>struct veil_origin</c>, where records have it; or none.</param>
    /// <param name="module">The module.</param>
    /// <param name="kind">The value that marks its records.</param>
    public void Add(EventLayout layout, EventLayout? behind, IEventOwner module, uint kind)
    {
        Header ??= new EventHeader(layout);
        var schema = EventSchema.FromLayout(layout, module, kind, _all.Count, behind, origin);
        Array.Resize(ref _byKind, Math.Max(_byKind.Length, (int)schema.Kind + 1));
        _byKind[schema.Kind] = schema;
        _all.Add(schema);
    }

    /// <summary>The schemas of one module.</summary>
    /// <param name="module">The module's number in the session.</param>
    public IEnumerable<EventSchema> SchemasOf(int module) => _all.Where(schema => schema.Kind / KindsPerModule == module);

    /// <summary>Adds up counters that are kept by <see cref="EventSchema.Index"/>, of all modules or of one. From any thread.</summary>
    /// <param name="counts">A counter a schema.</param>
    /// <param name="module">The module's number in the session.</param>
    public ulong Sum(ulong[] counts, int? module = null)
    {
        ulong total = 0;
        foreach (var schema in _all)
        {
            if (module is null || schema.Kind / KindsPerModule == module)
                total += Volatile.Read(ref counts[schema.Index]);
        }

        return total;
    }

    /// <summary>The schema of a record.</summary>
    /// <exception cref="VeilException">The record is of no kind of this session, which a program of ours never makes.</exception>
    public EventSchema Find(uint kind) =>
        TryFind(kind, out var schema) ? schema : throw new VeilException($"reading the ring: a record of unknown kind {kind}");

    /// <summary>The schema of a record, where the kind is one of this session.</summary>
    public bool TryFind(uint kind, [NotNullWhen(true)] out EventSchema? schema) =>
        (schema = kind < (uint)_byKind.Length ? _byKind[kind] : null) is not null;
}
