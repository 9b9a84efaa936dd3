// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events;

/// <summary>Whose events they are, and what it adds to what the struct holds.</summary>
public interface IEventOwner
{
    /// <summary>The value of the field <c>module</c>.</summary>
    string Name { get; }

    /// <summary>Second names of fields: the same value under both.</summary>
    IReadOnlyList<(string Alias, string Field)> FieldAliases { get; }

    /// <summary>Fields that have one value for the whole trace.</summary>
    IReadOnlyList<(string Name, string Value)> Constants { get; }

    /// <summary>What a terminal cannot know of a column from its kind of value, by the column's name.</summary>
    IReadOnlyDictionary<string, ColumnHint> Columns { get; }
}
