// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Veil.Core.Events;

namespace Veil.Core.Recordings;

/// <summary>Undoes <see cref="BlockEncoder"/>, and hands out records and notes in the order in which they came. Whatever the bytes are, it
/// ends with an answer or a <see cref="RecordingException"/>.</summary>
internal sealed class BlockDecoder(EventCatalog catalog)
{
    /// <summary>Bytes of what is said of a kind.</summary>
    public const int KindBytes = 16;

    /// <summary>The place of a note in the order of items.</summary>
    public const byte IsNote = 255;

    private byte[] _block = [];
    private byte[] _records = [];
    private Kind[] _kinds = [];
    private int[] _lengths = [];
    private int _order;
    private int _items;
    private int _item;
    private int _note;
    private int _notesEnd;
    private int _at;
    private int _lastKind;
    private int _lastSize;

    /// <summary>Takes a block.</summary>
    /// <param name="block">Kept until the next one.</param>
    /// <param name="length">How much of it.</param>
    /// <param name="events">How many events it is said to have.</param>
    /// <exception cref="RecordingException">It is damaged.</exception>
    public void Begin(byte[] block, int length, uint events)
    {
        _block = block;
        _at = 0;
        _item = 0;
        int End() => length - _at;
        if (End() < 8)
            throw Damaged("it is cut off");
        uint kinds = BinaryPrimitives.ReadUInt32LittleEndian(block), items = BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(4));
        _at = 8;
        if (kinds > IsNote || kinds * KindBytes > End() || items > length)
            throw Damaged("it claims more than it has");
        _kinds = new Kind[kinds];
        long bytes = 0, count = 0;
        for (int place = 0; place < kinds; place++)
        {
            var head = block.AsSpan(_at);
            var kind = new Kind
            {
                FixedBytes = BinaryPrimitives.ReadInt32LittleEndian(head[4..]),
                Count = BinaryPrimitives.ReadInt32LittleEndian(head[8..]),
                TailBytes = BinaryPrimitives.ReadInt32LittleEndian(head[12..]),
                Start = (int)bytes,
            };
            if (!catalog.TryFind(BinaryPrimitives.ReadUInt32LittleEndian(head), out var schema) || schema.SizeBytes != kind.FixedBytes
                || kind.Count <= 0 || kind.Count > items || kind.TailBytes < 0)
                throw Damaged("it has a kind of event that the recording does not describe");
            bytes += (kind.FixedBytes * (long)kind.Count) + kind.TailBytes;
            count += kind.Count;
            _kinds[place] = kind;
            _at += KindBytes;
            if (bytes > BlockHeader.BlockBytesMax)
                throw Damaged("it would be too large");
        }

