// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Veil.Core.Export;

/// <summary>Protocol Buffers, written field by field into one memory (https://protobuf.dev/programming-guides/encoding). Why no library:
/// docs/adr/0045.</summary>
/// <param name="bytes">Its first size; it grows.</param>
internal sealed class ProtoBuffer(int bytes)
{
    private const int VarintWire = 0;
    private const int Fixed64Wire = 1;
    private const int LengthWire = 2;
    private const int VarintBytesMax = 10;

    // A length in front of a message that is still being written: a number may have leading zeros, five bytes hold all.
    private const int LengthBytes = 5;

    private byte[] _bytes = new byte[bytes];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>What a varint takes.</summary>
    public static int SizeOf(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>What a field of bytes takes, its number being below 16.</summary>
    public static int SizeOfBytes(int length) => 1 + SizeOf((ulong)length) + length;

    /// <summary>Takes back all after the first bytes.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>A field that is a number.</summary>
    public void Number(int field, ulong value)
    {
        Ensure(2 * VarintBytesMax);
        Raw((ulong)(field << 3 | VarintWire));
        Raw(value);
    }

    /// <summary>A number alone, of a list of them.</summary>
    public void Varint(ulong value)
    {
        Ensure(VarintBytesMax);
        Raw(value);
    }

    /// <summary>A field of eight bytes.</summary>
    public void Fixed64(int field, ulong value)
    {
        Ensure(VarintBytesMax + sizeof(ulong));
        Raw((ulong)(field << 3 | Fixed64Wire));
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(Length), value);
        Length += sizeof(ulong);
    }

    /// <summary>The same of a floating-point number.</summary>
    public void Double(int field, double value) => Fixed64(field, BitConverter.DoubleToUInt64Bits(value));

    /// <summary>A field that is text or bytes.</summary>
    public void Bytes(int field, scoped ReadOnlySpan<byte> value)
    {
        Ensure(2 * VarintBytesMax + value.Length);
        Begin(field, value.Length);
        Append(value);
    }

    /// <summary>The beginning of a field whose bytes follow.</summary>
    public void Begin(int field, int length)
    {
        Ensure(2 * VarintBytesMax);
        Raw((ulong)(field << 3 | LengthWire));
        Raw((ulong)length);
    }

    /// <summary>The beginning of a field that ends where <see cref="EndMessage"/> says.</summary>
    public int BeginMessage(int field)
    {
        Ensure(VarintBytesMax + LengthBytes);
        Raw((ulong)(field << 3 | LengthWire));
        Length += LengthBytes;
        return Length;
    }

    /// <summary>Its end.</summary>
    /// <param name="mark">What <see cref="BeginMessage"/> gave.</param>
    public void EndMessage(int mark)
    {
        uint length = (uint)(Length - mark);
        for (int i = 0; i < LengthBytes; i++)
            _bytes[mark - LengthBytes + i] = (byte)((length >> (7 * i) & 0x7f) | (i < LengthBytes - 1 ? 0x80u : 0));
    }

    /// <summary>Bytes as they are.</summary>
    public void Append(scoped ReadOnlySpan<byte> value)
    {
        Ensure(value.Length);
        value.CopyTo(_bytes.AsSpan(Length));
        Length += value.Length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Ensure(int more)
    {
        if (_bytes.Length - Length < more)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + more));
    }

    private void Raw(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes[Length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _bytes[Length++] = (byte)value;
    }
}
