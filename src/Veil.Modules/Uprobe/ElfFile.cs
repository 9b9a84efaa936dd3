using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Text;

namespace Veil.Modules.Uprobe;

/// <summary>
/// Finds functions in an ELF file (little-endian, 32 and 64 bit). The file is not trusted: every table has to lie within it, and what
/// is read and kept is bounded. Anything wrong with it is an <see cref="ElfException"/>.
/// </summary>
public sealed class ElfFile
{
    /// <summary>The most functions that one name may stand for.</summary>
    public const int OffsetsMax = 64;

    // No program comes near these; a sparse file of any size could.
    private const ulong TableBytesMax = 1 << 30;
    private const ulong SectionsMax = 1 << 17;
    private const int NamesMax = 1 << 16;
    private const int SuggestionsFromMax = 50_000;
    private const int SuggestionBytesMax = 8 << 20;
    private const int SuggestionNameBytesMax = 128;
    private const int BufferBytes = 1 << 16;

    private const int HeaderBytes32 = 52;
    private const int HeaderBytes64 = 64;
    private const ushort TypeRelocatable = 1;
    private const ushort TypeExecutable = 2;
    private const ushort TypeShared = 3;
    private const ushort ManySegments = 0xffff; // PN_XNUM
    private const uint SegmentLoad = 1;
    private const uint SegmentIsCode = 1;
    private const uint SectionSymbols = 2;
    private const uint SectionDynamicSymbols = 11;

    // The first may be left out of a build, the second gets another name where the addresses are not fixed.
    private static readonly byte[][] s_goSections = [".note.go.buildid"u8.ToArray(), ".gopclntab"u8.ToArray()];

    private readonly Stream _file;
    private readonly ulong _length;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly bool _is64;
    private readonly List<Segment> _segments = [];
    private readonly Section? _symbols;
    private readonly Section? _dynamicSymbols;
    private readonly ulong _entry;

    /// <summary>Reads the headers.</summary>
    /// <param name="file">The file, which can seek. It stays the caller's.</param>
    /// <param name="machine">The machine that it has to be for.</param>
    /// <exception cref="ElfException">It is no program or library of this machine, or it is damaged.</exception>
    public ElfFile(Stream file, Architecture machine)
    {
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
        ushort type = U16(header[16..]);
        if (type is not (TypeExecutable or TypeShared))
            throw new ElfException(type == TypeRelocatable ? "is an object file: link it first" : "is neither a program nor a shared library");

        _entry = Word(header[24..]);
        ulong segments = Word(header[(_is64 ? 32 : 28)..]);
        ulong sections = Word(header[(_is64 ? 40 : 32)..]);
        var counts = header[(_is64 ? 54 : 42)..];
        ReadSegments(segments, U16(counts), U16(counts[2..]));
        (_symbols, _dynamicSymbols, IsGo) = ReadSections(sections, U16(counts[4..]), U16(counts[6..]), U16(counts[8..]));
    }

    /// <summary>Was it made by the Go compiler? Go moves the stacks of its goroutines, with the addresses that calls return to.</summary>
    public bool IsGo { get; }

    /// <summary>Where in the file the program's first instruction is.</summary>
    /// <exception cref="ElfException">It is in no executable part of the file.</exception>
    public ulong EntryOffset => OffsetOf(_entry);

