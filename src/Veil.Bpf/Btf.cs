using System.Buffers.Binary;
using System.Text;

namespace Veil.Bpf;

/// <summary>
/// The types that a BPF object or a kernel carries (BPF Type Format, Documentation/bpf/btf.rst). Immutable, and safe to read from
/// hostile bytes: time and memory are bounded by the size of the input.
/// </summary>
public sealed partial class Btf
{
    private const ushort Magic = 0xEB9F;
    private const int HeaderBytes = 24;
    private const int TypeBytes = 12;

    // Deeper than any real declaration; a cycle of typedefs ends here.
    private const int DepthMax = 32;

    private readonly byte[] _raw;
    private readonly int[] _offsets;
    private readonly int _strings;
    private readonly int _stringsEnd;

    private Btf(byte[] raw, int[] offsets, int strings, int stringsEnd)
    {
        _raw = raw;
        _offsets = offsets;
        _strings = strings;
        _stringsEnd = stringsEnd;
    }

    /// <summary>How many types there are; they are numbered from 1.</summary>
    public int TypeCount => _offsets.Length - 1;

    /// <summary>Reads raw BTF, such as a <c>.BTF</c> section.</summary>
    /// <param name="raw">The bytes; they are copied.</param>
    /// <exception cref="BpfException">They are no valid BTF.</exception>
    public static Btf Parse(ReadOnlySpan<byte> raw) => Parse(raw.ToArray());

    /// <summary>Reads the running kernel's BTF. Needs no privilege. Linux 5.4 with CONFIG_DEBUG_INFO_BTF.</summary>
    /// <exception cref="UnsupportedByKernelException">The kernel has none.</exception>
    public static Btf LoadKernel()
    {
        const string path = "/sys/kernel/btf/vmlinux";
        return File.Exists(path) ? Parse(File.ReadAllBytes(path)) : throw new UnsupportedByKernelException("reading", path, 2, "BTF (CONFIG_DEBUG_INFO_BTF)", new Version(5, 4));
    }

    /// <summary>Finds a struct or union by its tag.</summary>
    public BtfStruct? FindStruct(string name) => Find(name, BtfKind.Struct, BtfKind.Union) is var id && id > 0 ? ReadStruct(id) : null;

    /// <summary>Finds an enumeration by its tag.</summary>
    public BtfEnum? FindEnum(string name) => Find(name, BtfKind.Enum, BtfKind.Enum64) is var id && id > 0 ? ReadEnum(id) : null;

    /// <summary>Is there a function of that name?</summary>
    public bool HasFunction(string name) => Find(name, BtfKind.Function, BtfKind.Function) > 0;

    /// <summary>Is there a typedef of that name? The kernel has <c>btf_trace_NAME</c> for each tracepoint that <c>tp_btf</c> can take.</summary>
    public bool HasTypedef(string name) => Find(name, BtfKind.Typedef, BtfKind.Typedef) > 0;

    /// <summary>The struct that a member is, if it is one.</summary>
    public BtfStruct? StructOf(BtfMember member) => StructOf(member.TypeId);

    /// <summary>The struct behind a type number, if it is one.</summary>
    public BtfStruct? StructOf(int typeId) => Resolve(typeId, out _) is var id && KindOf(id) is BtfKind.Struct or BtfKind.Union ? ReadStruct(id) : null;

    /// <summary>The enumeration behind a type number, if it is one.</summary>
    public BtfEnum? EnumOf(int typeId) => Resolve(typeId, out _) is var id && KindOf(id) is BtfKind.Enum or BtfKind.Enum64 ? ReadEnum(id) : null;

    /// <summary>The struct that a pointer variable points to, if it does.</summary>
    public BtfStruct? PointedStruct(BtfVariable variable) =>
        Resolve(variable.TypeId, out _) is var id && KindOf(id) == BtfKind.Pointer ? StructOf(TypeField(id)) : null;

    /// <summary>Bytes of a type; 0 where it has no size.</summary>
    public int SizeOf(int typeId)
    {
        long elements = 1;
        for (int depth = 0; depth < DepthMax; depth++)
        {
            int id = Resolve(typeId, out _);
            switch (KindOf(id))
            {
                case BtfKind.Integer or BtfKind.Struct or BtfKind.Union or BtfKind.Enum or BtfKind.Enum64 or BtfKind.Float or BtfKind.DataSection:
                    return checked((int)Math.Min(elements * (uint)TypeField(id), int.MaxValue));
                case BtfKind.Pointer:
                    return (int)Math.Min(elements * sizeof(ulong), int.MaxValue);
                case BtfKind.Array:
                    elements = Math.Min(elements * UInt32(_offsets[id] + TypeBytes + 8), int.MaxValue);
                    typeId = Int32(_offsets[id] + TypeBytes);
                    break;
                default:
                    return 0;
            }
        }

        return 0;
    }

