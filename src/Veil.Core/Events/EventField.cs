// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events;

/// <summary>A named value of an event: a JSON key, a name for <c>--fields</c>.</summary>
/// <param name="Name">As users write it.</param>
/// <param name="Value">Where it is, and how it is shown.</param>
public readonly record struct EventField(string Name, EventValue Value);
