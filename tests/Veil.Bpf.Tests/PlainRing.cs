// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Bpf.Tests;

/// <summary>The kernel's side of a ring, on plain memory: two positions and a data area that appears twice in a row.</summary>
internal sealed unsafe class PlainRing : IDisposable
{
    private readonly nuint* _positions = (nuint*)NativeMemory.AllocZeroed(2, (nuint)sizeof(nuint));
    private readonly byte* _data;
    private readonly int _size;

    internal PlainRing(int size, nuint start = 0)
    {
        _size = size;
        _data = (byte*)NativeMemory.AllocZeroed((nuint)size * 2);
        Consumer = start;
        Producer = start;
        Cursor = new RingCursor(_positions, _positions + 1, _data, (nuint)size);
    }

    internal RingCursor Cursor;

    internal nuint Consumer
    {
        get => _positions[0];
        set => _positions[0] = value;
    }

    internal nuint Producer
    {
        get => _positions[1];
        set => _positions[1] = value;
    }

    /// <summary>Reserves a record as the kernel does: busy, and visible through the producer position. Returns its position.</summary>
    internal nuint Reserve(ReadOnlySpan<byte> payload)
    {
        nuint position = Producer;
        WriteHeader(position, (uint)payload.Length | RingCursor.BusyBit);
        for (int i = 0; i < payload.Length; i++)
            Write(position + RingCursor.HeaderSize + (nuint)i, payload[i]);
        Producer = position + (((nuint)payload.Length + 8 + 7) & ~(nuint)7);
        return position;
    }

    internal void Commit(nuint position, int length) => WriteHeader(position, (uint)length);

    internal void Discard(nuint position, int length) => WriteHeader(position, (uint)length | RingCursor.DiscardBit);

    internal void Submit(params byte[] payload) => Commit(Reserve(payload), payload.Length);

    internal void WriteHeader(nuint position, uint word)
    {
        for (int i = 0; i < 4; i++)
            Write(position + (nuint)i, (byte)(word >> (8 * i)));
    }

    /// <summary>As <see cref="RingBuffer.TryRead"/> does it.</summary>
    internal byte[]? Read()
    {
        if ((!Cursor.IsAtKnownEnd || Cursor.Refresh()) && Cursor.TryNext(out byte* data, out int length))
            return new ReadOnlySpan<byte>(data, length).ToArray();
        return null;
    }

    public void Dispose()
    {
        NativeMemory.Free(_positions);
        NativeMemory.Free(_data);
    }

    private void Write(nuint position, byte value)
    {
        int offset = (int)(position & (nuint)(_size - 1));
        _data[offset] = value;
        _data[offset + _size] = value;
    }
}
