// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events;

namespace Veil.Core.Modules;

/// <summary>A field of a module's events.</summary>
/// <param name="Field">Its name and value.</param>
/// <param name="Flag">The flag that adds it, without dashes; nothing: it is always there.</param>
public sealed record ModuleField(EventField Field, string? Flag);
