// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bpf;

public sealed partial class Btf
{
    private const int MemberBytes = 12;
    private const uint IntegerSigned = 1;
    private const uint IntegerCharacter = 2;
    private const uint IntegerBoolean = 4;

    /// <summary>Reads a structure or union by id.</summary>
    /// <param name="typeId">May be a typedef of it.</param>
    /// <exception cref="BpfException">It is something else, or damaged.</exception>
    public BtfStruct ReadStruct(int typeId)
    {
        int id = Resolve(typeId);
        var kind = KindOf(id);
        if (kind is not (BtfKind.Struct or BtfKind.Union))
            throw Invalid($"type {typeId} is no structure but {kind}");
        var members = new BtfMember[Count(id)];
        for (int i = 0; i < members.Length; i++)
            members[i] = ReadMember(Start(id) + TypeBytes + i * MemberBytes, KindFlag(id));
        return new BtfStruct(id, NameOf(id), Size(id), kind == BtfKind.Union, members);
    }

    /// <summary>Reads an enumeration by id.</summary>
    /// <param name="typeId">May be a typedef of it.</param>
    /// <exception cref="BpfException">It is something else, or damaged.</exception>
    public BtfEnum ReadEnum(int typeId)
    {
        int id = Resolve(typeId);
        var kind = KindOf(id);
        bool signed = KindFlagIfEnum(id, kind, typeId);
        var values = new (string, long)[Count(id)];
        for (int i = 0; i < values.Length; i++)
        {
            if (kind == BtfKind.Enum)
            {
                int at = Start(id) + TypeBytes + i * 8;
                uint value = UInt32(at + 4);
                values[i] = (Text(UInt32(at)), signed ? (int)value : value);
            }
            else
            {
                int at = Start(id) + TypeBytes + i * 12;
                values[i] = (Text(UInt32(at)), (long)((ulong)UInt32(at + 8) << 32 | UInt32(at + 4)));
            }
        }

        return new BtfEnum(id, NameOf(id), Size(id), signed, values);
    }

    private bool KindFlagIfEnum(int id, BtfKind kind, int typeId) =>
        kind is BtfKind.Enum or BtfKind.Enum64 ? KindFlag(id) : throw Invalid($"type {typeId} is no enumeration but {kind}");

    private int Size(int typeId)
    {
        uint size = SizeOrType(typeId);
        return size <= int.MaxValue ? (int)size : throw Invalid($"type {typeId} is larger than 2 GiB");
    }

    private BtfMember ReadMember(int at, bool hasBitFields)
    {
        int typeId = Id(UInt32(at + 4));
        uint placement = UInt32(at + 8);
        // With the structure's kind flag set, the upper byte is a bit-field's width; without it all 32 bits are the offset.
        int bitSize = hasBitFields ? (int)(placement >> 24) : 0;
        uint offset = hasBitFields ? placement & 0xffffff : placement;
        if (offset > int.MaxValue)
            throw Invalid($"a member of type {typeId} lies {offset} bits into its structure");

        int resolved = Resolve(typeId, out string? typedefName);
        var (element, count, elementTypedef) = ReadElement(resolved);
        var kind = Unify(KindOf(resolved));
        var elementKind = Unify(KindOf(element));
        uint encoding = IntegerEncoding(element);
        return new BtfMember
        {
            Name = Text(UInt32(at)),
            OffsetBits = (int)offset,
            BitSize = bitSize,
            TypeId = typeId,
            ResolvedTypeId = resolved,
            SizeBytes = SizeOf(resolved),
            TypedefName = typedefName,
            Kind = kind,
            IsSigned = elementKind == BtfKind.Enum ? KindFlag(element) : (encoding & IntegerSigned) != 0,
            IsBoolean = (encoding & IntegerBoolean) != 0,
            IsCharacter = IsCharacter(element, encoding),
            ElementCount = count,
            ElementSizeBytes = SizeOf(element),
            ElementKind = elementKind,
            ElementTypeId = element,
            ElementTypedefName = elementTypedef,
            EnumName = elementKind == BtfKind.Enum ? NameOf(element) : null,
            StructName = elementKind is BtfKind.Struct or BtfKind.Union ? NameOf(element) : null,
        };
    }

    private (int TypeId, int Count, string? TypedefName) ReadElement(int resolved)
    {
        long count = 1;
        string? typedefName = null;
        for (int depth = 0; depth < MaxDepth; depth++)
        {
            if (KindOf(resolved) != BtfKind.Array)
                return (resolved, (int)count, typedefName);
            int array = Start(resolved) + TypeBytes;
            count *= UInt32(array + 8);
            if (count > int.MaxValue)
                throw Invalid($"array {resolved} has more than 2^31 elements");
            resolved = Resolve(Id(UInt32(array)), out string? name);
            typedefName ??= name;
        }

        throw Invalid($"array {resolved} nests deeper than {MaxDepth} levels");
    }

    private uint IntegerEncoding(int typeId) =>
        KindOf(typeId) == BtfKind.Integer ? UInt32(Start(typeId) + TypeBytes) >> 24 & 0xf : 0;

    /// <summary>
    /// Neither clang nor pahole sets BTF_INT_CHAR on <c>char</c>, so the name has to tell it from <c>signed char</c> and <c>unsigned
    /// char</c>.
    /// </summary>
    private bool IsCharacter(int typeId, uint encoding) =>
        (encoding & IntegerCharacter) != 0
        || (KindOf(typeId) == BtfKind.Integer && SizeOrType(typeId) == 1
            && string.Equals(NameOf(typeId), "char", StringComparison.Ordinal));

    private static BtfKind Unify(BtfKind kind) => kind == BtfKind.Enum64 ? BtfKind.Enum : kind;

    private static bool IsData(string section) =>
        section.StartsWith(".rodata", StringComparison.Ordinal)
        || section.StartsWith(".data", StringComparison.Ordinal)
        || section.StartsWith(".bss", StringComparison.Ordinal);

    private Dictionary<string, BtfVariable> ReadVariables()
    {
        var variables = new Dictionary<string, BtfVariable>(StringComparer.Ordinal);
        for (int id = 1; id < _offsets.Length; id++)
        {
            if (KindOf(id) != BtfKind.DataSection)
                continue;
            string section = NameOf(id);
            // Maps, the license and undefined symbols are described the same way, yet no program sees them as memory of its own.
            if (!IsData(section))
                continue;
            for (int i = 0; i < Count(id); i++)
            {
                int at = Start(id) + TypeBytes + i * MemberBytes;
                int typeId = Id(UInt32(at));
                // Only variables have a place; libbpf lists extern functions beside them.
                if (KindOf(typeId) != BtfKind.Variable)
                    continue;
                var (offset, size) = (UInt32(at + 4), UInt32(at + 8));
                if (offset > int.MaxValue || size > int.MaxValue)
                    throw Invalid($"variable {typeId} lies outside section {section}");
                string name = NameOf(typeId);
                bool isStatic = UInt32(Start(typeId) + TypeBytes) == 0;
                variables[name] = new BtfVariable(name, section, (int)offset, (int)size, Id(SizeOrType(typeId)), isStatic);
            }
        }

        return variables;
    }
}
