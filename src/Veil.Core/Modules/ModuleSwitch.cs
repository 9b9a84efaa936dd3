namespace Veil.Core.Modules;

/// <summary>A flag without a value that only some modules have.</summary>
/// <param name="Name">The flag, without its dashes.</param>
/// <param name="Description">What it does, for the help.</param>
public sealed record ModuleSwitch(string Name, string Description);
