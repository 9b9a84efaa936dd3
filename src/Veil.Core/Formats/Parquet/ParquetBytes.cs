// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Numerics;
using Veil.Core.Interop;

namespace Veil.Core.Formats.Parquet;

/// <summary>Bytes of pages, and how numbers are packed into them. It grows, and is used again for every page.</summary>
internal sealed class ParquetBytes
{
    private byte[] _bytes = new byte[64 * 1024];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        Length += bytes.Length;
    }

    public void Append(byte value) => Append([value]);

    public void Append(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(Room(sizeof(long)), value);
        Length += sizeof(long);
    }

    public void Append(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(Room(sizeof(int)), value);
        Length += sizeof(int);
    }

    /// <summary>Writes the length of what followed a place that was kept for it.</summary>
    public void EndSized(int start) => BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(start), Length - start - sizeof(int));

    /// <summary>A run of one value, of the hybrid of runs and packed bits.</summary>
    /// <param name="count">How often.</param>
    /// <param name="value">Below 256.</param>
    public void AppendRun(int count, byte value)
    {
        Varint((uint)count << 1);
        Append(value);
    }

    /// <summary>Numbers side by side in so many bits each, of the same hybrid.</summary>
    public void AppendPacked(ReadOnlySpan<int> values, int width)
    {
        int groups = (values.Length + 7) / 8;
        Varint((uint)groups << 1 | 1);
        var room = Room(groups * width);
        room[..(groups * width)].Clear();
        ulong bits = 0;
        int have = 0, at = 0;
        foreach (int value in values)
        {
            bits |= (ulong)(uint)value << have;
            for (have += width; have >= 8; have -= 8, bits >>= 8)
                room[at++] = (byte)bits;
        }

        if (have > 0)
            room[at] = (byte)bits;
        Length += groups * width;
    }

    /// <summary>Bits as they are, of the same hybrid.</summary>
    public void AppendPackedBits(ReadOnlySpan<byte> bits, int count)
    {
        int groups = (count + 7) / 8;
        Varint((uint)groups << 1 | 1);
        Append(bits[..groups]);
    }

    /// <summary>The bits that the largest of so many numbers needs.</summary>
    public static int WidthOf(int count) => count <= 1 ? 1 : BitOperations.Log2((uint)count - 1) + 1;

    /// <summary>Takes the frame of other bytes.</summary>
    public void Compress(ReadOnlySpan<byte> from) => Length = Zstd.Compress(from, Room(Zstd.BoundOf(from.Length)));

    private void Varint(uint value)
    {
        for (; value >= 0x80; value >>= 7)
            Append((byte)(value | 0x80));
        Append((byte)value);
    }

    private Span<byte> Room(int more)
    {
        if (_bytes.Length - Length < more)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + more));
        return _bytes.AsSpan(Length);
    }
}
