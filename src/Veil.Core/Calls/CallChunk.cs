// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;

namespace Veil.Core.Calls;

/// <summary>What a chunk is of its argument: <c>enum syscall_chunk_kind</c> of <c>arguments.bpf.h</c>, in its order.</summary>
public enum CallChunkKind : byte
{
    /// <summary>What it points to; of an array of strings, one of them.</summary>
    Value,

    /// <summary>Of a message, its address.</summary>
    Name,

    /// <summary>Of a message, its <c>struct iovec</c>.</summary>
    Vector,

    /// <summary>What one <c>struct iovec</c> points to.</summary>
    Part,

    /// <summary>Of a message, its control data.</summary>
    Control,

    /// <summary>Of a descriptor, what it stands for, as text.</summary>
    Path,

    /// <summary>Of a descriptor, its socket.</summary>
    Socket,

    /// <summary>How many addresses an array has: a word.</summary>
    Number,

    /// <summary>Of a descriptor, what it stands for, as it is shown: no kernel sends it.</summary>
    Text,

    /// <summary>What a pointer in the structure leads to, by its place among the call's <see cref="CallSpec.Nested"/>.</summary>
    Nested,
}

/// <summary>How a chunk was had: <c>SYSCALL_UNREAD</c> and its like.</summary>
[Flags]
public enum CallChunkMarks : byte
{
    /// <summary>As it should be.</summary>
    None = 0,

    /// <summary>It could not be read.</summary>
    Unread = 1,

    /// <summary>It is input, and was read when the call ended.</summary>
    Late = 2,

    /// <summary>There was more.</summary>
    Truncated = 4,

    /// <summary>It is output, read when the call ended.</summary>
    Output = 8,

    /// <summary>Of a path: the name is gone.</summary>
    Deleted = 16,

    /// <summary>Of a path: <see cref="CallChunk.Address"/> is more than it says; of a string: where the array ends in what cannot be
    /// read.</summary>
    Detailed = 32,

    /// <summary>Beside <see cref="Unread"/>: there are some of its bytes, up to the first page that could not be read.</summary>
    Partial = 64,
}

/// <summary>What was read for an argument: <c>struct syscall_chunk</c> and the bytes after it. A view of the record.</summary>
public readonly ref struct CallChunk
{
    /// <summary>Bytes of the header.</summary>
    public const int HeaderBytes = 16;

    private readonly ReadOnlySpan<byte> _header;

    internal CallChunk(ReadOnlySpan<byte> header, ReadOnlySpan<byte> bytes)
    {
        _header = header;
        Bytes = bytes;
    }

    /// <summary>Is there one?</summary>
    public bool Exists => !_header.IsEmpty;

    /// <summary>Is there one, and could it be read?</summary>
    public bool IsRead => Exists && (Marks & CallChunkMarks.Unread) == CallChunkMarks.None;

    /// <summary>Are there so many bytes? Not all that were asked for need be there.</summary>
    public bool Has(int bytes) => Exists && Bytes.Length >= bytes
        && (Marks & (CallChunkMarks.Unread | CallChunkMarks.Partial)) != CallChunkMarks.Unread;

    /// <summary>Ends it before all that was asked for?</summary>
    public bool IsPartial => Exists && (Marks & CallChunkMarks.Partial) != CallChunkMarks.None;

    /// <summary>Where it was in the process; of a descriptor, more than its path says.</summary>
    public ulong Address => BinaryPrimitives.ReadUInt64LittleEndian(_header);

    /// <summary>The argument; of several messages the number of this one, times 8, is added.</summary>
    public int Arg => _header[12];

    /// <summary>Its place among the argument's chunks of its kind.</summary>
    public int Index => _header[13];

    /// <summary>How it was had.</summary>
    public CallChunkMarks Marks => (CallChunkMarks)_header[14];

    /// <summary>What it is.</summary>
    public CallChunkKind Kind => (CallChunkKind)_header[15];

    /// <summary>There was more than <see cref="Bytes"/>.</summary>
    public bool IsTruncated => Exists && (Marks & CallChunkMarks.Truncated) != CallChunkMarks.None;

    /// <summary>What was read.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Writes a header.</summary>
    internal static void WriteHeader(Span<byte> to, ulong address, int size, int arg, int index, CallChunkMarks marks, CallChunkKind kind)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, address);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], size);
        to[12] = (byte)arg;
        to[13] = (byte)index;
        to[14] = (byte)marks;
        to[15] = (byte)kind;
    }

    /// <summary>Takes the first chunk off a row; false at its end, or where the row is damaged.</summary>
    internal static bool TryTake(scoped ref ReadOnlySpan<byte> row, out CallChunk chunk)
    {
        chunk = default;
        if (row.Length < HeaderBytes)
            return false;
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(row[8..]);
        if (size > row.Length - HeaderBytes)
            return false;
        chunk = new CallChunk(row[..HeaderBytes], row.Slice(HeaderBytes, (int)size));
        row = row[Math.Min(HeaderBytes + (int)((size + 7) & ~7u), row.Length)..];
        return true;
    }
}
