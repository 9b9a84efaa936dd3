// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Veil.Core.Symbols;

/// <summary>
/// Finds functions in an ELF file (little-endian, 32 and 64 bit). The file is not trusted: every table has to lie within it, and what
/// is read and kept is bounded. Anything wrong with it is an <see cref="ElfException"/>.
/// </summary>
internal sealed partial class ElfFile
{
    /// <summary>The most functions that one name may stand for.</summary>
    public const int OffsetsMax = 64;

    // No program comes near these; a sparse file of any size could.
    private const ulong TableBytesMax = 1 << 30;
    private const ulong SectionsMax = 1 << 17;
    private const int BufferBytes = 1 << 16;

    private const int HeaderBytes32 = 52;
    private const int HeaderBytes64 = 64;
    private const ushort TypeRelocatable = 1;
    private const ushort TypeExecutable = 2;
    private const ushort TypeShared = 3;
    private const ushort ManySegments = 0xffff; // PN_XNUM
    private const uint SegmentLoad = 1;
    private const uint SegmentIsCode = 1;
    private const uint SectionContent = 1;
    private const uint SectionSymbols = 2;
    private const uint SectionNotes = 7;
    private const uint SectionDynamicSymbols = 11;
    private const uint SectionFrames = 0x70000001; // SHT_X86_64_UNWIND
    private const uint SectionVersionNames = 0x6ffffffd; // SHT_GNU_verdef
    private const uint SectionVersions = 0x6fffffff; // SHT_GNU_versym
    private const int NoteSectionsMax = 64;

    // The first may be left out of a build, the second gets another name where the addresses are not fixed.
    private static readonly byte[][] s_goSections = [".note.go.buildid"u8.ToArray(), ".gopclntab"u8.ToArray()];

    private static readonly byte[] s_exceptionTable = ".gcc_except_table"u8.ToArray();
    private static readonly byte[] s_frames = ".eh_frame"u8.ToArray();
    private static readonly byte[] s_debugFrames = ".debug_frame"u8.ToArray();
    private static readonly byte[] s_debugLink = ".gnu_debuglink"u8.ToArray();
    private static readonly byte[] s_miniDebugInfo = ".gnu_debugdata"u8.ToArray();
    private static readonly byte[] s_usdtBase = ".stapsdt.base"u8.ToArray();

    private readonly Stream _file;
    private readonly ulong _length;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly bool _is64;
    private readonly List<Segment> _segments = [];
    private readonly List<Section> _notes = [];
    private readonly bool _isCompanion;
    private readonly ulong _entry;
    private Section? _symbols;
    private Section? _dynamicSymbols;
    private Section? _versions;
    private Section? _versionNames;
    private Section? _debugLink;
    private Section? _frames;
    private Section? _debugFrames;
    private Section? _miniDebugInfo;
    private ulong _usdtBase;

    /// <summary>Reads the headers.</summary>
    /// <param name="file">The file, which can seek. It stays the caller's.</param>
    /// <param name="machine">The machine that it has to be for.</param>
    /// <param name="isCompanion">It holds the symbols of another file, and of that one's code only the addresses.</param>
    /// <exception cref="ElfException">It is no program or library of this machine, or it is damaged.</exception>
    public ElfFile(Stream file, Architecture machine, bool isCompanion = false)
    {
        _isCompanion = isCompanion;
        _file = file;
        _length = (ulong)Guard(() => file.Length);
        Span<byte> header = stackalloc byte[HeaderBytes64];
        header = header[..(int)Math.Min(_length, HeaderBytes64)];
        ReadExactly(0, header);
        if (!header.StartsWith("\x7f"u8) || !header[1..].StartsWith("ELF"u8))
            throw new ElfException(Explain(header));
        if (header.Length < HeaderBytes32 || (header[4] == 2 && header.Length < HeaderBytes64))
            throw Truncated("ELF header");
        if (header[4] is not (1 or 2))
            throw new ElfException("is damaged: an ELF file is of 32 or 64 bits, not of class " + header[4]);
        _is64 = header[4] == 2;
        if (header[5] != 1)
            throw new ElfException("is not for this machine: it is big-endian");
        RequireMachine(U16(header[18..]), machine);
        IsX86 = machine == Architecture.X64;
        ushort type = U16(header[16..]);
        if (type is not (TypeExecutable or TypeShared))
            throw new ElfException(
                type == TypeRelocatable ? "is an object file: link it first" : "is neither a program nor a shared library");

        _entry = Word(header[24..]);
        ulong segments = Word(header[(_is64 ? 32 : 28)..]);
        ulong sections = Word(header[(_is64 ? 40 : 32)..]);
        var counts = header[(_is64 ? 54 : 42)..];
        ReadSegments(segments, U16(counts), U16(counts[2..]));
        ReadSections(sections, U16(counts[4..]), U16(counts[6..]), U16(counts[8..]));
    }

