// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;
using Veil.Core.Stacks;

namespace Veil.Core.Modules;

/// <summary>The flags of modules (<see cref="ModuleFlag"/>) that were given.</summary>
/// <param name="Switches">The switches that are on.</param>
/// <param name="Values">The values of the others, none of them empty.</param>
public sealed record ModuleArguments(IReadOnlySet<string> Switches, IReadOnlyDictionary<string, IReadOnlyList<string>> Values)
{
    /// <summary>No flag was given.</summary>
    public static ModuleArguments None { get; } = new(new HashSet<string>(), new Dictionary<string, IReadOnlyList<string>>());

    /// <summary>The fields that are shown or counted; nothing: all of them.</summary>
    public IReadOnlySet<string>? Fields { get; init; }

    /// <summary>The fields whose numbers are added up, or made a histogram of.</summary>
    public IReadOnlySet<string> Quantities { get; init; } = new HashSet<string>();

    /// <summary>The stacks that were asked for; none: what is usual.</summary>
    public StackKinds Stacks { get; init; }

    /// <summary>Is the output in the form of strace?</summary>
    public bool IsStrace { get; init; }

    /// <summary>The filters that were given for the module, by their names.</summary>
    public IReadOnlyDictionary<string, FilterExpression> Filters { get; init; } = new Dictionary<string, FilterExpression>();

    /// <summary>Is the flag or the filter given?</summary>
    public bool IsGiven(string name) => Switches.Contains(name) || Values.ContainsKey(name) || Filters.ContainsKey(name);

    /// <summary>Is the field shown or counted? What is not need not be found out.</summary>
    public bool Shows(string field) => Fields is null || Fields.Contains(field);

    /// <summary>Is the switch on?</summary>
    public bool Has(string name) => Switches.Contains(name);

    /// <summary>The values of a flag, none where it was not given.</summary>
    public IReadOnlyList<string> Of(string name) => Values.TryGetValue(name, out var values) ? values : [];
}
