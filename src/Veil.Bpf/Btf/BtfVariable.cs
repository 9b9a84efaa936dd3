// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>A global variable.</summary>
/// <param name="Name">Its name in C.</param>
/// <param name="Section">The ELF section, as in <c>.rodata</c>.</param>
/// <param name="OffsetBytes">Distance from the start of the section, in bytes.</param>
/// <param name="SizeBytes">Its size, in bytes.</param>
/// <param name="TypeId">Its type's number in the BTF blob.</param>
/// <param name="IsStatic">Whether it is visible in its own source file only.</param>
public sealed record BtfVariable(string Name, string Section, int OffsetBytes, int SizeBytes, int TypeId, bool IsStatic);
