// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Doctor;

/// <summary>What a module can do here.</summary>
/// <param name="Module">Its name.</param>
/// <param name="Rungs">Its ladder, best first, each tried for real.</param>
/// <param name="Gaps">What the kernel does not let it see by any of them, and why.</param>
public sealed record ModuleReport(string Module, IReadOnlyList<RungReport> Rungs, IReadOnlyList<string> Gaps)
{
    /// <summary>The rung that a trace would take, or none.</summary>
    public string? Hook => Rungs.FirstOrDefault(static rung => rung.Reason is null)?.Name;
}
