// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;

namespace Veil.Bpf;

/// <summary>
/// BPF type format: the C types of an object file or of the kernel (Documentation/bpf/btf.rst). Whatever the bytes are, reading them ends
/// with an answer or a <see cref="BpfException"/>: lengths, references and nesting are checked. Immutable, and safe to share between
/// threads.
/// </summary>
public sealed partial class Btf
{
    private const string Operation = "reading BTF";
    private const ushort Magic = 0xEB9F;
    private const int MinHeaderBytes = 24;
    private const int TypeBytes = 12;

    /// <summary>As the kernel's own limit for nesting (MAX_RESOLVE_DEPTH in kernel/bpf/btf.c).</summary>
    private const int MaxDepth = 32;

    private readonly byte[] _raw;
    private readonly int _stringsStart;
    private readonly int _stringsLength;

    /// <summary>Where each type starts in <see cref="_raw"/>; index 0 is <c>void</c>.</summary>
    private readonly int[] _offsets;

    private readonly Lazy<Dictionary<string, BtfVariable>> _variables;

    private Btf(byte[] raw)
    {
        _raw = raw;
        if (raw.Length < MinHeaderBytes)
            throw Invalid($"{raw.Length} bytes are fewer than a header");
        ushort magic = BinaryPrimitives.ReadUInt16LittleEndian(raw);
        if (magic == BinaryPrimitives.ReverseEndianness(Magic))
            throw Invalid("it is big-endian");
        if (magic != Magic)
            throw Invalid($"the magic number is 0x{magic:x4}");
        if (raw[2] != 1)
            throw Invalid($"version {raw[2]} is unknown");
        uint headerLength = UInt32(4);
        if (headerLength < MinHeaderBytes || headerLength > (uint)raw.Length)
            throw Invalid($"the header claims {headerLength} bytes");

        var (types, typesLength) = Section(headerLength, UInt32(8), UInt32(12), "types");
        (_stringsStart, _stringsLength) = Section(headerLength, UInt32(16), UInt32(20), "strings");
        if (_stringsLength == 0 || raw[_stringsStart] != 0 || raw[_stringsStart + _stringsLength - 1] != 0)
            throw Invalid("the strings do not start and end with a null byte");
        _offsets = IndexTypes(types, typesLength);
        _variables = new Lazy<Dictionary<string, BtfVariable>>(ReadVariables);
    }

    /// <summary>Number of types, with <c>void</c>: valid ids are below it.</summary>
    public int TypeCount => _offsets.Length;

    /// <summary>All types but <c>void</c>, in the order of their ids.</summary>
    /// <exception cref="BpfException">A name lies outside the strings (while enumerating).</exception>
    public IEnumerable<BtfType> Types
    {
        get
        {
            for (int id = 1; id < _offsets.Length; id++)
                yield return new BtfType(id, KindOf(id), NameOf(id));
        }
    }

    /// <summary>Parses a BTF blob, the content of an ELF section <c>.BTF</c>.</summary>
    /// <param name="raw">Copied.</param>
    /// <exception cref="BpfException">It is not BTF, damaged, or big-endian.</exception>
    public static Btf Parse(ReadOnlySpan<byte> raw) => new(raw.ToArray());

