// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Symbols;

/// <summary>From addresses to functions.</summary>
internal sealed partial class ElfFile
{
    private const int FunctionsMax = 1 << 19;
    private const int FunctionNameMax = 1 << 14;
    private const int TableShift = 56;

    /// <summary>All its functions, with those of its <see cref="Companion"/>.</summary>
    /// <exception cref="ElfException">It is damaged.</exception>
    public FunctionTable ReadFunctions()
    {
        var functions = new List<FunctionTable.Entry>();
        int number = 0;
        foreach (var (file, table) in Tables())
        {
            ulong from = (ulong)number++ << TableShift;
            file.Scan(table, symbol =>
            {
                if (symbol is { IsDefined: true, Address: > 0, Type: ElfSymbolType.Function or ElfSymbolType.IndirectFunction })
                {
                    int rank = (symbol.Bytes > 0 ? 4 : 0) + (symbol.IsLocal ? 0 : symbol.IsWeak ? 1 : 2);
                    functions.Add(
                        new(symbol.Address, (uint)Math.Min(symbol.Bytes, uint.MaxValue), (byte)rank, from | symbol.NameAt));
                }

                return functions.Count < FunctionsMax;
            });
        }

        AddPlt(functions);
        return FunctionTable.Of(functions);
    }

    /// <summary>A name out of that table, without its version.</summary>
    internal string FunctionNameAt(ulong place)
    {
        int number = (int)(place >> TableShift);
        if (number == PltTable && _dynamicSymbols is { } imported)
            return NameAt(this, imported, (uint)place) is { Length: > 0 } called ? called + PltMark : "";
        foreach (var (file, table) in Tables())
        {
            if (number-- > 0)
                continue;
            return NameAt(file, table, (uint)place);
        }

        return "";
    }

    private static string NameAt(ElfFile file, in Section table, uint at)
    {
        if (at >= table.NamesBytes)
            return "";
        var name = file.ReadEntry(table.NamesOffset + at, (int)Math.Min(FunctionNameMax, table.NamesBytes - at));
        int end = name.IndexOf((byte)0);
        return WithoutVersion(end < 0 ? name : name[..end]);
    }

    /// <summary>The address, as the file has it, of a place in the file; nothing where that is in no part of it.</summary>
    internal ulong? AddressOf(ulong offset)
    {
        ulong? found = null;
        foreach (var segment in _segments)
        {
            if (offset < segment.Offset || offset - segment.Offset >= segment.FileBytes || (found is not null && !segment.IsCode))
                continue;
            found = segment.Address + (offset - segment.Offset);
            if (segment.IsCode)
                break;
        }

        return found;
    }

    /// <summary>The compressed file of symbols in <c>.gnu_debugdata</c> (MiniDebugInfo), as it stands there; nothing where there is
    /// none.</summary>
    internal byte[]? ReadMiniDebugInfo()
    {
        const ulong bytesMax = 16 << 20;
        if (_miniDebugInfo is not { } section || section.Bytes is 0 or > bytesMax || section.Offset > _length
            || _length - section.Offset < section.Bytes)
            return null;
        return ReadCode(section.Offset, (int)section.Bytes);
    }
}
