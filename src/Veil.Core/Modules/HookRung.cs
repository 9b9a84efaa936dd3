// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Modules;

/// <summary>One way to attach a module: a step of its ladder.</summary>
/// <param name="Name">The name for <c>--hook</c>.</param>
/// <param name="Description">The hooks, for <c>--verbose</c> and the docs.</param>
/// <param name="Programs">What is attached, in this order. The object's other programs are not loaded.</param>
public sealed record HookRung(string Name, string Description, params IReadOnlyList<HookProgram> Programs)
{
    /// <summary>Maps that its programs do not use: they get room for one entry.</summary>
    public IReadOnlyList<string> UnusedMaps { get; init; } = [];

    /// <summary>
    /// Kernel memory in bytes that the check of its programs takes while they are loaded, where that is megabytes; as measured in a memory
    /// cgroup, so that one that allows less is known before.
    /// </summary>
    public long LoadBytes { get; init; }
}
