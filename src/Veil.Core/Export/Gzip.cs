// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Interop;

namespace Veil.Core.Export;

/// <summary>Compresses whole messages with zlib, which is linked in for libelf (.NET's own stream would bring another copy).</summary>
internal sealed unsafe class Gzip : IDisposable
{
    private const int Fastest = 1;
    private const int Deflated = 8;
    private const int GzipWindow = 15 + 16; // the largest, with the header of gzip
    private const int MemoryLevel = 8;
    private const int Finish = 4;
    private const int StreamEnd = 1;

    // Beyond what deflate adds to what it cannot make smaller (compressBound of zlib.h).
    private const int OverheadBytes = 64;

    private readonly LibZ.Stream* _stream = (LibZ.Stream*)NativeMemory.AllocZeroed((nuint)sizeof(LibZ.Stream));
    private byte[] _room = [];

    public Gzip()
    {
        if (LibZ.DeflateInit(_stream, Fastest, Deflated, GzipWindow, MemoryLevel, 0, "1.2.11", sizeof(LibZ.Stream)) != 0)
            throw new VeilException("starting zlib: there is no memory for it");
    }

    /// <summary>Compresses parts that follow each other.</summary>
    public byte[] Pack(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        int bound = first.Length + second.Length + ((first.Length + second.Length) >> 10) + OverheadBytes;
        if (_room.Length < bound)
            _room = new byte[bound];
        _ = LibZ.DeflateReset(_stream);
        fixed (byte* room = _room, one = first, two = second)
        {
            _stream->Output = room;
            _stream->OutputLeft = (uint)_room.Length;
            _stream->Input = one;
            _stream->InputLeft = (uint)first.Length;
            _ = LibZ.Deflate(_stream, 0);
            _stream->Input = two;
            _stream->InputLeft = (uint)second.Length;
            if (LibZ.Deflate(_stream, Finish) != StreamEnd)
                throw new VeilException("compressing with zlib: it did not end");
        }

        return _room[..(_room.Length - (int)_stream->OutputLeft)];
    }

    public void Dispose()
    {
        _ = LibZ.DeflateEnd(_stream);
        NativeMemory.Free(_stream);
    }
}
