// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Modules;

/// <summary>A kind of event that is emitted instead of the usual ones, where one of its flags is given.</summary>
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

    /// <summary>Are its flags given?</summary>
    public bool IsChosen(ModuleArguments arguments) => NeedsAll ? Flags.All(arguments.IsGiven) : Flags.Any(arguments.IsGiven);
}