        if (count != events || items > End() || count > items)
            throw Damaged("it has another number of events than it says");
        (_order, _items) = (_at, (int)items);
        CountOrder();
        _at += _items;
        int notes = End() >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(_at)) : -1;
        _at += sizeof(int);
        if (notes < 0 || notes > End())
            throw Damaged("its notes are cut off");
        (_note, _notesEnd) = (_at, _at + notes);
        _at = _notesEnd;
        // Eight more, because words are written whole.
        if (_records.Length < bytes + sizeof(ulong))
            _records = GC.AllocateUninitializedArray<byte>((int)bytes + sizeof(ulong));
        foreach (ref var kind in _kinds.AsSpan())
            Decode(ref kind, length);
    }

    /// <summary>The next record or note. It is valid until the next call of <see cref="Begin"/>.</summary>
    public bool TryNext(out ReadOnlySpan<byte> item, out bool isNote)
    {
        item = default;
        isNote = false;
        if (_item == _items)
            return false;
        byte place = _block[_order + _item++];
        if (place == IsNote)
        {
            isNote = true;
            int length = _notesEnd - _note >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(_block.AsSpan(_note)) : 0;
            if (length <= 0 || length > _notesEnd - _note - sizeof(int))
                throw Damaged("a note is cut off");
            item = _block.AsSpan(_note + sizeof(int), length);
            _note += sizeof(int) + length;
            return true;
        }

        ref var kind = ref _kinds[place];
        int size = kind.TailBytes == 0 ? kind.FixedBytes : _lengths[kind.FirstLength++];
        item = _records.AsSpan(kind.Start, size);
        kind.Start += size;
        (_lastKind, _lastSize) = (place, size);
        return true;
    }

    /// <summary>Puts the last record back: it is the next one again.</summary>
    public void PutBack()
    {
        ref var kind = ref _kinds[_lastKind];
        kind.Start -= _lastSize;
        kind.FirstLength -= kind.TailBytes == 0 ? 0 : 1;
        _item--;
    }

    // Each kind must stand in the order as often as it has events: nothing is checked when an event is taken.
    private void CountOrder()
    {
        Span<int> counts = stackalloc int[IsNote + 1];
        counts.Clear();
        foreach (byte place in _block.AsSpan(_order, _items))
            counts[place]++;
        for (int place = 0; place < IsNote; place++)
        {
            if (counts[place] != (place < _kinds.Length ? _kinds[place].Count : 0))
                throw Damaged("its order is not that of its events");
        }
    }

    private void Decode(ref Kind kind, int length)
    {
        // Where records differ in length, their places have to be known first; the lengths come last in the block.
        int columns = _at, whole = kind.FixedBytes / sizeof(ulong), rest = kind.FixedBytes % sizeof(ulong);
        if (kind.TailBytes == 0)
        {
            for (int column = 0; column <= whole; column++)
                DecodeFixed(kind, column, column < whole ? sizeof(ulong) : rest, length);
            return;
        }

        for (int column = 0; column <= whole; column++)
            Skip(kind.Count, column < whole ? sizeof(ulong) : rest, length);
        DecodeLengths(ref kind, length);
        int tails = _at;
        _at = columns;
        for (int column = 0; column <= whole; column++)
            DecodeSpread(kind, column, column < whole ? sizeof(ulong) : rest, length);
        _at = tails;
        int at = kind.Start;
        for (int i = 0; i < kind.Count; i++)
        {
            int tail = _lengths[kind.FirstLength + i] - kind.FixedBytes;
            _block.AsSpan(_at, tail).CopyTo(_records.AsSpan(at + kind.FixedBytes));
            _at += tail;
            at += kind.FixedBytes + tail;
        }
    }

    private void DecodeLengths(ref Kind kind, int length)
    {
        int first = 0;
        foreach (var other in _kinds)
            first = Math.Max(first, other.EndLength);
        if (_lengths.Length < first + kind.Count)
            Array.Resize(ref _lengths, first + kind.Count);
        (kind.FirstLength, kind.EndLength) = (first, first + kind.Count);
        var column = ReadColumn(kind.Count, sizeof(uint), length);
        long sum = 0;
        for (int i = 0; i < kind.Count; i++)
        {
            ulong tail = column.Next(_block, i);
            sum += (long)Math.Min(tail, int.MaxValue);
            _lengths[first + i] = kind.FixedBytes + (int)Math.Min(tail, (ulong)kind.TailBytes);
        }

        if (sum != kind.TailBytes || kind.TailBytes > length - _at)
            throw Damaged("its records have other lengths than it says");
    }

    // Bytes of the word beyond the record are written over by the next one, which comes later in the same column or in the next.
    private void DecodeFixed(Kind kind, int number, int bytes, int length)
    {
        if (bytes == 0)
            return;
        var column = ReadColumn(kind.Count, bytes, length, number * sizeof(ulong) == catalog.Header.TimestampOffset);
        int at = kind.Start + (number * sizeof(ulong));
        for (int i = 0; i < kind.Count; i++, at += kind.FixedBytes)
            Write(at, column.Next(_block, i), bytes);
    }

    private void DecodeSpread(Kind kind, int number, int bytes, int length)
    {
        if (bytes == 0)
            return;
        var column = ReadColumn(kind.Count, bytes, length, number * sizeof(ulong) == catalog.Header.TimestampOffset);
        int at = kind.Start + (number * sizeof(ulong));
        for (int i = 0; i < kind.Count; i++)
        {
            Write(at, column.Next(_block, i), bytes);
            at += _lengths[kind.FirstLength + i];
        }
    }

    private void Write(int at, ulong word, int bytes)
    {
        var target = _records.AsSpan(at);
        if (bytes == sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(target, word);
            return;
        }

        for (int weight = 0; weight < bytes; weight++)
            target[weight] = (byte)(word >> (8 * weight));
    }

    private void Skip(int count, int bytes, int length)
    {
        if (bytes > 0)
            _ = ReadColumn(count, bytes, length);
    }

    private Column ReadColumn(int count, int bytes, int length, bool isTime = false)
    {
        const int headBytes = sizeof(ulong) + 1;
        if (length - _at < headBytes)
            throw Damaged("a column is cut off");
        var column = new Column
        {
            Word = BinaryPrimitives.ReadUInt64LittleEndian(_block.AsSpan(_at)),
            IsTime = isTime,
        };
        byte mask = _block[_at + sizeof(ulong)];
        _at += headBytes;
        if (mask >> bytes != 0)
            throw Damaged("a column is wider than its words");
        for (int weight = 0; weight < bytes; weight++)
        {
            if ((mask >> weight & 1) == 0)
                continue;
            if (count > length - _at)
                throw Damaged("a column is cut off");
            column.Add(_at, 8 * weight);
            _at += count;
        }

        return column;
    }

    private static RecordingException Damaged(string why) => new($"a block is damaged: {why}");

    private struct Kind
    {
        public int FixedBytes;
        public int Count;
        public int TailBytes;
        public int Start;
        public int FirstLength;
        public int EndLength;
    }

    // The words of one place, one after the other.
    private struct Column
    {
        private Planes _starts;
        private Planes _shifts;
        private int _count;

        public ulong Word { get; set; }

        public bool IsTime { get; init; }

        public void Add(int start, int shift)
        {
            _starts[_count] = start;
            _shifts[_count++] = shift;
        }

        public ulong Next(byte[] block, int i)
        {
            if (_count == 0)
                return Word;
            ulong difference = 0;
            for (int plane = 0; plane < _count; plane++)
                difference |= (ulong)block[_starts[plane] + i] << _shifts[plane];
            Word = IsTime ? Word + (difference >> 1 ^ (0 - (difference & 1))) : Word ^ difference;
            return Word;
        }
    }

    [InlineArray(sizeof(ulong))]
    private struct Planes
    {
        private int _first;
    }
}
