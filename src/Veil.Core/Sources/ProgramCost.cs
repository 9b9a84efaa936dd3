// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Sources;

/// <summary>What one program took so far.</summary>
/// <param name="Module">Its module.</param>
/// <param name="Program">Its name.</param>
/// <param name="Runs">How often it ran.</param>
/// <param name="TimeNs">Nanoseconds in all.</param>
public readonly record struct ProgramCost(string Module, string Program, ulong Runs, ulong TimeNs);
