// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Tests.Symbols;

/// <summary>A file of any length that holds a few bytes in front and zeros, and counts what is read of it.</summary>
internal sealed class SparseStream(byte[] front, long length) : Stream
{
    public long BytesRead { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, length - Position);
        buffer = buffer[..count];
        buffer.Clear();
        if (Position < front.Length)
            front.AsSpan((int)Position, (int)Math.Min(count, front.Length - Position)).CopyTo(buffer);
        Position += count;
        BytesRead += count;
        return count;
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }
}