    /// <summary>
    /// Reads the kernel's own types from /sys/kernel/btf/vmlinux, which every user may. Several megabytes: see
    /// <see cref="KernelFeatures.KernelBtf"/>.
    /// </summary>
    /// <exception cref="UnsupportedByKernelException">There is no such file: the kernel was built without
    /// CONFIG_DEBUG_INFO_BTF.</exception>
    /// <exception cref="BpfException">The file cannot be read or is damaged.</exception>
    public static Btf LoadKernel()
    {
        const string path = "/sys/kernel/btf/vmlinux";
        try
        {
            return new Btf(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UnsupportedByKernelException(Operation, path, "BTF (CONFIG_DEBUG_INFO_BTF)", MinimumKernel.KernelBtf);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BpfException(Operation, path, e.Message, innerException: e);
        }
    }

    /// <summary>The kind of a type.</summary>
    /// <exception cref="BpfException">There is no such type.</exception>
    public BtfKind KindOf(int typeId) => typeId == 0 ? BtfKind.Void : (BtfKind)(Info(typeId) >> 24 & 0x1f);

    /// <summary>The name of a type; empty for an anonymous one.</summary>
    /// <exception cref="BpfException">There is no such type, or its name lies outside the strings.</exception>
    public string NameOf(int typeId) => typeId == 0 ? "" : Text(UInt32(Start(typeId)));

    /// <summary>Removes typedefs, qualifiers and tags.</summary>
    /// <returns>The id of the type behind them.</returns>
    /// <exception cref="BpfException">There is no such type, or they form a cycle.</exception>
    public int Resolve(int typeId) => Resolve(typeId, out _);

    /// <summary>What a pointer points to.</summary>
    /// <param name="typeId">A pointer, or a typedef of one.</param>
    /// <returns>The id of the type pointed to; 0 for <c>void</c>.</returns>
    /// <exception cref="BpfException">It is no pointer.</exception>
    public int PointedType(int typeId)
    {
        int id = Resolve(typeId);
        return KindOf(id) == BtfKind.Pointer ? Id(SizeOrType(id)) : throw Invalid($"type {typeId} is no pointer but {KindOf(id)}");
    }

    /// <summary>The size of a type, in bytes; 0 for <c>void</c>, functions and forward declarations.</summary>
    /// <exception cref="BpfException">There is no such type, types form a cycle, or the size exceeds 2 GiB.</exception>
    public int SizeOf(int typeId)
    {
        long count = 1;
        for (int depth = 0; depth < MaxDepth; depth++)
        {
            typeId = Resolve(typeId);
            switch (KindOf(typeId))
            {
                case BtfKind.Array:
                    int array = Start(typeId) + TypeBytes;
                    count *= UInt32(array + 8);
                    if (count > int.MaxValue)
                        throw Invalid($"array {typeId} is larger than 2 GiB");
                    typeId = Id(UInt32(array));
                    continue;
                case BtfKind.Variable:
                    typeId = Id(SizeOrType(typeId));
                    continue;
                default:
                    long size = count * ElementSize(typeId);
                    return size <= int.MaxValue ? (int)size : throw Invalid($"type {typeId} is larger than 2 GiB");
            }
        }

        throw Invalid($"type {typeId} nests deeper than {MaxDepth} levels");
    }

    internal static BpfException Invalid(string cause) => new(Operation, "", cause);

    private long ElementSize(int typeId) => KindOf(typeId) switch
    {
        BtfKind.Integer or BtfKind.Struct or BtfKind.Union or BtfKind.Enum or BtfKind.Enum64 or BtfKind.Float or BtfKind.DataSection =>
            SizeOrType(typeId),
        // BPF and every kernel with BTF are 64-bit.
        BtfKind.Pointer => 8,
        _ => 0,
    };

    private int Resolve(int typeId, out string? typedefName)
    {
        typedefName = null;
        // A chain longer than there are types has met one twice. Real chains are short: the bound is for hostile ones.
        for (int steps = 0; steps < MaxDepth; steps++)
        {
            var kind = KindOf(typeId);
            if (kind == BtfKind.Typedef)
                typedefName ??= NameOf(typeId);
            else if (kind is not (BtfKind.Const or BtfKind.Volatile or BtfKind.Restrict or BtfKind.TypeTag))
                return typeId;
            typeId = Id(SizeOrType(typeId));
        }

        throw Invalid($"type {typeId} is behind more than {MaxDepth} typedefs and qualifiers, or a cycle of them");
    }

    private (int Start, int Length) Section(uint headerLength, uint offset, uint length, string what)
    {
        if ((ulong)headerLength + offset + length > (ulong)_raw.Length)
            throw Invalid($"the {what} reach beyond the end");
        return ((int)(headerLength + offset), (int)length);
    }

    private int[] IndexTypes(int start, int length)
    {
        // No type is shorter than its fixed part, so the count is bounded by the input's own size.
        var offsets = new List<int>(length / 20 + 1) { -1 };
        int end = start + length;
        int at = start;
        while (at < end)
        {
            if (end - at < TypeBytes)
                throw Invalid($"type {offsets.Count} is cut off");
            uint info = UInt32(at + 4);
            long count = (long)(info & 0xffff);
            long size = (BtfKind)(info >> 24 & 0x1f) switch
            {
                BtfKind.Integer or BtfKind.Variable or BtfKind.DeclarationTag => 4,
                BtfKind.Array => 12,
                BtfKind.Struct or BtfKind.Union or BtfKind.DataSection or BtfKind.Enum64 => 12 * count,
                BtfKind.Enum or BtfKind.FunctionPrototype => 8 * count,
                BtfKind.Pointer or BtfKind.Forward or BtfKind.Typedef or BtfKind.Volatile or BtfKind.Const or BtfKind.Restrict
                    or BtfKind.Function or BtfKind.Float or BtfKind.TypeTag => 0,
                var kind => throw Invalid($"type {offsets.Count} is of kind {(int)kind}, which is unknown"),
            };
            if (end - at - TypeBytes < size)
                throw Invalid($"type {offsets.Count} is cut off");
            offsets.Add(at);
            at += TypeBytes + (int)size;
        }

        return [.. offsets];
    }

    private uint UInt32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_raw.AsSpan(offset));

    private int Start(int typeId) =>
        typeId > 0 && typeId < _offsets.Length ? _offsets[typeId] : throw Invalid($"there is no type {typeId}");

    private uint Info(int typeId) => UInt32(Start(typeId) + 4);

    private int Count(int typeId) => (int)(Info(typeId) & 0xffff);

    private bool KindFlag(int typeId) => Info(typeId) >> 31 != 0;

    /// <summary>The union of size and type that every entry has; which of the two depends on the kind.</summary>
    private uint SizeOrType(int typeId) => UInt32(Start(typeId) + 8);

    private int Id(uint typeId) => typeId < (uint)_offsets.Length ? (int)typeId : throw Invalid($"there is no type {typeId}");

    private string Text(uint offset)
    {
        if (offset >= (uint)_stringsLength)
            throw Invalid($"a name starts at {offset}, outside the strings");
        var bytes = _raw.AsSpan(_stringsStart + (int)offset, _stringsLength - (int)offset);
        return Encoding.UTF8.GetString(bytes[..bytes.IndexOf((byte)0)]);
    }
}
