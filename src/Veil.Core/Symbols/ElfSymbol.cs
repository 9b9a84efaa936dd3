// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>What a symbol of an ELF file says of itself.</summary>
/// <param name="Type">What it names.</param>
/// <param name="IsLocal">Known only in its own source file: another one may have a function of that name too.</param>
/// <param name="IsDefined">In this file; otherwise it is imported.</param>
/// <param name="Address">Virtual address, as the file has it.</param>
/// <param name="Bytes">Its length; 0 where that is not known.</param>
/// <param name="NameAt">Where its name is among those of its table.</param>
/// <param name="Index">Its place in the table.</param>
/// <param name="IsWeak">Another one of the name has precedence.</param>
internal readonly record struct ElfSymbol(
    ElfSymbolType Type, bool IsLocal, bool IsDefined, ulong Address, ulong Bytes, uint NameAt, uint Index, bool IsWeak = false)
{
    /// <summary>A function of this file that is there from the beginning.</summary>
    public bool IsFunction => this is { IsDefined: true, Type: ElfSymbolType.Function };
}

/// <summary><c>STT_*</c> of elf(5).</summary>
internal enum ElfSymbolType
{
    None = 0,
    Object = 1,
    Function = 2,
    Section = 3,
    File = 4,
    Common = 5,
    ThreadLocal = 6,
    IndirectFunction = 10,
}
