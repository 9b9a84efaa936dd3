// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Events.Kinds;

/// <summary>What can be done with a kind of value.</summary>
/// <param name="JsonType">Its type in JSON, for <c>--list-fields</c>.</param>
/// <param name="Key">How the kernel counts by it; null where it does not.</param>
/// <param name="Quantity">The quantity that it is, for histograms; null where it is none.</param>
internal sealed record ValueFacts(string JsonType, KeyKind? Key, Quantity? Quantity);
