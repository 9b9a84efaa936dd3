// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;
using Veil.Core.Modules;

namespace Veil.Core.Recordings;

/// <summary>A module whose events were recorded: what this veil knows of it, with what was recorded of it.</summary>
/// <param name="known">The module of that name.</param>
/// <param name="constants">Fields that have one value for the whole trace.</param>
/// <param name="aliases">Second names of fields.</param>
/// <param name="filter">Makes its filter; none: everything passes.</param>
internal sealed class RecordedModule(
    TraceModule known, IReadOnlyList<(string Name, string Value)> constants, IReadOnlyList<(string Alias, string Field)> aliases,
    Func<EventSchema, EventFilter?> filter) : TraceModule
{
    /// <summary>The module that it is of.</summary>
    public TraceModule Known => known;

    public override string Name => known.Name;

    public override string Summary => known.Summary;

    public override string CountKey => known.CountKey;

    public override string? CountSum => known.CountSum;

    public override IReadOnlyList<Example> Examples => known.Examples;

    public override IReadOnlyList<Filters.FilterDimension> OwnFilters => known.OwnFilters;

    public override IReadOnlyList<ModuleFlag> Flags => known.Flags;

    public override IReadOnlyList<HookRung> Rungs => known.Rungs;

    public override IReadOnlyList<(string Alias, string Field)> FieldAliases => aliases;

    public override IReadOnlyList<(string Name, string Value)> Constants => constants;

    public override IReadOnlyDictionary<string, ColumnHint> Columns => known.Columns;

    public override IReadOnlyList<EventKind> EventsByFlag => known.EventsByFlag;

    public override EventKind? EventsOfStrace => known.EventsOfStrace;

    public override bool Traces(Filters.FilterDimension filter, Filters.FilterKey key, ModuleArguments arguments) => known.Traces(filter, key, arguments);

    public override bool HasTree => known.HasTree;

    public override bool ComesInOrder => known.ComesInOrder;

    public override EventFilter? CreateFilter(EventSchema schema) => filter(schema);

    public override byte[] ReadObject() => known.ReadObject();
}
