// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>What the kernel knows of a map.</summary>
/// <param name="Id">Kernel-wide number, as shown by bpftool.</param>
/// <param name="Name">At most 15 characters.</param>
/// <param name="Type">The type.</param>
/// <param name="KeySize">Bytes of a key.</param>
/// <param name="ValueSize">Bytes of a value; of one CPU's value in a per-CPU map.</param>
/// <param name="MaxEntries">Number of elements; bytes for a ring buffer.</param>
/// <param name="Flags">The <c>BPF_F_*</c> flags that it was created with.</param>
public readonly record struct BpfMapInfo(uint Id, string Name, BpfMapType Type, int KeySize, int ValueSize, int MaxEntries, uint Flags);
