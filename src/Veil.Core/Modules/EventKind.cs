// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Modules;

/// <summary>A kind of event that is emitted where one of its flags is given.</summary>
/// <param name="Struct">The struct that <c>VEIL_EVENT</c> declares.</param>
/// <param name="Flags">The flags and filters that choose it, without dashes; the first is the one that messages and lists name.</param>
public sealed record EventKind(string Struct, params IReadOnlyList<string> Flags)
{
    /// <summary>Other structs that are emitted beside it.</summary>
    public IReadOnlyList<string> Beside { get; init; } = [];

    /// <summary>Is it, or comes it with, the event of that struct?</summary>
    public bool Has(string name) => Struct == name || Beside.Contains(name);

    /// <summary>Must all of its flags be given? One is enough.</summary>
    public bool NeedsAll { get; init; }

    /// <summary>Is it emitted beside the usual ones, and not instead of them?</summary>
    public bool IsAdded { get; init; }

    /// <summary>What chooses it, where that is not its flags alone but also what they say.</summary>
    public Func<ModuleArguments, bool>? When { get; init; }

    /// <summary>Is it asked for?</summary>
    public bool IsChosen(ModuleArguments arguments) =>
        When?.Invoke(arguments) ?? (NeedsAll ? Flags.All(arguments.IsGiven) : Flags.Any(arguments.IsGiven));
}
