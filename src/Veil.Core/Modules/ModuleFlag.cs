// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Filters;

namespace Veil.Core.Modules;

/// <summary>A flag that only some modules have, and that is no filter in the kernel.</summary>
/// <param name="Name">The flag, without its dashes.</param>
/// <param name="ValueName">What a value is, for the help; none: the flag is a switch. With values it is a list, and may be
/// repeated.</param>
/// <param name="Description">What it does, for the help.</param>
/// <param name="TakesOne">It takes one value, and no list.</param>
/// <param name="Role">What it does to a trace: it groups the help.</param>
public sealed record ModuleFlag(string Name, string? ValueName, string Description, bool TakesOne = false, FlagRole Role = FlagRole.Choice);
