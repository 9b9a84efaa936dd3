namespace Veil.Bpf;

/// <summary>What the kernel knows of a loaded program (<c>struct bpf_prog_info</c>). What an older kernel does not say is 0.</summary>
/// <param name="Id">The kernel's number for it.</param>
/// <param name="XlatedSizeBytes">Size of the verified program.</param>
/// <param name="JitedSizeBytes">Size of the machine code.</param>
/// <param name="RunTimeNs">Nanoseconds that it ran; counted only while BPF statistics are on. Linux 5.1.</param>
/// <param name="RunCount">How often it ran; counted only while BPF statistics are on. Linux 5.1.</param>
/// <param name="RecursionMisses">Hits that it was not run for, because it was running on that CPU already. Linux 5.12.</param>
/// <param name="VerifiedInstructions">Instructions that the verifier walked. Linux 5.16.</param>
public readonly record struct BpfProgramInfo(
    uint Id, int XlatedSizeBytes, int JitedSizeBytes, ulong RunTimeNs, ulong RunCount, ulong RecursionMisses, int VerifiedInstructions);
