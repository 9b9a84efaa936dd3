// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Losses;

/// <summary>Events of one user that were lost.</summary>
/// <param name="Uid">The user, as the initial user namespace numbers it.</param>
/// <param name="Count">How many.</param>
public readonly record struct UserLoss(uint Uid, ulong Count);
