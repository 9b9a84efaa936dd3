namespace Veil.Bpf;

/// <summary>The kinds of BTF types (<c>BTF_KIND_*</c> of linux/btf.h).</summary>
public enum BtfKind
{
    /// <summary>Nothing: type number 0.</summary>
    Void = 0,

    /// <summary>An integer.</summary>
    Integer = 1,

    /// <summary>A pointer.</summary>
    Pointer = 2,

    /// <summary>An array.</summary>
    Array = 3,

    /// <summary>A struct.</summary>
    Struct = 4,

    /// <summary>A union.</summary>
    Union = 5,

    /// <summary>An enumeration of 32 bits at most.</summary>
    Enum = 6,

    /// <summary>A struct or union that is only declared.</summary>
    Forward = 7,

    /// <summary>Another name of a type.</summary>
    Typedef = 8,

    /// <summary>volatile.</summary>
    Volatile = 9,

    /// <summary>const.</summary>
    Const = 10,

    /// <summary>restrict.</summary>
    Restrict = 11,

    /// <summary>A function.</summary>
    Function = 12,

    /// <summary>The arguments and result of a function.</summary>
    FunctionPrototype = 13,

    /// <summary>A variable.</summary>
    Variable = 14,

    /// <summary>A section of variables.</summary>
    DataSection = 15,

    /// <summary>A floating-point number. Linux 5.13.</summary>
    Float = 16,

    /// <summary>A tag on a declaration. Linux 5.16.</summary>
    DeclarationTag = 17,

    /// <summary>A tag on a type. Linux 5.17.</summary>
    TypeTag = 18,

    /// <summary>An enumeration of 64 bits. Linux 6.0.</summary>
    Enum64 = 19,
}
