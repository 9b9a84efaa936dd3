// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Options;

/// <summary>A recording that is kept in memory until something happens.</summary>
/// <param name="SizeBytes">What is kept: the newest.</param>
/// <param name="Triggers">What has it written; of each form that <c>--trigger</c> takes, as it was given.</param>
/// <param name="After">How long is waited then, so that what follows is in it too.</param>
public sealed record FlightOptions(long SizeBytes, IReadOnlyList<string> Triggers, TimeSpan After);
