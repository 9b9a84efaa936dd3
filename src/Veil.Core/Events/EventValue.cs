// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Events.Kinds;
using Veil.Core.Text;

namespace Veil.Core.Events;

/// <summary>Where a value lies in the records of one kind, and, as its kind says, how it is read and shown.</summary>
public abstract class EventValue
{
    private protected EventValue(int offset, int size, byte[]?[] names)
    {
        Offset = offset;
        Size = size;
        Names = names;
    }

    /// <summary>Bytes from the start of the record.</summary>
    public int Offset { get; }

    /// <summary>Bytes in the record; 0 where the value is not of the record.</summary>
    public int Size { get; }

    /// <summary>Its type in JSON.</summary>
    public string JsonType => Facts.JsonType;

    /// <summary>The enumerators' names by their value, with holes; of a constant the one value. UTF-8.</summary>
    internal byte[]?[] Names { get; }

    internal abstract ValueFacts Facts { get; }

    internal abstract int BytesMax { get; }

    internal abstract EventValue InTable { get; }

    internal abstract EventValue OnScreen { get; }

    /// <summary>Its bytes in a record.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> record) => record.Slice(Offset, Size);

    /// <summary>The part of a record whose place it holds. The record was checked: <see cref="EventSchema.IsWhole"/>.</summary>
    public EventPart PartOf(ReadOnlySpan<byte> record) => new(Of(record));

    /// <summary>Appends it to a line of columns.</summary>
    /// <returns>The number of characters that it shows.</returns>
    internal abstract int WriteText(ref LineWriter line, scoped ref EventView view);

    /// <summary>Appends it to a line of <c>key=value</c>.</summary>
    internal abstract int WritePair(ref LineWriter line, scoped ref EventView view);

    /// <summary>Appends it to an object of JSON.</summary>
    /// <returns><see cref="JsonStyle.NotExact"/> where the string does not hold every byte.</returns>
    internal abstract int WriteJson(ref LineWriter line, scoped ref EventView view);

    /// <summary>The bytes behind a value that is text.</summary>
    internal abstract ReadOnlySpan<byte> RawText(scoped ref EventView view);

    internal bool Is<TKind>()
        where TKind : struct, IValueKind => this is EventValue<TKind>;

    /// <summary>The same bytes as another kind.</summary>
    internal EventValue As<TKind>()
        where TKind : struct, IValueKind => new EventValue<TKind>(Offset, Size, Names);

    /// <summary>Reads an unsigned integer of 1, 2, 4 or 8 bytes.</summary>
    internal ulong Unsigned(ReadOnlySpan<byte> record) => Size switch
    {
        4 => BinaryPrimitives.ReadUInt32LittleEndian(record[Offset..]),
        8 => BinaryPrimitives.ReadUInt64LittleEndian(record[Offset..]),
        2 => BinaryPrimitives.ReadUInt16LittleEndian(record[Offset..]),
        1 => record[Offset],
        _ => throw new InvalidOperationException($"no integer has {Size} bytes"),
    };

    /// <summary>The same of a signed one.</summary>
    internal long Signed(ReadOnlySpan<byte> record) => (long)Unsigned(record) << (64 - (8 * Size)) >> (64 - (8 * Size));
}

/// <summary>A value of a kind.</summary>
internal sealed class EventValue<TKind>(int offset = 0, int size = 0, byte[]?[]? names = null) : EventValue(offset, size, names ?? [])
    where TKind : struct, IValueKind
{
    internal override ValueFacts Facts => TKind.Facts;

    internal override int BytesMax => TKind.BytesMax(this);

    internal override EventValue InTable => TKind.InTable(this);

    internal override EventValue OnScreen => TKind.OnScreen(this);

    internal override int WriteText(ref LineWriter line, scoped ref EventView view) => TKind.Write<TextStyle>(ref line, this, ref view);

    internal override int WritePair(ref LineWriter line, scoped ref EventView view) => TKind.Write<PairStyle>(ref line, this, ref view);

    internal override int WriteJson(ref LineWriter line, scoped ref EventView view) => TKind.Write<JsonStyle>(ref line, this, ref view);

    internal override ReadOnlySpan<byte> RawText(scoped ref EventView view) => TKind.RawText(this, ref view);
}
