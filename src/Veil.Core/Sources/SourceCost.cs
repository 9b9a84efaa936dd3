// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Sources;

/// <summary>What a source costs in the kernel.</summary>
/// <param name="Programs">Each program that is attached.</param>
/// <param name="MapBytes">Kernel memory of its BPF maps.</param>
internal sealed record SourceCost(IReadOnlyList<ProgramCost> Programs, long MapBytes);
