// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;

namespace Veil.Core.Tests.Symbols;

/// <summary>Writes small ELF files: one segment of code at <see cref="Base"/>, the symbol tables that are asked for, nothing
/// else.</summary>
internal sealed class ElfBuilder
{
    public const ulong Base = 0x400000;
    public const ulong CodeOffset = 0x100;
    public const ushort X64 = 62;
    public const ushort Arm64 = 183;

    public const byte Function = 2;
    public const byte Variable = 1;
    public const byte IndirectFunction = 10;
    public const byte Global = 1;
    public const byte Local = 0;

    private readonly List<(string Name, ulong Address, byte Type, byte Binding, ushort Section)> _symbols = [];
    private readonly List<(string Name, ulong Address, byte Type, byte Binding, ushort Section)> _dynamic = [];

    private readonly List<(string Name, uint Type, ulong Address, byte[] Content, bool LinksPrevious)> _more = [];

    public bool Is64 { get; init; } = true;

    public ushort Machine { get; init; } = X64;

    public ushort FileType { get; init; } = 2;

    public bool Go { get; init; }

    /// <summary>A symbol at an offset of the file; section 0 is none: imported.</summary>
    public ElfBuilder Symbol(string name, ulong offset = CodeOffset, byte type = Function, byte binding = Global, ushort section = 1)
    {
        _symbols.Add((name, Base + offset, type, binding, section));
        return this;
    }

    /// <summary>The same in the dynamic table.</summary>
    public ElfBuilder Dynamic(string name, ulong offset = CodeOffset, byte type = Function, byte binding = Global, ushort section = 1)
    {
        _dynamic.Add((name, Base + offset, type, binding, section));
        return this;
    }

    /// <summary>Any other section; it may link to the one before it.</summary>
    public ElfBuilder More(string name, uint type, byte[] content, bool linksPrevious = false, ulong address = 0)
    {
        _more.Add((name, type, address, content, linksPrevious));
        return this;
    }

    /// <summary>A section with one note.</summary>
    public ElfBuilder Note(string section, string owner, uint type, byte[] content)
    {
        byte[] name = Encoding.ASCII.GetBytes(owner + "\0");
        return More(
            section, 7,
            [.. BitConverter.GetBytes(name.Length), .. BitConverter.GetBytes(content.Length), .. BitConverter.GetBytes(type),
            .. Padded(name), .. Padded(content)]);
    }

    /// <summary>A USDT probe at an offset of the code.</summary>
    public ElfBuilder Usdt(string provider, string probe, ulong offset, ulong counterOffset = 0)
    {
        byte[] Address(ulong value) => BitConverter.GetBytes(value)[..(Is64 ? 8 : 4)];
        return Note(
            ".note.stapsdt", "stapsdt", 3,
            [.. Address(Base + offset), .. Address(0), .. Address(counterOffset == 0 ? 0 : Base + counterOffset),
            .. Encoding.ASCII.GetBytes(provider + "\0" + probe + "\0\0")]);
    }

    /// <summary>Versions of the dynamic symbols: for each, in order, an index into the names (from 2), 0x8000 for one that is not the
    /// default.</summary>
    public ElfBuilder Versions(ushort[] indices, params string[] names)
    {
        var strings = new List<byte> { 0 };
        var definitions = new List<byte>();
        for (int i = 0; i < names.Length; i++)
        {
            const int entryBytes = 20;
            U16s(definitions, 1, 0, (ushort)(i + 2), 1);
            U32s(definitions, 0, entryBytes, i + 1 < names.Length ? entryBytes + 8u : 0, (uint)strings.Count, 0);
            strings.AddRange(Encoding.ASCII.GetBytes(names[i] + "\0"));
        }

        return More(".gnu.version", 0x6fffffff, [.. new ushort[] { 0 }.Concat(indices).SelectMany(BitConverter.GetBytes)])
            .More(".dynstr2", 3, [.. strings]).More(".gnu.version_d", 0x6ffffffd, [.. definitions], linksPrevious: true);
    }

    private static byte[] Padded(byte[] content) => [.. content, .. new byte[-content.Length & 3]];

    private static void U16s(List<byte> bytes, params ushort[] values) => bytes.AddRange(values.SelectMany(BitConverter.GetBytes));

    private static void U32s(List<byte> bytes, params uint[] values) => bytes.AddRange(values.SelectMany(BitConverter.GetBytes));

