namespace Veil.Core.Modules;

/// <summary>The flags of modules (<see cref="ModuleFlag"/>) that were given.</summary>
/// <param name="Switches">The switches that are on.</param>
/// <param name="Values">The values of the others, none of them empty.</param>
public sealed record ModuleArguments(IReadOnlySet<string> Switches, IReadOnlyDictionary<string, IReadOnlyList<string>> Values)
{
    /// <summary>No flag was given.</summary>
    public static ModuleArguments None { get; } = new(new HashSet<string>(), new Dictionary<string, IReadOnlyList<string>>());

    /// <summary>Is the switch on?</summary>
    public bool Has(string name) => Switches.Contains(name);

    /// <summary>The values of a flag, none where it was not given.</summary>
    public IReadOnlyList<string> Of(string name) => Values.TryGetValue(name, out var values) ? values : [];
}
