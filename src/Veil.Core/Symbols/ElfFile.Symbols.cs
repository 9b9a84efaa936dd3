// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Symbols.Names;
using Veil.Core.Text;

namespace Veil.Core.Symbols;

/// <summary>From names to functions.</summary>
internal sealed partial class ElfFile
{
    private const int NamesMax = 1 << 16;
    private const int SuggestionsFromMax = 50_000;
    private const int SuggestionBytesMax = 8 << 20;
    private const int SuggestionNameBytesMax = 128;
    private const int MangledBytesMax = 32 << 20; // the whole heap is 128 MiB
    private const int ChoicesMax = 8;
    private const int SuggestionsMax = 3;

    // What C++ and Rust programs call to throw, or have for those that pass through them.
    private static readonly string[] s_throwers = ["__cxa_throw", "__gxx_personality_v0", "rust_eh_personality"];

    private delegate bool NameAction(ReadOnlySpan<byte> name, ElfSymbol symbol);

    /// <summary>The symbols of this file that are kept in another one: what strip(1) and distributions split off.</summary>
    public ElfFile? Companion { get; set; }

    /// <summary>Why the file that its debug link names is of no use: the end of a message, or nothing.</summary>
    internal string SymbolsMissing { get; set; } = "";

    /// <summary>Where in the file the functions of a name begin.</summary>
    /// <param name="name">
    /// As in the symbol table, or demangled (C++ and Rust; parameters may be left out where there is but one such function). A version
    /// behind
    /// <c>@</c> may be left out.
    /// </param>
    /// <param name="chosen">
    /// Which implementation of a function that is chosen at run time (IFUNC) is called: from its name to the offset, or nothing.
    /// </param>
    /// <returns>
    /// One offset for a global function, as a rule; several where it has several versions. Of functions that are local to their
    /// source files all, but only where no global one has that name.
    /// </returns>
    /// <exception cref="ElfException">There is none; the message says what is there instead.</exception>
    public IReadOnlyList<ulong> FindFunction(string name, Func<string, ulong?>? chosen = null) =>
        [.. FindSymbols(name, chosen).Select(static found => found.Offset).Distinct()];

    /// <summary>
    /// Can an exception pass through its functions? Every static program and the C library have what unwinds, for threads that are
    /// cancelled: that alone does not count.
    /// </summary>
    public bool CanUnwind => s_throwers.Any(name => Named(name).Any()) || Named("_Unwind_Resume").Any(static symbol => !symbol.IsDefined)
        || (HasExceptionTable && _symbols is null && Companion is null && !Named("__libc_start_main")
            .Any(static symbol => symbol.IsDefined));

    private bool HasExceptionTable { get; set; }

    /// <summary>The functions of a name, each with its offset and, where the file says it, its length (else 0).</summary>
    internal IReadOnlyList<(ulong Offset, ulong Bytes)> FindSymbols(string name, Func<string, ulong?>? chosen)
    {
        var (plain, version, isDefault) = SplitVersion(name);
        var found = new List<ElfSymbol>();
        foreach (var (file, table) in Tables())
        {
            var named = file.Find(table, Encoding.UTF8.GetBytes(plain));
            if (version is not null)
                named = file.OfVersion(table, named, plain, version, isDefault);
            found.AddRange(named);
            var functions =
                named.Where(static symbol => symbol is { IsDefined: true, Type: ElfSymbolType.Function or ElfSymbolType.IndirectFunction })
                .ToList();
            if (functions.Exists(static symbol => !symbol.IsLocal))
                functions.RemoveAll(static symbol => symbol.IsLocal);
            if (functions.Count > 0)
                return Offsets(name, functions, chosen);
        }

        if (found.Count == 0 && FindDemangled(name) is { Count: > 0 } demangled)
            return Offsets(name, demangled, chosen);
        throw new ElfException(WhyNot(name, plain, version, found));
    }

