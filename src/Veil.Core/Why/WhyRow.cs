// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Why;

/// <summary>The time of a thread in one state.</summary>
/// <param name="Key">Whose, and which.</param>
/// <param name="Ns">Nanoseconds.</param>
/// <param name="Name">See <see cref="WhySum.Name"/>.</param>
/// <param name="Object">What the descriptor stands for, as it is; nothing: there is none, or that is not known.</param>
public readonly record struct WhyRow(WhyKey Key, ulong Ns, string Name, string? Object);
