// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Filters;

/// <summary>A key of a filter map, as the kernel compares it: little-endian bytes in one number.</summary>
/// <param name="Bits">The bytes.</param>
/// <param name="Text">As the user wrote it, for messages and lists.</param>
public readonly record struct FilterKey(UInt128 Bits, string Text);
