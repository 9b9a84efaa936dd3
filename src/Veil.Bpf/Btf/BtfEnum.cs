// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>An enumeration of 32 or 64 bits.</summary>
/// <param name="TypeId">Its number in the BTF blob.</param>
/// <param name="Name">Its tag; empty if it is anonymous.</param>
/// <param name="SizeBytes">Its size, in bytes.</param>
/// <param name="IsSigned">Whether values are signed; a compiler older than clang 15 does not say and false is what it leaves.</param>
/// <param name="Values">In the order of the source. Values above <see cref="long.MaxValue"/> appear as their two's complement.</param>
public sealed record BtfEnum(int TypeId, string Name, int SizeBytes, bool IsSigned, IReadOnlyList<(string Name, long Value)> Values);
