// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Veil.Core.Events;

namespace Veil.Core.Recordings;

/// <summary>
/// Rearranges a block so that it compresses well: events of one kind together, words of one place together, each as what differs from the
/// event before, and of those the bytes of one weight together. <see cref="BlockDecoder"/> undoes it; docs/recording-format.md has the
/// order of the bytes.
/// </summary>
internal sealed class BlockEncoder(EventCatalog catalog)
{
    private const int RecordsMax = RawBlock.RoomBytes / 32;
    private readonly List<Kind> _kinds = [];
    private readonly ulong[] _words = new ulong[RecordsMax];
    private readonly byte[] _order = new byte[RawBlock.RoomBytes / sizeof(uint)];
    private byte[] _notes = new byte[4096];
    private byte[] _encoded = new byte[RawBlock.RoomBytes];
    private int _length;
    private int _notesLength;
    private int _used;

    /// <summary>Rearranges a block; the result is valid until the next call.</summary>
    public ReadOnlySpan<byte> Encode(RawBlock block)
    {
        Sort(block);
        _length = 0;
        var head = Take(8 + (_used * BlockDecoder.KindBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)_used);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], block.Items);
        head = head[8..];
        foreach (var kind in CollectionsMarshal.AsSpan(_kinds)[.._used])
        {
            BinaryPrimitives.WriteUInt32LittleEndian(head, kind.Number);
            BinaryPrimitives.WriteInt32LittleEndian(head[4..], kind.FixedBytes);
            BinaryPrimitives.WriteInt32LittleEndian(head[8..], kind.Count);
            BinaryPrimitives.WriteInt32LittleEndian(head[12..], kind.TailBytes);
            head = head[BlockDecoder.KindBytes..];
        }

        Append(_order.AsSpan(0, (int)block.Items));
        BinaryPrimitives.WriteInt32LittleEndian(Take(sizeof(int)), _notesLength);
        Append(_notes.AsSpan(0, _notesLength));
        foreach (var kind in CollectionsMarshal.AsSpan(_kinds)[.._used])
            Encode(kind, block.Data);
        return _encoded.AsSpan(0, _length);
    }

    // One pass over the items: which kind each is of, and where it begins.
    private void Sort(RawBlock block)
    {
        _used = 0;
        _notesLength = 0;
        int kindOffset = catalog.Header.KindOffset, item = 0;
        Kind? last = null;
        var data = block.Data;
        for (int at = 0; at < data.Length; item++)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(data[at..]);
            int length = (int)(word & ~RawBlock.NoteMark);
            at += sizeof(uint);
            if ((word & RawBlock.NoteMark) != 0)
            {
                _order[item] = BlockDecoder.IsNote;
                AddNote(data.Slice(at, length));
            }
            else
            {
                uint number = BinaryPrimitives.ReadUInt32LittleEndian(data[(at + kindOffset)..]);
                if (last?.Number != number)
                    last = KindOf(number);
                _order[item] = (byte)last.Place;
                last.Add(at, length);
            }

            at += length;
        }
    }

    private void AddNote(ReadOnlySpan<byte> note)
    {
        int end = _notesLength + sizeof(uint) + note.Length;
        if (end > _notes.Length)
            Array.Resize(ref _notes, 2 * end);
        BinaryPrimitives.WriteInt32LittleEndian(_notes.AsSpan(_notesLength), note.Length);
        note.CopyTo(_notes.AsSpan(_notesLength + sizeof(uint)));
        _notesLength = end;
    }

    private Kind KindOf(uint number)
    {
        for (int place = 0; place < _used; place++)
        {
            if (_kinds[place].Number == number)
                return _kinds[place];
        }

        if (_used == _kinds.Count)
            _kinds.Add(new Kind(_used));
        _kinds[_used].Begin(number, catalog.Find(number).SizeBytes);
        return _kinds[_used++];
    }

    private void Encode(Kind kind, ReadOnlySpan<byte> data)
    {
        var words = _words.AsSpan(0, kind.Count);
        int whole = kind.FixedBytes / sizeof(ulong), rest = kind.FixedBytes % sizeof(ulong);
        for (int column = 0; column < whole; column++)
        {
            int offset = column * sizeof(ulong);
            for (int i = 0; i < words.Length; i++)
                words[i] = Unsafe.ReadUnaligned<ulong>(ref Unsafe.AsRef(in data[kind.Starts[i] + offset]));
            EncodeColumn(words, sizeof(ulong), isTime: offset == catalog.Header.TimestampOffset);
        }

        if (rest > 0)
        {
            for (int i = 0; i < words.Length; i++)
            {
                ulong word = 0;
                for (int weight = rest - 1; weight >= 0; weight--)
                    word = word << 8 | data[kind.Starts[i] + (whole * sizeof(ulong)) + weight];
                words[i] = word;
            }

            EncodeColumn(words, rest, isTime: false);
        }

        if (kind.TailBytes == 0)
            return;
        for (int i = 0; i < words.Length; i++)
            words[i] = (ulong)(kind.Lengths[i] - kind.FixedBytes);
        EncodeColumn(words, sizeof(uint), isTime: false);
        for (int i = 0; i < words.Length; i++)
            Append(data.Slice(kind.Starts[i] + kind.FixedBytes, kind.Lengths[i] - kind.FixedBytes));
    }

    // The first word; which of the bytes ever differ; those bytes of all words, each weight for itself.
    private void EncodeColumn(Span<ulong> words, int bytes, bool isTime)
    {
        ulong before = words[0], differing = 0;
        BinaryPrimitives.WriteUInt64LittleEndian(Take(sizeof(ulong)), before);
        words[0] = 0;
        for (int i = 1; i < words.Length; i++)
        {
            ulong word = words[i];
            ulong difference = isTime ? Zigzag(word - before) : word ^ before;
            before = word;
            words[i] = difference;
            differing |= difference;
        }

        byte mask = 0;
        for (int weight = 0; weight < bytes; weight++)
        {
            if ((byte)(differing >> (8 * weight)) != 0)
                mask |= (byte)(1 << weight);
        }

        Take(1)[0] = mask;
        for (int weight = 0; weight < bytes; weight++)
        {
            if ((mask >> weight & 1) == 0)
                continue;
            var plane = Take(words.Length);
            int shift = 8 * weight;
            for (int i = 0; i < plane.Length && i < words.Length; i++)
                plane[i] = (byte)(words[i] >> shift);
        }
    }

    private static ulong Zigzag(ulong difference) => difference << 1 ^ (ulong)((long)difference >> 63);

    private void Append(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    private Span<byte> Take(int length)
    {
        if (_length + length > _encoded.Length)
            Array.Resize(ref _encoded, 2 * (_length + length));
        _length += length;
        return _encoded.AsSpan(_length - length, length);
    }

    // The events of one kind in the block.
    private sealed class Kind(int place)
    {
        public int Place => place;

        public uint Number { get; private set; }

        public int FixedBytes { get; private set; }

        public int Count { get; private set; }

        public int TailBytes { get; private set; }

        public int[] Starts { get; private set; } = new int[1024];

        public int[] Lengths { get; private set; } = new int[1024];

        public void Begin(uint number, int fixedBytes) => (Number, FixedBytes, Count, TailBytes) = (number, fixedBytes, 0, 0);

        public void Add(int start, int length)
        {
            if (Count == Starts.Length)
            {
                int[] starts = Starts, lengths = Lengths;
                Array.Resize(ref starts, 2 * Count);
                Array.Resize(ref lengths, 2 * Count);
                (Starts, Lengths) = (starts, lengths);
            }

            Starts[Count] = start;
            Lengths[Count++] = length;
            TailBytes += length - FixedBytes;
        }
    }
}