    /// <summary>Was it made by the Go compiler? Go moves the stacks of its goroutines, with the addresses that calls return to.</summary>
    public bool IsGo { get; private set; }

    /// <summary>Is it code for x86?</summary>
    internal bool IsX86 { get; }

    /// <summary>Is it code of 64 bits?</summary>
    internal bool Is64 => _is64;

    /// <summary>A part of the file.</summary>
    internal byte[] ReadCode(ulong offset, int bytes)
    {
        RequireWithin("function", offset, (ulong)bytes);
        byte[] code = new byte[bytes];
        ReadExactly(offset, code);
        return code;
    }

    /// <summary>Where in the file the program's first instruction is.</summary>
    /// <exception cref="ElfException">It is in no executable part of the file.</exception>
    public ulong EntryOffset => OffsetOf(_entry);

    private static void RequireMachine(ushort given, Architecture machine)
    {
        const ushort i386 = 3, arm = 40, x64 = 62, arm64 = 183;
        bool fits = machine == Architecture.Arm64 ? given == arm64 : given is x64 or i386;
        if (fits)
            return;
        string name = given switch
        {
            i386 => "32-bit x86",
            arm => "32-bit Arm",
            x64 => "x86-64",
            arm64 => "arm64",
            243 => "RISC-V",
            _ => $"machine {given} of elf.h",
        };
        throw new ElfException(
            $"is not for this machine: it is for {name}, this is {(machine == Architecture.Arm64 ? "arm64" : "x86-64")}");
    }

