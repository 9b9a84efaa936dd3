namespace Veil.Core.Modules;

/// <summary>One way to attach a module: a step of its ladder.</summary>
/// <param name="Name">The name for <c>--hook</c>.</param>
/// <param name="Description">The hooks, for <c>--verbose</c> and the docs.</param>
public sealed record HookRung(string Name, string Description);
