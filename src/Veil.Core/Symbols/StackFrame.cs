// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>One frame of a stack with its name. Texts are as files and processes have them: whoever shows them escapes them.</summary>
/// <param name="Address">The address, as the stack has it.</param>
/// <param name="Symbol">The function, demangled; null where it is not known. A name that is not certain is not given.</param>
/// <param name="Offset">Bytes from the function's start; without one from the start of the file, and without a file 0.</param>
/// <param name="File">
/// The path of the program or library, the module of the kernel (<c>[ext4]</c>, <c>[kernel]</c>), <c>[vdso]</c> or <c>[jit]</c>; null where
/// nothing is known to be there. It ends in <c> (replaced)</c> where another file has taken its place: then there is no name.
/// </param>
/// <param name="BuildId">The id of the file's build in hexadecimal, where it has one.</param>
/// <param name="Source">File and line of the source, where that was asked for and is known.</param>
public readonly record struct StackFrame(ulong Address, string? Symbol, ulong Offset, string? File, string? BuildId, string? Source);