    private static string Explain(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty)
            return "is empty, or not a regular file";
        return start.StartsWith("#!"u8) ? "is not an ELF file but a script: name its interpreter" : "is not an ELF file";
    }

    private ulong OffsetOf(ulong address)
    {
        foreach (var segment in _segments)
        {
            if (address >= segment.Address && address - segment.Address < segment.FileBytes && segment.IsCode)
                return segment.Offset + (address - segment.Address);
        }

        throw new ElfException($"is damaged: 0x{address:x} is in no code of it");
    }

    /// <summary>Where in the file an address is that a user gave.</summary>
    /// <exception cref="ElfException">It is in no code.</exception>
    internal ulong OffsetOfAddress(ulong address) =>
        _segments.Exists(segment => segment.IsCode && address >= segment.Address && address - segment.Address < segment.FileBytes)
        ? OffsetOf(address)
        : throw new ElfException($"has no code at 0x{address:x}: an address is meant as nm and objdump show it");

    /// <summary>Where in the file an address is, of code or of data.</summary>
    private ulong? OffsetOfAny(ulong address)
    {
        foreach (var segment in _segments)
        {
            if (address >= segment.Address && address - segment.Address < segment.FileBytes)
                return segment.Offset + (address - segment.Address);
        }

        return null;
    }

    private void ReadSegments(ulong offset, ushort entryBytes, ushort count)
    {
        if (count == 0)
            throw new ElfException("is damaged: it has no program headers");
        if (count == ManySegments)
            throw new ElfException("has too many program headers");
        int least = _is64 ? 56 : 32;
        if (entryBytes < least)
            throw new ElfException($"is damaged: its program headers are of {entryBytes} bytes");
        RequireWithin("program headers", offset, (ulong)count * entryBytes);
        for (int i = 0; i < count; i++)
        {
            var entry = ReadEntry(offset + ((ulong)i * entryBytes), least);
            if (U32(entry) != SegmentLoad)
                continue;
            var segment = _is64
                ? new Segment(Word(entry[8..]), Word(entry[16..]), Word(entry[32..]), (U32(entry[4..]) & SegmentIsCode) != 0)
                : new Segment(Word(entry[4..]), Word(entry[8..]), Word(entry[16..]), (U32(entry[24..]) & SegmentIsCode) != 0);
            if (!_isCompanion)
                RequireWithin("segment", segment.Offset, segment.FileBytes);
            _segments.Add(segment);
        }
    }

    private void ReadSections(ulong offset, ushort entryBytes, ushort count16, ushort namesIndex)
    {
        if (offset == 0)
            return;
        int least = _is64 ? 64 : 40;
        if (entryBytes < least)
            throw new ElfException($"is damaged: its section headers are of {entryBytes} bytes");
        RequireWithin("section headers", offset, entryBytes);
        // What does not fit the header stands in the first section: elf(5), e_shnum.
        ulong count = count16 == 0 ? ReadSection(0).Bytes : count16;
        if (count > SectionsMax)
            throw new ElfException($"has too many sections: {count}");
        RequireWithin("section headers", offset, count * entryBytes);

        Section? names = namesIndex < count ? ReadSection(namesIndex) : null;
        for (ulong i = 0; i < count; i++)
            Note(ReadSection(i));

        void Note(Section section)
        {
            switch (section.Type)
            {
                case SectionSymbols:
                    _symbols ??= WithNames(section);
                    break;
                case SectionDynamicSymbols when !_isCompanion:
                    _dynamicSymbols ??= WithNames(section);
                    break;
                case SectionVersions:
                    _versions ??= section;
                    break;
                case SectionVersionNames when section.Link < count:
                    var strings = ReadSection(section.Link);
                    _versionNames ??= section with { NamesOffset = strings.Offset, NamesBytes = strings.Bytes };
                    break;
                case SectionNotes when _notes.Count < NoteSectionsMax:
                    _notes.Add(section);
                    break;
            }

            if (names is not { } table)
                return;
            IsGo |= s_goSections.Any(name => HasName(table, section.Name, name));
            HasExceptionTable |= section.Bytes > 0 && HasName(table, section.Name, s_exceptionTable);
            NoteDebug(section, table);
            NotePlt(section, table);
            if (section.Type is SectionContent or SectionFrames)
            {
                if (HasName(table, section.Name, s_frames))
                    _frames ??= section;
                else if (HasName(table, section.Name, s_debugFrames))
                    _debugFrames ??= section;
            }

            if (HasName(table, section.Name, s_debugLink))
                _debugLink = section;
            if (HasName(table, section.Name, s_miniDebugInfo))
                _miniDebugInfo = section;
            if (HasName(table, section.Name, s_usdtBase))
                _usdtBase = section.Address;
        }

        Section ReadSection(ulong index)
        {
            var entry = ReadEntry(offset + (index * entryBytes), least);
            return _is64
                ? new Section(
                    U32(entry), U32(entry[4..]), Word(entry[16..]), Word(entry[24..]), Word(entry[32..]), U32(entry[40..]), default,
                    default, Word(entry[8..]))
                : new Section(
                    U32(entry), U32(entry[4..]), Word(entry[12..]), Word(entry[16..]), Word(entry[20..]), U32(entry[24..]), default,
                    default, Word(entry[8..]));
        }

        Section WithNames(Section table)
        {
            if (table.Link >= count)
                throw new ElfException("is damaged: its symbols have no names");
            var strings = ReadSection(table.Link);
            RequireTable("symbol table", table.Offset, table.Bytes);
            RequireTable("symbol names", strings.Offset, strings.Bytes);
            return table with { NamesOffset = strings.Offset, NamesBytes = strings.Bytes };
        }
    }

    private bool HasName(Section names, uint at, byte[] name)
    {
        if (at >= names.Bytes || names.Bytes - at <= (ulong)name.Length || names.Offset > _length || _length - names.Offset < names.Bytes)
            return false;
        Span<byte> start = stackalloc byte[64];
        start = start[..(name.Length + 1)];
        ReadExactly(names.Offset + at, start);
        return start[..^1].SequenceEqual(name) && start[^1] == 0;
    }

    private ReadOnlySpan<byte> ReadEntry(ulong offset, int bytes)
    {
        var entry = _buffer.AsSpan(0, bytes);
        ReadExactly(offset, entry);
        return entry;
    }

    private void RequireTable(string what, ulong offset, ulong bytes)
    {
        RequireWithin(what, offset, bytes);
        if (bytes > TableBytesMax)
            throw new ElfException($"is too large: its {what} has {bytes} bytes");
    }

    private void RequireWithin(string what, ulong offset, ulong bytes)
    {
        if (offset > _length || _length - offset < bytes)
            throw Truncated(what);
    }

    private ElfException Truncated(string what) => new($"is truncated: its {what} would end beyond the file's {_length} bytes");

    private void ReadExactly(ulong offset, Span<byte> target)
    {
        try
        {
            _file.Position = (long)offset;
            _file.ReadExactly(target);
        }
        catch (EndOfStreamException)
        {
            throw Truncated("content");
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ElfException("cannot be read: " + cause.Message);
        }
    }

    private static T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ElfException("cannot be read: " + cause.Message);
        }
    }

    private ulong Word(ReadOnlySpan<byte> bytes) => _is64 ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : U32(bytes);

    private static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static ushort U16(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private readonly record struct Segment(ulong Offset, ulong Address, ulong FileBytes, bool IsCode);

    private readonly record struct Section(
        uint Name, uint Type, ulong Address, ulong Offset, ulong Bytes, uint Link, ulong NamesOffset, ulong NamesBytes, ulong Flags);
}
