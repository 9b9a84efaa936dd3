// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Symbols;

/// <summary>Versions of symbols: <c>memcpy@@GLIBC_2.14</c> is what programs are linked with now, <c>memcpy@GLIBC_2.2.5</c> what old ones
/// call.</summary>
internal sealed partial class ElfFile
{
    private const int VersionsMax = 1 << 15; // the index has 15 bits
    private const int VersionNameBytesMax = 128;
    private const ushort Hidden = 0x8000;

    private Dictionary<ushort, uint>? _versionNameAt;

    private static (string Plain, string? Version, bool IsDefault) SplitVersion(string name)
    {
        int at = name.IndexOf('@', StringComparison.Ordinal);
        if (at <= 0)
            return (name, null, false);
        bool isDefault = at + 1 < name.Length && name[at + 1] == '@';
        return (name[..at], name[(at + (isDefault ? 2 : 1))..], isDefault);
    }

    private List<ElfSymbol> OfVersion(Section table, List<ElfSymbol> symbols, string plain, string version, bool isDefault) =>
        symbols.FindAll(symbol => VersionOf(table, symbol, plain) is { } has && has.Version == version && (has.IsDefault || !isDefault));

    /// <summary>All versions of a function that are there, as a user writes them.</summary>
    private List<string> VersionsOf(string plain) =>
        [.. Tables().SelectMany(table => table.File.Find(table.Table, Encoding.UTF8.GetBytes(plain))
            .Where(static symbol => symbol.IsDefined)
            .Take(OffsetsMax)
            .Select(symbol => table.File.VersionOf(table.Table, symbol, plain) is { } has
                ? $"{plain}{(has.IsDefault ? "@@" : "@")}{has.Version}" : plain))
            .Distinct(StringComparer.Ordinal).Take(ChoicesMax)];

    // In .symtab it is part of the name; for .dynsym it stands in tables of its own.
    private (string Version, bool IsDefault)? VersionOf(Section table, ElfSymbol symbol, string plain)
    {
        if (table.Type == SectionSymbols)
        {
            string behind = NameAt(table, symbol.NameAt + (ulong)Encoding.UTF8.GetByteCount(plain));
            return behind.StartsWith("@@", StringComparison.Ordinal) ? (behind[2..], true)
                : behind.StartsWith('@') ? (behind[1..], false) : null;
        }

        if (_versions is not { } versions || versions.Bytes / 2 <= symbol.Index)
            return null;
        RequireWithin("symbol versions", versions.Offset, versions.Bytes);
        ushort index = U16(ReadEntry(versions.Offset + (2 * (ulong)symbol.Index), sizeof(ushort)));
        _versionNameAt ??= ReadVersionNames();
        return _versionNameAt.TryGetValue((ushort)(index & ~Hidden), out uint at)
            ? (NameAt(_versionNames!.Value, at), (index & Hidden) == 0) : null;
    }

    private Dictionary<ushort, uint> ReadVersionNames()
    {
        const int entryBytes = 20, nameBytes = 8;
        var names = new Dictionary<ushort, uint>();
        if (_versionNames is not { } section)
            return names;
        RequireWithin("version names", section.Offset, section.Bytes);
        ulong at = 0;
        for (int i = 0; i < VersionsMax && at + entryBytes <= section.Bytes; i++)
        {
            var entry = ReadEntry(section.Offset + at, entryBytes);
            ushort index = U16(entry[4..]);
            ulong nameAt = at + U32(entry[12..]);
            uint next = U32(entry[16..]);
            if (nameAt + nameBytes <= section.Bytes)
                names.TryAdd(index, U32(ReadEntry(section.Offset + nameAt, nameBytes)));
            if (next == 0)
                break;
            at += next;
        }

        return names;
    }

    private string NameAt(Section table, ulong at)
    {
        if (at >= table.NamesBytes || table.NamesOffset > _length || _length - table.NamesOffset < table.NamesBytes)
            return "";
        var name = ReadEntry(table.NamesOffset + at, (int)Math.Min(VersionNameBytesMax, table.NamesBytes - at));
        int end = name.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? name : name[..end]);
    }
}
