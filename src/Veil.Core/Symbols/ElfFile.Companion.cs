// SPDX-License-Identifier: GPL-3.0-only
using System.Text;

namespace Veil.Core.Symbols;

/// <summary>The file that the symbols were split off to: <c>.gnu_debuglink</c>.</summary>
internal sealed partial class ElfFile
{
    /// <summary>Has it all its names itself?</summary>
    public bool HasSymbols => _symbols is not null;

    /// <summary>The name of the file with the symbols, and that file's CRC; nothing where none is named.</summary>
    public (string Name, uint Crc)? DebugLink
    {
        get
        {
            const int bytesMax = 1024;
            if (_debugLink is not { } section || section.Bytes is < 8 or > bytesMax || section.Offset > _length
                || _length - section.Offset < section.Bytes)
                return null;
            var content = ReadEntry(section.Offset, (int)section.Bytes);
            int end = content.IndexOf((byte)0);
            int crcAt = (end + 4) & ~3;
            if (end <= 0 || crcAt + sizeof(uint) > content.Length)
                return null;
            string name = Encoding.UTF8.GetString(content[..end]);
            // A name, not a path: it is looked for where such files are.
            return name.Contains('/', StringComparison.Ordinal) ? null : (name, U32(content[crcAt..]));
        }
    }

    /// <summary>The CRC that <c>.gnu_debuglink</c> means (that of IEEE 802.3), over the whole file.</summary>
    public uint Crc()
    {
        const ulong bytesMax = 4UL << 30;
        if (_length > bytesMax)
            return 0;
        uint crc = uint.MaxValue;
        for (ulong at = 0; at < _length; at += BufferBytes)
        {
            var part = _buffer.AsSpan(0, (int)Math.Min(BufferBytes, _length - at));
            ReadExactly(at, part);
            foreach (byte value in part)
                crc = s_crc[(byte)(crc ^ value)] ^ (crc >> 8);
        }

        return ~crc;
    }

    private static readonly uint[] s_crc = [.. Enumerable.Range(0, 256).Select(static value =>
    {
        uint crc = (uint)value;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
        return crc;
    })];
}