    /// <summary>The exported functions that are chosen at run time.</summary>
    internal List<string> IndirectFunctions()
    {
        var names = new List<string>();
        ScanNames(SuggestionBytesMax, (name, symbol) =>
        {
            if (symbol is { Type: ElfSymbolType.IndirectFunction, IsLocal: false } && name.Length <= SuggestionNameBytesMax)
                names.Add(WithoutVersion(name));
            return names.Count < SuggestionsFromMax;
        });
        return [.. names.Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The part of a function that a compiler moved away (<c>f.cold</c>), at an offset; where it begins and ends.</summary>
    internal (ulong Start, ulong End)? ColdPartAt(ulong offset)
    {
        if (_coldParts is null)
        {
            _coldParts = [];
            ScanNames(MangledBytesMax, (name, symbol) =>
            {
                if (symbol.IsFunction && symbol.Bytes > 0 && name.IndexOf(".cold"u8) > 0 && OffsetOfAny(symbol.Address) is { } start)
                    _coldParts.Add((start, start + symbol.Bytes));
                return _coldParts.Count < NamesMax;
            });
        }

        int found = _coldParts.FindIndex(part => offset >= part.Start && offset < part.End);
        return found < 0 ? null : _coldParts[found];
    }

    /// <summary>The function that an offset is in, where a symbol tells of one that does.</summary>
    internal (ulong Start, ulong Bytes, string Name)? FunctionAt(ulong offset)
    {
        (ulong, ulong, string)? found = null;
        ScanNames(MangledBytesMax, (name, symbol) =>
        {
            if (symbol.IsFunction && OffsetOfAny(symbol.Address) is { } start && offset >= start && offset - start < symbol.Bytes)
                found = (start, symbol.Bytes, WithoutVersion(name));
            return found is null;
        });
        return found;
    }

    private List<(ulong Start, ulong End)>? _coldParts;

    private IEnumerable<(ElfFile File, Section Table)> Tables()
    {
        if (_symbols is { } symbols)
            yield return (this, symbols);
        if (Companion?._symbols is { } apart)
            yield return (Companion, apart);
        if (_dynamicSymbols is { } dynamic)
            yield return (this, dynamic);
    }

    private IEnumerable<ElfSymbol> Named(string name) =>
        Tables().SelectMany(table => table.File.Find(table.Table, Encoding.UTF8.GetBytes(name)));

    private List<(ulong Offset, ulong Bytes)> Offsets(string name, List<ElfSymbol> functions, Func<string, ulong?>? chosen)
    {
        // The addresses first: a hostile file has many symbols and many segments.
        var distinct = functions.DistinctBy(static function => (function.Address, function.Type)).Take(OffsetsMax + 1).ToList();
        if (distinct.Count > OffsetsMax)
            throw new ElfException($"has more than {OffsetsMax} functions of the name {Escaping.ForMessage(name)}");
        var offsets = new List<(ulong, ulong)>();
        foreach (var function in distinct)
        {
            if (function.Type == ElfSymbolType.Function)
                offsets.Add((OffsetOf(function.Address), function.Bytes));
            else
                offsets.Add((chosen?.Invoke(name) ?? throw new ElfException(WhyNotChosen(name)), 0));
        }

        return offsets;
    }

    private string WhyNotChosen(string name)
    {
        var (plain, _, _) = SplitVersion(name);
        string text =
            $"has several implementations of {Escaping.ForMessage(plain)}, and which one is called is decided when a program starts " +
            $"(IFUNC): name the implementation, or give its address (PATH:0x…, as nm and objdump show it)";
        var choices = FunctionNames().Where(function => function.TrimStart('_').StartsWith(plain + "_", StringComparison.Ordinal))
            .Distinct(StringComparer.Ordinal).Take(ChoicesMax).ToList();
        return choices.Count == 0 ? text : $"{text}; there is {Choice(choices)}";
    }

    private string WhyNot(string name, string plain, string? version, List<ElfSymbol> found)
    {
        string shown = Escaping.ForMessage(name);
        if (_symbols is null && _dynamicSymbols is null && Companion is null)
            return "has no symbol tables: it is stripped, and its functions have no names any more" + SymbolsMissing;
        if (found.Exists(static symbol => symbol.IsDefined))
            return $"has no function {shown}: that is " +
                $"{(found.Exists(static symbol => symbol.IsDefined && symbol.Type is ElfSymbolType.Object or ElfSymbolType.Common or ElfSymbolType.ThreadLocal) ? "a variable" : "something else")}";
        if (found.Count > 0)
            return $"only imports {shown}: name the library that defines it";
        if (version is not null && VersionsOf(plain) is { Count: > 0 } versions)
            return $"has no {shown}, but {Choice(versions)}";
        if (Tables().Any(static table => table.Table.NamesBytes > MangledBytesMax))
            return $"has no symbol {shown}, and too many names to look for it as the source has it: give the symbol as nm shows it";
        IReadOnlyList<string> nearest = NearestName.Find(name, FunctionNames());
        if (nearest.Count == 0)
            nearest = FunctionsCalled(FunctionName.LastPartOf(name));
        string stripped = _symbols is null && Companion is null
            ? $" among those that it exports (it is stripped: the others have no names any more{SymbolsMissing})" : "";
        return $"has no function {shown}{stripped}" + (nearest.Count == 0 ? "" : $"; did you mean {Choice(nearest)}?");
    }

    /// <summary>The functions that are called so in the source; nothing where none is.</summary>
    private List<ElfSymbol> FindDemangled(string name)
    {
        string normal = FunctionName.Normalize(name);
        byte[] part = Encoding.UTF8.GetBytes(FunctionName.PartOf(name));
        var found = new Dictionary<string, List<ElfSymbol>>(StringComparer.Ordinal);
        ScanNames(MangledBytesMax, (mangled, symbol) =>
        {
            if (mangled[0] == (byte)'_' && mangled.Length <= FunctionName.SymbolMax && mangled.IndexOf(part) >= 0
                && FunctionName.Read(WithoutVersion(mangled)) is { } read && read.Is(normal) && found.Count <= NamesMax)
            {
                if (!found.TryGetValue(read.Full, out var symbols))
                    found[read.Full] = symbols = [];
                if (symbols.Count <= OffsetsMax)
                    symbols.Add(symbol);
            }

            return true;
        });
        if (found.Count > 1)
        {
            var names = found.Keys.Order(StringComparer.Ordinal).Take(ChoicesMax).ToList();
            throw new ElfException(
                $"has {found.Count} functions {Escaping.ForMessage(name)}: give " +
                $"{Choice(names)}{(found.Count > ChoicesMax ? " or another" : "")}");
        }

        return found.Count == 0 ? [] : found.Values.First();
    }

    /// <summary>Functions as the source has them whose last name is this one: of another class, with other parameters, of a
    /// template.</summary>
    private List<string> FunctionsCalled(string last)
    {
        byte[] part = Encoding.UTF8.GetBytes(last);
        var names = new SortedSet<string>(StringComparer.Ordinal);
        if (part.Length > 0)
        {
            ScanNames(MangledBytesMax, (mangled, _) =>
            {
                if (mangled[0] == (byte)'_' && mangled.Length <= FunctionName.SymbolMax && mangled.IndexOf(part) >= 0
                    && FunctionName.Read(WithoutVersion(mangled)) is { } read && FunctionName.LastPartOf(read.Name) == last)
                {
                    names.Add(read.Full);
                }

                return names.Count < NamesMax;
            });
        }

        return [.. names.Take(SuggestionsMax)];
    }

    private static string WithoutVersion(ReadOnlySpan<byte> name)
    {
        int at = name.IndexOf((byte)'@');
        return Encoding.UTF8.GetString(at < 0 ? name : name[..at]);
    }

    private static string Choice(IReadOnlyList<string> names)
    {
        var shown = names.Select(Escaping.ForMessage).ToList();
        return shown.Count == 1 ? shown[0] : string.Join(", ", shown.Take(shown.Count - 1)) + " or " + shown[^1];
    }

    // The names first, then who has them: both are read once from end to end, whatever they say.
    private List<ElfSymbol> Find(Section table, byte[] name)
    {
        var found = new List<ElfSymbol>();
        var named = FindName(table, name);
        if (named.Count == 0)
            return found;
        Scan(table, symbol =>
        {
            // The addresses of a name are few; the same again and again is a file made to hurt.
            if (named.Contains(symbol.NameAt) && found.Count < NamesMax)
                found.Add(symbol);
            return true;
        });
        return found;
    }

    /// <summary>Every place in the names of a table where the name stands, alone or with a version. Names share their ends: it need not be
    /// one's start.</summary>
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
        ScanNames(SuggestionBytesMax, (name, symbol) =>
        {
            int length = name[..Math.Min(name.Length, SuggestionNameBytesMax)].IndexOf((byte)'@');
            if (symbol.IsFunction)
                names.Add(Encoding.UTF8.GetString(length > 0 ? name[..length] : name[..Math.Min(name.Length, SuggestionNameBytesMax)]));
            return names.Count < SuggestionsFromMax;
        });
        return names;
    }

    /// <summary>All defined functions, also those that are chosen at run time, with their names.</summary>
    private void ScanNames(int bytesMax, NameAction take)
    {
        foreach (var (file, table) in Tables())
        {
            byte[] strings = new byte[(int)Math.Min(table.NamesBytes, (ulong)bytesMax)];
            file.ReadExactly(table.NamesOffset, strings);
            file.Scan(table, symbol =>
            {
                if (!symbol.IsDefined || symbol.Type is not (ElfSymbolType.Function or ElfSymbolType.IndirectFunction)
                    || symbol.NameAt >= (uint)strings.Length)
                    return true;
                var name = strings.AsSpan((int)symbol.NameAt);
                int length = name.IndexOf((byte)0);
                return length <= 0 || take(name[..length], symbol);
            });
        }
    }

    private void Scan(Section table, Func<ElfSymbol, bool> take)
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
                ulong bytes = Word(entry[(_is64 ? 16 : 8)..]);
                uint index = (uint)((position + (ulong)at) / (ulong)entryBytes);
                var symbol = new ElfSymbol(
                    (ElfSymbolType)(info & 0xf), info >> 4 == 0, section != 0, address, bytes, U32(entry), index, IsWeak: info >> 4 == 2);
                if (!take(symbol))
                    return;
            }
        }
    }
}
