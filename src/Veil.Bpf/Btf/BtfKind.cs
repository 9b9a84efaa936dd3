// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>Kinds of BTF types, numbered as in Documentation/bpf/btf.rst.</summary>
public enum BtfKind
{
    /// <summary><c>void</c>, type 0.</summary>
    Void = 0,

    /// <summary>An integer, character or boolean.</summary>
    Integer = 1,

    /// <summary>A pointer.</summary>
    Pointer = 2,

    /// <summary>An array.</summary>
    Array = 3,

    /// <summary>A structure.</summary>
    Struct = 4,

    /// <summary>A union.</summary>
    Union = 5,

    /// <summary>An enumeration; members resolve to it for those of 64 bits too.</summary>
    Enum = 6,

    /// <summary>A structure or union that is declared only.</summary>
    Forward = 7,

    /// <summary>Another name for a type.</summary>
    Typedef = 8,

    /// <summary><c>volatile</c>.</summary>
    Volatile = 9,

    /// <summary><c>const</c>.</summary>
    Const = 10,

    /// <summary><c>restrict</c>.</summary>
    Restrict = 11,

    /// <summary>A function.</summary>
    Function = 12,

    /// <summary>A function's signature.</summary>
    FunctionPrototype = 13,

    /// <summary>A global variable.</summary>
    Variable = 14,

    /// <summary>An ELF section that holds variables.</summary>
    DataSection = 15,

    /// <summary>A floating-point number (5.13).</summary>
    Float = 16,

    /// <summary>An annotation of a declaration (5.16).</summary>
    DeclarationTag = 17,

    /// <summary>An annotation of a type (5.17).</summary>
    TypeTag = 18,

    /// <summary>An enumeration with 64-bit values (6.0).</summary>
    Enum64 = 19,
}
