// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf;

/// <summary>What the kernel knows of a loaded program; fields that it is too old for are 0.</summary>
/// <param name="Id">Kernel-wide number, as shown by bpftool.</param>
/// <param name="RunTimeNs">Nanoseconds spent in the program; counted only while <see cref="BpfStatistics"/> are on (5.1).</param>
/// <param name="RunCount">Number of runs; counted only while <see cref="BpfStatistics"/> are on (5.1).</param>
/// <param name="RecursionMisses">Runs skipped because the program was already running on that CPU (5.12).</param>
/// <param name="XlatedSizeBytes">Size after the verifier's rewriting, in bytes.</param>
/// <param name="JitedSizeBytes">Size of the machine code, in bytes; 0 without the JIT.</param>
/// <param name="VerifiedInstructions">Instructions that the verifier walked, its measure of complexity (5.16).</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct BpfProgramInfo(
    uint Id,
    ulong RunTimeNs,
    ulong RunCount,
    ulong RecursionMisses,
    uint XlatedSizeBytes,
    uint JitedSizeBytes,
    uint VerifiedInstructions);
