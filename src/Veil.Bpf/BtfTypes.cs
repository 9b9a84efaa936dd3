namespace Veil.Bpf;

/// <summary>A struct or union.</summary>
/// <param name="Name">Its tag; empty where it has none.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="Members">Its members, in order.</param>
public sealed record BtfStruct(string Name, int SizeBytes, IReadOnlyList<BtfMember> Members);

/// <summary>A member of a struct, with its type looked through to what it is.</summary>
/// <param name="Name">Its name; empty where it has none.</param>
/// <param name="OffsetBits">Bits from the start of the struct.</param>
/// <param name="BitSize">Bits of a bit field; 0 otherwise.</param>
/// <param name="TypeId">The number of its declared type.</param>
/// <param name="TypedefName">The first typedef in its declaration, or none.</param>
/// <param name="Kind">What it is, behind typedefs and qualifiers.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="IsSigned">A signed integer or enumeration.</param>
/// <param name="ElementCount">Elements of an array; 0 otherwise.</param>
public sealed record BtfMember(
    string Name, int OffsetBits, int BitSize, int TypeId, string? TypedefName, BtfKind Kind, int SizeBytes, bool IsSigned, int ElementCount)
{
    /// <summary>Bytes from the start of the struct.</summary>
    public int OffsetBytes => OffsetBits / 8;
}

/// <summary>An enumeration.</summary>
/// <param name="Name">Its tag.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="IsSigned">Whether values may be negative.</param>
/// <param name="Values">Its enumerators, in order.</param>
public sealed record BtfEnum(string Name, int SizeBytes, bool IsSigned, IReadOnlyList<BtfEnumValue> Values);

/// <summary>An enumerator.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value.</param>
public readonly record struct BtfEnumValue(string Name, long Value);

/// <summary>A global variable.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Section">The section that it lies in: <c>.bss</c>, <c>.rodata</c>.</param>
/// <param name="Offset">Bytes from the start of the section.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="TypeId">The number of its type.</param>
public sealed record BtfVariable(string Name, string Section, int Offset, int SizeBytes, int TypeId);
