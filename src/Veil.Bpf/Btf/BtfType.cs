// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>One entry of a BTF blob.</summary>
/// <param name="Id">Its number, from 1.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Name">Its name; empty for anonymous types.</param>
public readonly record struct BtfType(int Id, BtfKind Kind, string Name);