    /// <summary>What a type is, behind typedefs and qualifiers.</summary>
    /// <param name="typeId">Its number.</param>
    /// <param name="typedefName">The first typedef on the way, or none.</param>
    /// <returns>The number of the type behind; 0 for void and for a chain that has no end.</returns>
    public int Resolve(int typeId, out string? typedefName)
    {
        typedefName = null;
        for (int depth = 0; depth < DepthMax; depth++)
        {
            switch (KindOf(typeId))
            {
                case BtfKind.Typedef:
                    typedefName ??= NameOf(typeId);
                    typeId = TypeField(typeId);
                    break;
                case BtfKind.Volatile or BtfKind.Const or BtfKind.Restrict or BtfKind.TypeTag:
                    typeId = TypeField(typeId);
                    break;
                default:
                    return typeId > 0 && typeId <= TypeCount ? typeId : 0;
            }
        }

        return 0;
    }

    /// <summary>The kind of a type; <see cref="BtfKind.Void"/> for a number that is none.</summary>
    public BtfKind KindOf(int typeId) => typeId > 0 && typeId <= TypeCount ? (BtfKind)((UInt32(_offsets[typeId] + 4) >> 24) & 0x1f) : BtfKind.Void;

    /// <summary>The name of a type; empty where it has none.</summary>
    public string NameOf(int typeId) => typeId > 0 && typeId <= TypeCount ? String(UInt32(_offsets[typeId])) : "";

    private static Btf Parse(byte[] raw)
    {
        if (raw.Length < HeaderBytes || BinaryPrimitives.ReadUInt16LittleEndian(raw) != Magic)
            throw Invalid("it does not begin as BTF does");
        long header = BinaryPrimitives.ReadUInt32LittleEndian(raw.AsSpan(4));
        long types = header + BinaryPrimitives.ReadUInt32LittleEndian(raw.AsSpan(8));
        long typesEnd = types + BinaryPrimitives.ReadUInt32LittleEndian(raw.AsSpan(12));
        long strings = header + BinaryPrimitives.ReadUInt32LittleEndian(raw.AsSpan(16));
        long stringsEnd = strings + BinaryPrimitives.ReadUInt32LittleEndian(raw.AsSpan(20));
        if (header < HeaderBytes || typesEnd > raw.Length || stringsEnd > raw.Length)
            throw Invalid("a section reaches beyond its end");

        var offsets = new List<int> { 0 };
        int at = (int)types;
        while (at < typesEnd)
        {
            if (at + TypeBytes > typesEnd)
                throw Invalid("a type is cut off");
            uint info = BinaryPrimitives.ReadUInt32LittleEndian(raw.AsSpan(at + 4));
            int count = (int)(info & 0xffff);
            int? tail = (BtfKind)((info >> 24) & 0x1f) switch
            {
                BtfKind.Integer or BtfKind.Variable or BtfKind.DeclarationTag => 4,
                BtfKind.Array => 12,
                BtfKind.Struct or BtfKind.Union or BtfKind.DataSection or BtfKind.Enum64 => 12 * count,
                BtfKind.Enum or BtfKind.FunctionPrototype => 8 * count,
                BtfKind.Pointer or BtfKind.Forward or BtfKind.Typedef or BtfKind.Volatile or BtfKind.Const or BtfKind.Restrict
                    or BtfKind.Function or BtfKind.Float or BtfKind.TypeTag => 0,
                _ => null,
            };
            if (tail is not { } bytes)
                throw Invalid($"type {offsets.Count} is of an unknown kind");
            if (at + TypeBytes + bytes > typesEnd)
                throw Invalid($"type {offsets.Count} is cut off");
            offsets.Add(at);
            at += TypeBytes + bytes;
        }

        return new Btf(raw, [.. offsets], (int)strings, (int)stringsEnd);
    }

    private static BpfException Invalid(string cause) => new("reading", "BTF", 0, cause);

    private int Find(string name, BtfKind kind, BtfKind orKind)
    {
        var wanted = Encoding.UTF8.GetBytes(name);
        for (int id = 1; id <= TypeCount; id++)
        {
            var found = KindOf(id);
            if ((found == kind || found == orKind) && RawString(UInt32(_offsets[id])).SequenceEqual(wanted))
                return id;
        }

        return 0;
    }

    // Size of a type that has one, number of the type that it refers to otherwise.
    private int TypeField(int typeId) => Int32(_offsets[typeId] + 8);

    private int Count(int typeId) => (int)(UInt32(_offsets[typeId] + 4) & 0xffff);

    private bool KindFlag(int typeId) => (UInt32(_offsets[typeId] + 4) & 0x80000000) != 0;

    private uint UInt32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_raw.AsSpan(at));

    private int Int32(int at) => BinaryPrimitives.ReadInt32LittleEndian(_raw.AsSpan(at));

    private ReadOnlySpan<byte> RawString(uint offset)
    {
        if (offset >= (uint)(_stringsEnd - _strings))
            return default;
        var rest = _raw.AsSpan(_strings + (int)offset, _stringsEnd - _strings - (int)offset);
        int end = rest.IndexOf((byte)0);
        return end < 0 ? rest : rest[..end];
    }

    private string String(uint offset) => Encoding.UTF8.GetString(RawString(offset));
}
