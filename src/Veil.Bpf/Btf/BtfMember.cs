// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

/// <summary>A member of a structure or union, seen through typedefs and qualifiers.</summary>
public sealed record BtfMember
{
    /// <summary>The member's name; empty for an anonymous structure or union, whose own members belong to the outer one.</summary>
    public required string Name { get; init; }

    /// <summary>Distance from the start of the structure, in bits.</summary>
    public required int OffsetBits { get; init; }

    /// <summary>Distance from the start of the structure, in whole bytes.</summary>
    public int OffsetBytes => OffsetBits / 8;

    /// <summary>Width of a bit-field, in bits; 0 for an ordinary member.</summary>
    public required int BitSize { get; init; }

    /// <summary>Whether it is a bit-field.</summary>
    public bool IsBitField => BitSize != 0;

    /// <summary>The declared type, before typedefs and qualifiers are removed.</summary>
    public required int TypeId { get; init; }

    /// <summary>The type behind typedefs and qualifiers.</summary>
    public required int ResolvedTypeId { get; init; }

    /// <summary>Size of the member's type, in bytes; of the storage unit for a bit-field. 0 for a flexible array.</summary>
    public required int SizeBytes { get; init; }

    /// <summary>The first typedef on the way to the type, as in <c>pid_t</c>; null if there is none.</summary>
    public required string? TypedefName { get; init; }

    /// <summary>What the member is; <see cref="BtfKind.Enum"/> for enumerations of any width.</summary>
    public required BtfKind Kind { get; init; }

    /// <summary>Whether it, or an array's element, is a signed number.</summary>
    public required bool IsSigned { get; init; }

    /// <summary>Whether it, or an array's element, is <c>_Bool</c>.</summary>
    public required bool IsBoolean { get; init; }

    /// <summary>
    /// Whether it, or an array's element, is a plain <c>char</c>: an integer of one byte named so, or marked as a character.
    /// </summary>
    public required bool IsCharacter { get; init; }

    /// <summary>Number of elements, of all dimensions together; 1 if it is no array, 0 for a flexible array.</summary>
    public required int ElementCount { get; init; }

    /// <summary>Size of an array's element, in bytes; <see cref="SizeBytes"/> if it is no array.</summary>
    public required int ElementSizeBytes { get; init; }

    /// <summary>What an array's element is; <see cref="Kind"/> if it is no array.</summary>
    public required BtfKind ElementKind { get; init; }

    /// <summary>The type of an array's element behind typedefs and qualifiers; <see cref="ResolvedTypeId"/> if it is no array.</summary>
    public required int ElementTypeId { get; init; }

    /// <summary>The first typedef between an array and its element's type; null if there is none or it is no array.</summary>
    public required string? ElementTypedefName { get; init; }

    /// <summary>The enumeration of the member or of an array's element; null if it is none, empty if it is anonymous.</summary>
    public required string? EnumName { get; init; }

    /// <summary>The structure or union of the member or of an array's element; null if it is none, empty if it is anonymous.</summary>
    public required string? StructName { get; init; }
}
