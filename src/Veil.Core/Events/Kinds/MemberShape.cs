// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events.Kinds;

/// <summary>A member of an event struct, and the fields and columns that all members give together.</summary>
/// <param name="hints">What the module says of its columns.</param>
internal sealed class MemberShape(IReadOnlyDictionary<string, ColumnHint> hints)
{
    public List<EventField> Fields { get; } = [];

    public List<EventColumn> Columns { get; } = [];

    public string Name { get; set; } = "";

    public int Offset { get; set; }

    public int Size { get; set; }

    /// <summary>Of an enumeration its enumerators.</summary>
    public IReadOnlyList<(string Name, long Value)> Enum { get; set; } = [];

    /// <summary>Adds a field, and a column of the same value.</summary>
    public void Add<TKind>(int width, ColumnHint? hint = null, string? label = null, byte[]?[]? names = null)
        where TKind : struct, IValueKind
    {
        var value = new EventValue<TKind>(Offset, Size, names);
        Fields.Add(new(Name, value));
        Column(Name, width, value, hint, label);
    }

    /// <summary>Adds a field.</summary>
    public void Field<TKind>(string name)
        where TKind : struct, IValueKind => Fields.Add(new(name, new EventValue<TKind>(Offset, Size)));

    /// <summary>Adds a column that shows the member in a form of its own.</summary>
    public void Column<TKind>(string name, int width, ColumnHint? hint = null, string? label = null)
        where TKind : struct, IValueKind => Column(name, width, new EventValue<TKind>(Offset, Size), hint, label);

    /// <summary>Adds a column.</summary>
    /// <param name="name">What hints are given by.</param>
    /// <param name="width">As <see cref="EventColumn.Width"/>.</param>
    /// <param name="value">The value.</param>
    /// <param name="hint">What follows from the kind.</param>
    /// <param name="label">What stands before the value where it is not the name.</param>
    public void Column(string name, int width, EventValue value, ColumnHint? hint = null, string? label = null) =>
        Columns.Add(new(name, label ?? name + "=", width, value, (hint ?? ColumnHint.None).Under(hints.GetValueOrDefault(name))));
}
