// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events;

/// <summary>
/// How a column is laid out on a terminal. Most follows from the kind of value; a module says what does not, by the name of the column
/// (<see cref="Modules.TraceModule.Columns"/>).
/// </summary>
public sealed record ColumnHint
{
    /// <summary>The rank of what is never left out.</summary>
    public const int Kept = 100;

    internal static readonly ColumnHint None = new();

    /// <summary>What is shown behind the rest, in the few events that it is true of.</summary>
    internal static readonly ColumnHint Remark = new() { Rank = 0, IsRare = true };

    /// <summary>What the header calls it; the name in capitals.</summary>
    public string? Title { get; init; }

    /// <summary>What stands before the value where it is under no title, with its <c>=</c>; as in the full columns.</summary>
    public string? Label { get; init; }

    /// <summary>Places that it has where there is room; as many as the full column.</summary>
    public int? Width { get; init; }

    /// <summary>Places that it has at least; as many.</summary>
    public int? WidthMin { get; init; }

    /// <summary>Where there is no room for all, the lowest ranks have no column; <see cref="Kept"/>.</summary>
    public int? Rank { get; init; }

    /// <summary>Without a column of its own, it is shown behind its label in the events where it says something; it is not.</summary>
    public bool? IsRare { get; init; }

    /// <summary>Zero says nothing; it does.</summary>
    public bool? HidesZero { get; init; }

    /// <summary>Nothing is shown where the value is that of another column.</summary>
    public string? SameAs { get; init; }

    /// <summary>The column that is shown with it: of an address, its port.</summary>
    public string? Port { get; init; }

    /// <summary>A name that is longer when it is escaped is shortened to so many places; 0: it is not.</summary>
    internal int Limit { get; init; }

    /// <summary>The colour, or none.</summary>
    internal string Colour { get; init; } = "";

    /// <summary>A value that is as wide as it is, and stands last.</summary>
    internal bool IsWide { get; init; }

    /// <summary>It goes on in the next rows of the screen, broken at blanks, and is not shortened.</summary>
    internal bool Wraps { get; init; }

    /// <summary>Another column says it.</summary>
    internal bool IsHidden { get; init; }

    /// <summary>That it is not known is said without a title too.</summary>
    internal bool ShowsUnknown { get; init; }

    /// <summary>The same, but for what a module says.</summary>
    internal ColumnHint Under(ColumnHint? module) => module is null ? this : this with
    {
        Title = module.Title ?? Title,
        Label = module.Label ?? Label,
        Width = module.Width ?? Width,
        WidthMin = module.WidthMin ?? WidthMin,
        Rank = module.Rank ?? Rank,
        IsRare = module.IsRare ?? IsRare,
        HidesZero = module.HidesZero ?? HidesZero,
        SameAs = module.SameAs ?? SameAs,
        Port = module.Port ?? Port,
    };
}
