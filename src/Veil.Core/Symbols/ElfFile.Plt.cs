// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Symbols;

/// <summary>The stubs by which a file calls functions of others, as <c>puts@plt</c>: no symbol tells of them.</summary>
internal sealed partial class ElfFile
{
    /// <summary>Behind the names of such stubs.</summary>
    internal const string PltMark = "@plt";

    private const int PltTable = 255;
    private const int PltSectionsMax = 3;
    private const int PltBytesMax = 1 << 20;
    private const int RelocationsBytesMax = 4 << 20;
    private const int StubBytes = 16;
    private const uint SectionRelocations = 4; // SHT_RELA
    private const ulong SectionIsCode = 4; // SHF_EXECINSTR

    // The stubs proper, those behind an endbr64, and those of functions whose addresses are taken as well.
    private static readonly byte[][] s_pltSections = [".plt"u8.ToArray(), ".plt.sec"u8.ToArray(), ".plt.got"u8.ToArray()];

    private static readonly byte[] s_jump = [0xff, 0x25];

    private readonly List<Section> _plt = [];
    private readonly List<Section> _relocations = [];

    private void NotePlt(in Section section, in Section names)
    {
        if (section.Type == SectionRelocations && _relocations.Count < PltSectionsMax)
            _relocations.Add(section);
        if (section.Type != SectionProgramBits || (section.Flags & SectionIsCode) == 0 || _plt.Count == PltSectionsMax)
            return;
        foreach (byte[] name in s_pltSections)
        {
            if (HasName(names, section.Name, name))
                _plt.Add(section);
        }
    }

    // Each jumps to where a slot of the table of addresses leads (ff 25: jmp *slot(%rip)), and a relocation says whose the slot is.
    private void AddPlt(List<FunctionTable.Entry> functions)
    {
        if (!_is64 || !IsX86 || _plt.Count == 0 || _dynamicSymbols is not { } symbols)
            return;
        var slots = ReadSlots(symbols);
        foreach (var section in _plt)
        {
            if (section.Bytes is 0 or > PltBytesMax || section.Offset > _length || _length - section.Offset < section.Bytes)
                continue;
            byte[] code = ReadCode(section.Offset, (int)section.Bytes);
            // Of .plt.got each has 8 bytes where nothing is in front of the jump.
            int stub = code.AsSpan().StartsWith(s_jump) ? StubBytes / 2 : StubBytes;
            for (int at = 0; at + stub <= code.Length && functions.Count < FunctionsMax; at += stub)
            {
                int jump = code.AsSpan(at, stub).IndexOf(s_jump);
                if (jump < 0 || jump + 6 > stub)
                    continue;
                ulong next = section.Address + (ulong)(at + jump + 6);
                ulong slot = next + (ulong)(long)BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(at + jump + 2));
                if (slots.TryGetValue(slot, out uint name))
                    functions.Add(new(section.Address + (ulong)at, (uint)stub, 0, ((ulong)PltTable << TableShift) | name));
            }
        }
    }

    // From slots to the places of their names.
    private Dictionary<ulong, uint> ReadSlots(in Section symbols)
    {
        const int entryBytes = 24, symbolBytes = 24;
        const uint globalData = 6, jumpSlot = 7; // R_X86_64_*
        var slots = new Dictionary<ulong, uint>();
        foreach (var section in _relocations)
        {
            if (section.Bytes > RelocationsBytesMax || section.Offset > _length || _length - section.Offset < section.Bytes)
                continue;
            byte[] entries = ReadCode(section.Offset, (int)section.Bytes);
            for (int at = 0; at + entryBytes <= entries.Length && slots.Count < NamesMax; at += entryBytes)
            {
                var entry = entries.AsSpan(at, entryBytes);
                ulong place = (ulong)U32(entry[12..]) * symbolBytes;
                if ((U32(entry[8..]) is globalData or jumpSlot) && place > 0 && place + symbolBytes <= symbols.Bytes)
                    slots[BinaryPrimitives.ReadUInt64LittleEndian(entry)] = U32(ReadEntry(symbols.Offset + place, symbolBytes));
            }
        }

        return slots;
    }
}
