// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Unwinding;

/// <summary>Reads numbers as DWARF writes them. What lies beyond the bytes is 0, and said by <see cref="IsBeyond"/>.</summary>
internal ref struct DwarfReader(ReadOnlySpan<byte> bytes, int start = 0)
{
    private const int FormatMask = 0x0f;
    private const int ByPlace = 0x10; // DW_EH_PE_pcrel
    private const int LebBitsMax = 64;
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Where it is.</summary>
    public int Position { get; private set; } = start;

    /// <summary>Was more asked for than there is, or something that is not known?</summary>
    public bool IsBeyond { get; private set; } = start < 0 || start > bytes.Length;

    /// <summary>Is nothing left?</summary>
    public readonly bool IsAtEnd => IsBeyond || Position >= _bytes.Length;

    /// <summary>A byte.</summary>
    public byte U8() => Take(sizeof(byte)) is { Length: > 0 } one ? one[0] : (byte)0;

    /// <summary>Two bytes.</summary>
    public ushort U16() => Take(sizeof(ushort)) is { Length: > 0 } two ? BinaryPrimitives.ReadUInt16LittleEndian(two) : (ushort)0;

    /// <summary>Four bytes.</summary>
    public uint U32() => Take(sizeof(uint)) is { Length: > 0 } four ? BinaryPrimitives.ReadUInt32LittleEndian(four) : 0;

    /// <summary>Eight bytes.</summary>
    public ulong U64() => Take(sizeof(ulong)) is { Length: > 0 } eight ? BinaryPrimitives.ReadUInt64LittleEndian(eight) : 0;

    /// <summary>A number of any length without a sign.</summary>
    public ulong Uleb()
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = U8();
            if (shift < LebBitsMax)
                value |= (ulong)(part & 0x7f) << shift;
            if ((part & 0x80) == 0)
                return value;
        }
    }

    /// <summary>A number of any length with a sign.</summary>
    public long Sleb()
    {
        long value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = U8();
            if (shift < LebBitsMax)
                value |= (long)(part & 0x7f) << shift;
            if ((part & 0x80) != 0)
                continue;
            return (part & 0x40) != 0 && shift + 7 < LebBitsMax ? value | (-1L << (shift + 7)) : value;
        }
    }

    /// <summary>So many bytes; none where there are fewer.</summary>
    public ReadOnlySpan<byte> Take(ulong count)
    {
        if (IsBeyond || count > (ulong)(_bytes.Length - Position))
        {
            IsBeyond = true;
            return default;
        }

        var taken = _bytes.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    /// <summary>An address in one of the encodings of <c>.eh_frame</c> (<c>DW_EH_PE_…</c>).</summary>
    /// <param name="encoding">The encoding.</param>
    /// <param name="address">The address of the bytes' first.</param>
    public ulong Encoded(byte encoding, ulong address)
    {
        ulong place = address + (ulong)Position;
        ulong value = (encoding & FormatMask) switch
        {
            0x00 or 0x04 or 0x0c => U64(),
            0x01 => Uleb(),
            0x02 => U16(),
            0x03 => U32(),
            0x09 => (ulong)Sleb(),
            0x0a => (ulong)(short)U16(),
            0x0b => (ulong)(int)U32(),
            _ => Unknown(),
        };
        return (encoding & ~FormatMask) switch
        {
            0 => value,
            ByPlace => value + place,
            _ => Unknown(), // relative to something else, aligned or indirect: compilers make none of them for code
        };
    }

    private ulong Unknown()
    {
        IsBeyond = true;
        return 0;
    }
}
