// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Modules;

/// <summary>A BPF program of a rung.</summary>
/// <param name="Name">Its name in the object.</param>
/// <param name="Event">It is only attached where this kind of event is emitted; none: for every kind.</param>
/// <param name="When">What else must hold, where not the flags alone decide: what this kernel has, which fields are shown.</param>
public sealed record HookProgram(string Name, EventKind? Event = null, Func<ModuleArguments, bool>? When = null)
{
    /// <summary>It is an iterator that runs when the others have been detached.</summary>
    public bool IsLast { get; init; }

    /// <summary>It is an iterator that runs now and then while events are sent.</summary>
    public bool IsRepeated { get; init; }

    /// <summary>What it sends now and then are events of their own, which are counted too.</summary>
    public bool IsCounted { get; init; }

    /// <summary>The map whose entries it iterates.</summary>
    public string? Map { get; init; }

    /// <summary>Is it only wanted where events are sent, and not where they are counted?</summary>
    public bool IsOfEvents => (IsLast || IsRepeated) && !IsCounted;

    /// <summary>Is it attached with these flags, on this kernel?</summary>
    public bool IsWanted(ModuleArguments arguments) => Event?.IsChosen(arguments) != false && When?.Invoke(arguments) != false;

    /// <summary>A program that is always attached.</summary>
    public static implicit operator HookProgram(string name) => new(name);
}