    /// <summary>Where in the file the functions of a name begin.</summary>
    /// <param name="name">As in the symbol table: of C++ the mangled name. A version behind <c>@</c> may be left out.</param>
    /// <returns>
    /// One offset for a global function, as a rule; several where it has several versions. Of functions that are local to their
    /// source files all, but only where no global one has that name.
    /// </returns>
    /// <exception cref="ElfException">There is none; the message says what is there instead.</exception>
    public IReadOnlyList<ulong> FindFunction(string name)
    {
        var found = new List<ElfSymbol>();
        foreach (var table in new[] { _symbols, _dynamicSymbols })
        {
            if (table is { } symbols)
                found.AddRange(Find(symbols, Encoding.UTF8.GetBytes(name)));
            var functions = found.Where(static symbol => symbol is { IsDefined: true, Type: ElfSymbolType.Function }).ToList();
            if (functions.Exists(static symbol => !symbol.IsLocal))
                functions.RemoveAll(static symbol => symbol.IsLocal);
            if (functions.Count > 0)
                return Offsets(name, functions);
        }

        throw new ElfException(WhyNot(name, found));
    }

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
        throw new ElfException($"is not for this machine: it is for {name}, this is {(machine == Architecture.Arm64 ? "arm64" : "x86-64")}");
    }

    private static string Explain(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty)
            return "is empty, or no regular file";
        return start.StartsWith("#!"u8) ? "is not an ELF file but a script: name its interpreter" : "is not an ELF file";
    }

    private string WhyNot(string name, List<ElfSymbol> found)
    {
        string shown = Escaping.ForMessage(name);
        if (_symbols is null && _dynamicSymbols is null)
            return "has no symbol tables: it is stripped, and its functions have no names any more";
        if (found.Exists(static symbol => symbol is { IsDefined: true, Type: ElfSymbolType.IndirectFunction }))
            return $"has several implementations of {shown}, and which one is called is decided when a program starts (IFUNC): name the implementation";
        if (found.Exists(static symbol => symbol.IsDefined))
            return $"has no function {shown}: that is {(found.Exists(static symbol => symbol.IsDefined && symbol.Type is ElfSymbolType.Object or ElfSymbolType.Common or ElfSymbolType.ThreadLocal) ? "a variable" : "something else")}";
        if (found.Count > 0)
            return $"only imports {shown}: name the library that defines it";
        var nearest = NearestName.Find(name, FunctionNames());
        string stripped = _symbols is null ? " among those that it exports (it is stripped: the others have no names any more)" : "";
        return $"has no function {shown}{stripped}" + (nearest.Count == 0 ? "" : $"; did you mean {Choice(nearest)}?");
    }

    private static string Choice(IReadOnlyList<string> names)
    {
        var shown = names.Select(Escaping.ForMessage).ToList();
        return shown.Count == 1 ? shown[0] : string.Join(", ", shown.Take(shown.Count - 1)) + " or " + shown[^1];
    }

    private List<ulong> Offsets(string name, List<ElfSymbol> functions)
    {
        // The addresses first: a hostile file has many symbols and many segments.
        var addresses = functions.Select(static function => function.Address).Distinct().Take(OffsetsMax + 1).ToList();
        return addresses.Count <= OffsetsMax
            ? [.. addresses.Select(OffsetOf).Distinct()]
            : throw new ElfException($"has more than {OffsetsMax} functions of the name {Escaping.ForMessage(name)}");
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
            RequireWithin("segment", segment.Offset, segment.FileBytes);
            _segments.Add(segment);
        }
    }

    private (Section? Symbols, Section? DynamicSymbols, bool IsGo) ReadSections(ulong offset, ushort entryBytes, ushort count16, ushort namesIndex)
    {
        if (offset == 0)
            return default;
        int least = _is64 ? 64 : 40;
        if (entryBytes < least)
            throw new ElfException($"is damaged: its section headers are of {entryBytes} bytes");
        RequireWithin("section headers", offset, entryBytes);
        // What does not fit the header stands in the first section: elf(5), e_shnum.
        ulong count = count16 == 0 ? ReadSection(0).Bytes : count16;
        if (count > SectionsMax)
            throw new ElfException($"has too many sections: {count}");
        RequireWithin("section headers", offset, count * entryBytes);

        Section? symbols = null, dynamicSymbols = null;
        bool isGo = false;
        Section? names = namesIndex < count ? ReadSection(namesIndex) : null;
        for (ulong i = 0; i < count; i++)
        {
            var section = ReadSection(i);
            if (section.Type == SectionSymbols)
                symbols ??= WithNames(section);
            else if (section.Type == SectionDynamicSymbols)
                dynamicSymbols ??= WithNames(section);
            isGo |= names is { } table && s_goSections.Any(name => HasName(table, section.Name, name));
        }

        return (symbols, dynamicSymbols, isGo);

        Section ReadSection(ulong index)
        {
            var entry = ReadEntry(offset + (index * entryBytes), least);
            return _is64
                ? new Section(U32(entry), U32(entry[4..]), Word(entry[24..]), Word(entry[32..]), U32(entry[40..]), default, default)
                : new Section(U32(entry), U32(entry[4..]), Word(entry[16..]), Word(entry[20..]), U32(entry[24..]), default, default);
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

    // The names first, then who has them: both are read once from end to end, whatever they say.
    private List<ElfSymbol> Find(Section table, byte[] name)
    {
        var found = new List<ElfSymbol>();
        var named = FindName(table, name);
        if (named.Count == 0)
            return found;
        Scan(table, (at, symbol) =>
        {
            // The addresses of a name are few; the same again and again is a file made to hurt.
            if (named.Contains(at) && found.Count < NamesMax)
                found.Add(symbol);
            return true;
        });
        return found;
    }

    /// <summary>Every place in the names of a table where the name stands, alone or with a version. Names share their ends: it need not be one's start.</summary>
    private HashSet<uint> FindName(Section table, byte[] name)
    {
        var places = new HashSet<uint>();
        if (name.Length + 1 > BufferBytes / 2)
            return places;
        ulong position = 0;
        while (position < table.NamesBytes)
        {
            var part = _buffer.AsSpan(0, (int)Math.Min(BufferBytes, table.NamesBytes - position));
            ReadExactly(table.NamesOffset + position, part);
            AddPlaces(places, part, [.. name, 0], position);
            AddPlaces(places, part, [.. name, (byte)'@'], position);
            if (position + (ulong)part.Length >= table.NamesBytes)
                break;
            position += (ulong)(part.Length - name.Length);
        }

        return places;
    }

    private static void AddPlaces(HashSet<uint> places, ReadOnlySpan<byte> part, ReadOnlySpan<byte> ended, ulong position)
    {
        for (int from = 0; part[from..].IndexOf(ended) is >= 0 and var step; from += step + 1)
        {
            if (places.Count == NamesMax)
                throw new ElfException("is damaged: its table of names repeats itself");
            places.Add((uint)position + (uint)(from + step));
        }
    }

    private List<string> FunctionNames()
    {
        var names = new List<string>();
        foreach (var table in new[] { _symbols, _dynamicSymbols })
        {
            if (table is not { } symbols)
                continue;
            var strings = new byte[(int)Math.Min(symbols.NamesBytes, SuggestionBytesMax)];
            ReadExactly(symbols.NamesOffset, strings);
            Scan(symbols, (at, symbol) =>
            {
                if (symbol is { IsDefined: true, Type: ElfSymbolType.Function } && at < (uint)strings.Length)
                {
                    var name = strings.AsSpan((int)at);
                    int length = name[..Math.Min(name.Length, SuggestionNameBytesMax)].IndexOfAny((byte)0, (byte)'@');
                    if (length > 0)
                        names.Add(Encoding.UTF8.GetString(name[..length]));
                }

                return names.Count < SuggestionsFromMax;
            });
        }

        return names;
    }

    private void Scan(Section table, Func<uint, ElfSymbol, bool> take)
    {
        int entryBytes = _is64 ? 24 : 16;
        int partBytes = BufferBytes / entryBytes * entryBytes;
        ulong end = table.Bytes / (ulong)entryBytes * (ulong)entryBytes;
        for (ulong position = 0; position < end; position += (ulong)partBytes)
        {
            var part = _buffer.AsSpan(0, (int)Math.Min((ulong)partBytes, end - position));
            ReadExactly(table.Offset + position, part);
            for (int at = 0; at < part.Length; at += entryBytes)
            {
                var entry = part.Slice(at, entryBytes);
                byte info = entry[_is64 ? 4 : 12];
                ushort section = U16(entry[(_is64 ? 6 : 14)..]);
                ulong address = Word(entry[(_is64 ? 8 : 4)..]);
                if (!take(U32(entry), new ElfSymbol((ElfSymbolType)(info & 0xf), info >> 4 == 0, section != 0, address)))
                    return;
            }
        }
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

    private readonly record struct Section(uint Name, uint Type, ulong Offset, ulong Bytes, uint Link, ulong NamesOffset, ulong NamesBytes);
}
