// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Recordings;

/// <summary>The first bytes of a recording.</summary>
internal static class FileHeader
{
    /// <summary>How many.</summary>
    public const int SizeBytes = 32;

    /// <summary>What is written, and the newest that is read. Each that ever was is read for ever.</summary>
    public const uint Version = 1;

    private const uint ByteOrder = 0x01020304;
    private const int ChecksumOffset = SizeBytes - sizeof(uint);

    /// <summary>What every recording begins with.</summary>
    public static ReadOnlySpan<byte> Magic => "VEILREC\n"u8;

    /// <summary>Writes them.</summary>
    /// <param name="bytes">Where to.</param>
    /// <param name="file">A number that no other recording has.</param>
    public static void Write(Span<byte> bytes, ulong file)
    {
        bytes[..SizeBytes].Clear();
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], ByteOrder);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], file);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[ChecksumOffset..], ~BlockHeader.Checksum(~0u, bytes[..ChecksumOffset]));
    }

    /// <summary>Reads them.</summary>
    /// <returns>Nothing, or why it cannot be read (comes after the file's name).</returns>
    public static string? Read(ReadOnlySpan<byte> bytes, out ulong file)
    {
        file = 0;
        if (bytes.Length < SizeBytes || !bytes.StartsWith(Magic))
            return bytes.Length == 0 ? "it is empty" : "it is no recording of veil";
        uint order = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]), version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]);
        if (order == BinaryPrimitives.ReverseEndianness(ByteOrder))
            return "it was recorded on a machine of the other byte order, which this veil cannot read";
        if (order != ByteOrder)
            return "its first bytes are damaged";
        if (version > Version)
            return $"it is of version {version}, and this veil reads up to {Version}: take a newer one";
        if (version == 0 || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]) != ~BlockHeader.Checksum(~0u, bytes[..ChecksumOffset]))
            return "its first bytes are damaged";
        file = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        return null;
    }
}
