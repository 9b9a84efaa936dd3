// SPDX-License-Identifier: GPL-3.0-only
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
        if (_debugFrames is { } debug && Holds(debug))
            tables.Add(new(ReadCode(debug.Offset, (int)debug.Bytes), debug.Address, isDebug: true, FrameRegisters.Own.Count));
        if (Companion is { } companion)
            tables.AddRange(companion.ReadFrames());
        return [.. tables];
    }

    private static bool Holds(Section section) => section.Bytes is > 0 and <= FrameBytesMax && (section.Flags & SectionIsCompressed) == 0;
}
