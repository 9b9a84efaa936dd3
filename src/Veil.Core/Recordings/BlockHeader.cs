// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Numerics;

namespace Veil.Core.Recordings;

/// <summary>What stands before the bytes of a block: docs/recording-format.md.</summary>
internal readonly record struct BlockHeader
{
    /// <summary>Its bytes.</summary>
    public const int SizeBytes = 56;

    /// <summary>No block has more, compressed or not: a reader needs no more memory.</summary>
    public const int BlockBytesMax = 8 * 1024 * 1024;

    private const uint Magic = 0x4b4c4256; // VBLK
    private const int ChecksumOffset = SizeBytes - sizeof(uint);

    public required BlockType Type { get; init; }

    /// <summary>Bytes in the file, behind the header.</summary>
    public int StoredBytes { get; init; }

    /// <summary>Bytes once they are decompressed.</summary>
    public int RawBytes { get; init; }

    /// <summary>Its place in the file, from 0.</summary>
    public ulong Number { get; init; }

    /// <summary>The earliest event, in nanoseconds since boot.</summary>
    public ulong FirstNs { get; init; }

    /// <summary>The latest event.</summary>
    public ulong LastNs { get; init; }

    /// <summary>How many there are.</summary>
    public uint Events { get; init; }

    /// <summary>Events that were lost among them.</summary>
    public uint Lost { get; init; }

    /// <summary>Writes it in front of the bytes that it is of.</summary>
    /// <param name="block">The header's place, and the bytes.</param>
    /// <param name="file">The number of the file: blocks of others are not taken for its own.</param>
    public void Write(Span<byte> block, ulong file)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(block, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], (uint)Type);
        BinaryPrimitives.WriteInt32LittleEndian(block[8..], StoredBytes);
        BinaryPrimitives.WriteInt32LittleEndian(block[12..], RawBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(block[16..], Number);
        BinaryPrimitives.WriteUInt64LittleEndian(block[24..], FirstNs);
        BinaryPrimitives.WriteUInt64LittleEndian(block[32..], LastNs);
        BinaryPrimitives.WriteUInt32LittleEndian(block[40..], Events);
        BinaryPrimitives.WriteUInt32LittleEndian(block[44..], Lost);
        BinaryPrimitives.WriteUInt32LittleEndian(block[48..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(block[ChecksumOffset..], Checksum(block[..(SizeBytes + StoredBytes)], file));
    }

    /// <summary>Reads it.</summary>
    /// <returns>False where these bytes are none, or the block would be larger than one can be.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out BlockHeader header)
    {
        header = new()
        {
            Type = (BlockType)BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            StoredBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            RawBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            Number = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
            FirstNs = BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]),
            LastNs = BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]),
            Events = BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]),
            Lost = BinaryPrimitives.ReadUInt32LittleEndian(bytes[44..]),
        };
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic && header.StoredBytes is >= 0 and <= BlockBytesMax
            && header.RawBytes is >= 0 and <= BlockBytesMax;
    }

    /// <summary>Are these the bytes that were written?</summary>
    public static bool IsIntact(ReadOnlySpan<byte> block, ulong file) =>
        BinaryPrimitives.ReadUInt32LittleEndian(block[ChecksumOffset..]) == Checksum(block, file);

    // CRC-32C of the file's number, the header without the sum, and the bytes.
    private static uint Checksum(ReadOnlySpan<byte> block, ulong file) =>
        ~Checksum(Checksum(BitOperations.Crc32C(~0u, file), block[..ChecksumOffset]), block[SizeBytes..]);

    internal static uint Checksum(uint sum, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (byte some in bytes)
            sum = BitOperations.Crc32C(sum, some);
        return sum;
    }
}
