// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Interop;
using Veil.Core.Output;

namespace Veil.Core.Formats.Html;

/// <summary>Writes what it takes as gzip in base64, bit by bit: nothing is held but a piece. Disposing writes the rest.</summary>
/// <param name="output">Where to.</param>
internal sealed unsafe class PackedStream(IOutput output) : Stream
{
    private const int PieceBytes = 48 * 1024; // whole groups of three
    private const int Level = 6;
    private const int Deflated = 8;
    private const int GzipWindow = 15 + 16; // the largest, with the header of gzip
    private const int MemoryLevel = 8;
    private const int More = 0, Finish = 4, StreamEnd = 1;

    private readonly LibZ.Stream* _stream = Begin();
    private readonly byte[] _piece = new byte[PieceBytes];
    private int _length;
    private bool _isDone;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer) => Deflate(buffer, More);

    public override void Write(byte[] buffer, int offset, int count) => Deflate(buffer.AsSpan(offset, count), More);

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Writes what is left.</summary>
    public void Complete()
    {
        Deflate([], Finish);
        WritePiece();
    }

    protected override void Dispose(bool disposing)
    {
        if (!_isDone)
        {
            _isDone = true;
            _ = LibZ.DeflateEnd(_stream);
            NativeMemory.Free(_stream);
        }

        base.Dispose(disposing);
    }

    private static LibZ.Stream* Begin()
    {
        var stream = (LibZ.Stream*)NativeMemory.AllocZeroed((nuint)sizeof(LibZ.Stream));
        return LibZ.DeflateInit(stream, Level, Deflated, GzipWindow, MemoryLevel, 0, "1.2.11", sizeof(LibZ.Stream)) == 0 ? stream
            : throw new VeilException("starting zlib: there is no memory for it");
    }

    private void Deflate(ReadOnlySpan<byte> bytes, int flush)
    {
        fixed (byte* input = bytes, piece = _piece)
        {
            _stream->Input = input;
            _stream->InputLeft = (uint)bytes.Length;
            int result;
            do
            {
                _stream->Output = piece + _length;
                _stream->OutputLeft = (uint)(PieceBytes - _length);
                result = LibZ.Deflate(_stream, flush);
                _length = PieceBytes - (int)_stream->OutputLeft;
                if (_length == PieceBytes)
                    WritePiece();
            }
            while (_stream->InputLeft > 0 || (flush == Finish && result != StreamEnd) || (_stream->OutputLeft == 0 && result == 0));
        }
    }

    private void WritePiece()
    {
        output.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(_piece.AsSpan(0, _length))));
        _length = 0;
    }
}
