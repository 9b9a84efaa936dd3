// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Recordings;

/// <summary>A block while it is filled: records and notes as they came, each behind its length.</summary>
internal sealed class RawBlock
{
    /// <summary>Bytes that it has room for.</summary>
    public const int RoomBytes = 1024 * 1024;

    /// <summary>What the length of a note is marked by.</summary>
    public const uint NoteMark = 1u << 31;

    private readonly byte[] _data = GC.AllocateUninitializedArray<byte>(RoomBytes);
    private int _length;

    public ReadOnlySpan<byte> Data => _data.AsSpan(0, _length);

    public uint Events { get; private set; }

    public uint Items { get; private set; }

    public ulong Lost { get; private set; }

    public ulong FirstNs { get; private set; }

    public ulong LastNs { get; private set; }

    /// <summary>When the first item came, as <see cref="Environment.TickCount64"/> has it.</summary>
    public long SinceMs { get; private set; }

    /// <summary>Makes it empty again.</summary>
    public void Clear()
    {
        (_length, Events, Items, Lost, LastNs) = (0, 0, 0, 0, 0);
        FirstNs = ulong.MaxValue;
    }

    /// <summary>Is there room for a record of so many bytes?</summary>
    public bool HasRoom(int length) => _length + sizeof(uint) + length <= RoomBytes;

    public void AddRecord(ReadOnlySpan<byte> record, ulong timestamp)
    {
        record.CopyTo(Item((uint)record.Length));
        Events++;
        FirstNs = Math.Min(FirstNs, timestamp);
        LastNs = Math.Max(LastNs, timestamp);
    }

    /// <summary>Room for a note of so many bytes, behind its type.</summary>
    public Span<byte> AddNote(NoteType type, int length)
    {
        var note = Item((uint)(length + 1) | NoteMark);
        note[0] = (byte)type;
        return note[1..];
    }

    public void AddLost(ulong count) => Lost += count;

    private Span<byte> Item(uint word)
    {
        if (_length == 0)
            SinceMs = Environment.TickCount64;
        int length = (int)(word & ~NoteMark);
        BinaryPrimitives.WriteUInt32LittleEndian(_data.AsSpan(_length), word);
        var item = _data.AsSpan(_length + sizeof(uint), length);
        _length += sizeof(uint) + length;
        Items++;
        return item;
    }
}
