// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Doctor;

/// <summary>Whether one way of attaching a module works here.</summary>
/// <param name="Name">The rung.</param>
/// <param name="Reason">Why it does not; nothing where it does.</param>
public sealed record RungReport(string Name, string? Reason);
