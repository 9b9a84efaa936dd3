// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Text;

namespace Veil.Core.Formats.Parquet;

/// <summary>Thrift's compact protocol, which the metadata of Parquet is written in
/// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).</summary>
internal sealed class ThriftBuffer
{
    /// <summary>Types of fields and of what lists hold.</summary>
    public const int True = 1, False = 2, Int16 = 4, Int32 = 5, Int64 = 6, Binary = 8, List = 9, Struct = 12;

    private const int LongListMark = 0xf;

    private readonly ArrayBufferWriter<byte> _bytes = new(1024);
    private readonly Stack<int> _outer = new();
    private int _field;

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        _bytes.ResetWrittenCount();
        _outer.Clear();
        _field = 0;
    }

    public void Number(int field, int value) => Number(field, Int32, value);

    public void Number(int field, long value) => Number(field, Int64, value);

    public void Ordinal(int field, short value) => Number(field, Int16, value);

    public void Bool(int field, bool value) => Field(field, value ? True : False);

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Field(field, Binary);
        Item(value);
    }

    /// <summary>A struct that is a field. Ends with <see cref="End"/>.</summary>
    public void Begin(int field)
    {
        Field(field, Struct);
        BeginItem();
    }

    /// <summary>A struct that has nothing in it.</summary>
    public void Empty(int field)
    {
        Begin(field);
        End();
    }

    /// <summary>A struct in a list. Ends with <see cref="End"/>.</summary>
    public void BeginItem()
    {
        _outer.Push(_field);
        _field = 0;
    }

    /// <summary>The end of a struct; of the outermost one too.</summary>
    public void End()
    {
        Raw(0);
        _field = _outer.TryPop(out int outer) ? outer : 0;
    }

    /// <summary>A list, whose items follow.</summary>
    public void BeginList(int field, int type, int count)
    {
        Field(field, List);
        if (count < LongListMark)
        {
            Raw((byte)(count << 4 | type));
            return;
        }

        Raw((byte)(LongListMark << 4 | type));
        Varint((ulong)count);
    }

    /// <summary>A number in a list.</summary>
    public void Item(int value) => ZigZag(value);

    /// <summary>A text in a list.</summary>
    public void Item(ReadOnlySpan<byte> value)
    {
        Varint((ulong)value.Length);
        _bytes.Write(value);
    }

    private void Number(int field, int type, long value)
    {
        Field(field, type);
        ZigZag(value);
    }

    private void Field(int field, int type)
    {
        const int most = 15;
        int step = field - _field;
        _field = field;
        if (step is > 0 and <= most)
        {
            Raw((byte)(step << 4 | type));
            return;
        }

        Raw((byte)type);
        ZigZag(field);
    }

    private void ZigZag(long value) => Varint((ulong)(value << 1 ^ value >> 63));

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            Raw((byte)(value | 0x80));
        Raw((byte)value);
    }

    private void Raw(byte value)
    {
        _bytes.GetSpan(1)[0] = value;
        _bytes.Advance(1);
    }
}
