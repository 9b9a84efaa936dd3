// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Interop;
using Veil.Core.Unwinding;

namespace Veil.Core.Symbols;

/// <summary>How to get from its functions' frames to those of their callers.</summary>
internal sealed partial class ElfFile
{
    private const ulong FrameBytesMax = 32 << 20;
    private const ulong SectionIsCompressed = 1 << 11; // SHF_COMPRESSED

    /// <summary>Its frame tables, the one to ask first before the other; none where it has none that can be read.</summary>
    /// <exception cref="ElfException">It is damaged.</exception>
    public FrameTable[] ReadFrames()
    {
        var tables = new List<FrameTable>();
        if (!_is64)
            return [];
        if (!_isCompanion && _frames is { } frames && Holds(frames))
            tables.Add(new(ReadCode(frames.Offset, (int)frames.Bytes), frames.Address, isDebug: false, FrameRegisters.Own.Count));
        if (_debugFrames is { } debug && Holds(debug) && ReadWhole(debug) is { } bytes)
            tables.Add(new(bytes, debug.Address, isDebug: true, FrameRegisters.Own.Count));
        if (Companion is { } companion)
            tables.AddRange(companion.ReadFrames());
        return [.. tables];
    }

    private static bool Holds(Section section) => section.Bytes is > 0 and <= FrameBytesMax;

    // Go compresses it, and its programs have no .eh_frame: struct Elf64_Chdr.
    private byte[]? ReadWhole(Section section)
    {
        const int headerBytes = 24, sizeAt = 8;
        const uint zlib = 1;
        byte[] bytes = ReadCode(section.Offset, (int)section.Bytes);
        if ((section.Flags & SectionIsCompressed) == 0)
            return bytes;
        if (bytes.Length < headerBytes || U32(bytes) != zlib || Word(bytes.AsSpan(sizeAt)) is 0 or > FrameBytesMax)
            return null;
        return LibZ.TryUncompress(bytes.AsSpan(headerBytes), (int)Word(bytes.AsSpan(sizeAt)));
    }
}
