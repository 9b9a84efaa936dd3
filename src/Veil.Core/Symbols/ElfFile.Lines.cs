// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Interop;

namespace Veil.Core.Symbols;

/// <summary>The sections that lines are read from, which may be compressed.</summary>
internal sealed partial class ElfFile
{
    // The whole heap is 128 MiB.
    private const int LinesBytesMax = 24 << 20;
    private const int PackedNamesBytesMax = 8 << 20;
    private const int LineNameMax = 4096;
    private const uint SectionProgramBits = 1;
    private const ulong SectionIsLoaded = 2; // SHF_ALLOC

    private static readonly byte[] s_lines = ".debug_line"u8.ToArray();
    private static readonly byte[] s_lineNames = ".debug_line_str"u8.ToArray();
    private static readonly byte[] s_debugNames = ".debug_str"u8.ToArray();

    private Section? _lines;
    private Section? _lineNames;
    private Section? _debugNames;
    private byte[]? _unpackedLineNames;
    private byte[]? _unpackedDebugNames;

    /// <summary>Does it say which line of the source an instruction comes from?</summary>
    public bool HasLines => _lines is not null;

    /// <summary>The line number programs (<c>.debug_line</c>); nothing where there are none, or more than 24 MiB.</summary>
    internal byte[]? ReadLines() => ReadDebug(_lines, LinesBytesMax);

    /// <summary>The memory that names of their files take.</summary>
    internal long LineNamesBytes => (_unpackedLineNames?.Length ?? 0) + (_unpackedDebugNames?.Length ?? 0);

    /// <summary>A name of one of their files, out of <c>.debug_line_str</c>.</summary>
    internal string? LineNameAt(ulong at) => DebugNameAt(_lineNames, ref _unpackedLineNames, at);

    /// <summary>The same out of what all debug data shares, <c>.debug_str</c>.</summary>
    internal string? DebugNameAt(ulong at) => DebugNameAt(_debugNames, ref _unpackedDebugNames, at);

    private void NoteDebug(in Section section, in Section names)
    {
        if (section.Type != SectionProgramBits || (section.Flags & SectionIsLoaded) != 0)
            return;
        if (HasName(names, section.Name, s_lines))
            _lines = section;
        else if (HasName(names, section.Name, s_lineNames))
            _lineNames = section;
        else if (HasName(names, section.Name, s_debugNames))
            _debugNames = section;
    }

    private string? DebugNameAt(Section? place, ref byte[]? unpacked, ulong at)
    {
        if (place is not { } section)
            return null;
        ReadOnlySpan<byte> name;
        if ((section.Flags & SectionIsCompressed) != 0)
        {
            unpacked ??= ReadDebug(section, PackedNamesBytesMax) ?? [];
            name = at < (ulong)unpacked.Length ? unpacked.AsSpan((int)at) : [];
        }
        else
        {
            if (at >= section.Bytes || section.Offset > _length || _length - section.Offset < section.Bytes)
                return null;
            name = ReadEntry(section.Offset + at, (int)Math.Min(LineNameMax, section.Bytes - at));
        }

        int end = name.IndexOf((byte)0);
        return end < 0 ? null : Encoding.UTF8.GetString(name[..Math.Min(end, LineNameMax)]);
    }

    private byte[]? ReadDebug(Section? place, uint bytesMax)
    {
        if (place is not { } section || section.Bytes == 0 || section.Bytes > bytesMax || section.Offset > _length
            || _length - section.Offset < section.Bytes)
            return null;
        byte[] content = ReadCode(section.Offset, (int)section.Bytes);
        return (section.Flags & SectionIsCompressed) == 0 ? content : Unpack(content, bytesMax);
    }

    // Elf64_Chdr and Elf32_Chdr: the kind, the size of what comes out, the alignment.
    private byte[]? Unpack(byte[] content, uint bytesMax)
    {
        const uint zlib = 1;
        int headBytes = _is64 ? 24 : 12;
        if (content.Length <= headBytes || U32(content) != zlib)
            return null;
        ulong bytes = _is64 ? BinaryPrimitives.ReadUInt64LittleEndian(content.AsSpan(8)) : U32(content.AsSpan(4));
        if (bytes == 0 || bytes > bytesMax)
            return null;
        byte[] unpacked = new byte[bytes];
        return LibZ.TryUnpack(content.AsSpan(headBytes), unpacked) ? unpacked : null;
    }
}