    public byte[] Build()
    {
        var file = new List<byte>();
        int headerBytes = Is64 ? 64 : 52;
        Pad(file, headerBytes);
        int segmentAt = file.Count;
        Pad(file, Is64 ? 56 : 32);
        while (file.Count < 0x200)
            file.Add(0x90);

        var sections = new List<byte[]> { Section(0, 0, 0, 0, 0) };
        var names = new List<byte> { 0 };
        sections.Add(Section(AddName(names, ".text"), 1, CodeOffset, 0x100, 0));
        if (_symbols.Count > 0)
            AddTable(2, ".symtab", _symbols);
        if (_dynamic.Count > 0)
            AddTable(11, ".dynsym", _dynamic);
        if (Go)
            sections.Add(Section(AddName(names, ".note.go.buildid"), 7, 0, 0, 0));
        foreach (var (name, type, address, content, linksPrevious) in _more)
        {
            sections.Add(
                Section(AddName(names, name), type, (ulong)file.Count, (ulong)content.Length, linksPrevious ? (uint)sections.Count - 1
                : 0, address));
            file.AddRange(content);
        }

        int nameOfNames = AddName(names, ".shstrtab");
        sections.Add(Section(nameOfNames, 3, (ulong)file.Count, (ulong)names.Count, 0));
        file.AddRange(names);
        ulong sectionsAt = (ulong)file.Count;
        foreach (byte[] section in sections)
            file.AddRange(section);

        byte[] bytes = [.. file];
        WriteHeader(bytes, (ulong)segmentAt, sectionsAt, sections.Count);
        WriteSegment(bytes.AsSpan(segmentAt), (ulong)bytes.Length);
        return bytes;

        void AddTable(uint type, string name, List<(string Name, ulong Address, byte Type, byte Binding, ushort Section)> symbols)
        {
            var strings = new List<byte> { 0 };
            ulong at = (ulong)file.Count;
            file.AddRange(SymbolBytes(0, 0, 0, 0));
            foreach (var symbol in symbols)
                file.AddRange(
                    SymbolBytes(
                    AddName(strings, symbol.Name), symbol.Address, (byte)((symbol.Binding << 4) | symbol.Type), symbol.Section));
            sections.Add(Section(AddName(names, name), type, at, (ulong)file.Count - at, (uint)sections.Count + 1));
            sections.Add(Section(0, 3, (ulong)file.Count, (ulong)strings.Count, 0));
            file.AddRange(strings);
        }
    }

    private static void Pad(List<byte> file, int bytes) => file.AddRange(new byte[bytes]);

    private static int AddName(List<byte> names, string name)
    {
        int at = names.Count;
        names.AddRange(Encoding.UTF8.GetBytes(name));
        names.Add(0);
        return at;
    }

    private void WriteHeader(Span<byte> header, ulong segmentAt, ulong sectionsAt, int sections)
    {
        "\u007fELF"u8.CopyTo(header);
        header[4] = Is64 ? (byte)2 : (byte)1;
        header[5] = 1;
        header[6] = 1;
        U16(header, 16, FileType);
        U16(header, 18, Machine);
        U32(header, 20, 1);
        Word(header, 24, Base + CodeOffset);
        Word(header, Is64 ? 32 : 28, segmentAt);
        Word(header, Is64 ? 40 : 32, sectionsAt);
        int counts = Is64 ? 54 : 42;
        U16(header, counts, Is64 ? (ushort)56 : (ushort)32);
        U16(header, counts + 2, 1);
        U16(header, counts + 4, Is64 ? (ushort)64 : (ushort)40);
        U16(header, counts + 6, (ushort)sections);
        U16(header, counts + 8, (ushort)(sections - 1));
    }

    private void WriteSegment(Span<byte> segment, ulong bytes)
    {
        U32(segment, 0, 1);
        if (Is64)
            U32(segment, 4, 5);
        else
            U32(segment, 24, 5);
        Word(segment, Is64 ? 8 : 4, 0);
        Word(segment, Is64 ? 16 : 8, Base);
        Word(segment, Is64 ? 32 : 16, bytes);
        Word(segment, Is64 ? 40 : 20, bytes);
    }

    private byte[] Section(int name, uint type, ulong offset, ulong bytes, uint link, ulong address = 0)
    {
        byte[] section = new byte[Is64 ? 64 : 40];
        U32(section, 0, (uint)name);
        U32(section, 4, type);
        Word(section, Is64 ? 16 : 12, address);
        Word(section, Is64 ? 24 : 16, offset);
        Word(section, Is64 ? 32 : 20, bytes);
        U32(section, Is64 ? 40 : 24, link);
        return section;
    }

    private byte[] SymbolBytes(int name, ulong address, byte info, ushort section)
    {
        byte[] symbol = new byte[Is64 ? 24 : 16];
        U32(symbol, 0, (uint)name);
        symbol[Is64 ? 4 : 12] = info;
        U16(symbol, Is64 ? 6 : 14, section);
        Word(symbol, Is64 ? 8 : 4, address);
        return symbol;
    }

    private void Word(Span<byte> bytes, int at, ulong value)
    {
        if (Is64)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[at..], value);
        else
            U32(bytes, at, (uint)value);
    }

    private static void U32(Span<byte> bytes, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes[at..], value);

    private static void U16(Span<byte> bytes, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes[at..], value);
}
