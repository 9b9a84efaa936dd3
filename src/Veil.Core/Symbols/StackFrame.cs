// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>One frame with its name.</summary>
/// <param name="Address">The address, as the kernel gave it.</param>
/// <param name="Symbol">The function; none: not known.</param>
/// <param name="Offset">Bytes from the symbol's start, or from the file's where there is no symbol.</param>
/// <param name="File">The file that is mapped there; none: not known.</param>
/// <param name="BuildId">The file's build id in hexadecimal; none: not known.</param>
/// <param name="Source">File and line of the source; none: not known, or not asked for.</param>
public readonly record struct StackFrame(ulong Address, string? Symbol, ulong Offset, string? File, string? BuildId, string? Source);
