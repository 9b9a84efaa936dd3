// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Recordings;

/// <summary>The newest blocks, in memory of a fixed size that is not the collector's: what comes takes the place of the oldest.</summary>
internal sealed unsafe class BlockRing(int sizeBytes) : IDisposable
{
    private readonly byte* _memory = (byte*)NativeMemory.Alloc((nuint)sizeBytes);
    private readonly Queue<(BlockHeader Header, int Start)> _blocks = [];
    private int _next;

    /// <summary>How many there are.</summary>
    public int Count => _blocks.Count;

    /// <summary>Events in them.</summary>
    public ulong Events { get; private set; }

    /// <summary>The earliest event of them.</summary>
    public ulong FirstNs => _blocks.TryPeek(out var first) ? first.Header.FirstNs : 0;

    /// <summary>Keeps a block; one that is larger than all there is, is not kept.</summary>
    public void Add(BlockHeader header, ReadOnlySpan<byte> stored)
    {
        if (stored.Length > sizeBytes)
            return;
        if (_next + stored.Length > sizeBytes)
        {
            // What lies between here and the end is older than what lies at the beginning.
            while (_blocks.TryPeek(out var last) && last.Start >= _next)
                Drop();
            _next = 0;
        }

        while (_blocks.TryPeek(out var oldest) && oldest.Start >= _next && oldest.Start < _next + stored.Length)
            Drop();
        stored.CopyTo(new Span<byte>(_memory + _next, stored.Length));
        _blocks.Enqueue((header, _next));
        _next += stored.Length;
        Events += header.Events;
    }

    /// <summary>Hands them out, the oldest first, until somebody has enough.</summary>
    public void Visit(Func<BlockHeader, ReadOnlySpan<byte>, bool> take)
    {
        foreach (var (header, start) in _blocks)
        {
            if (!take(header, new ReadOnlySpan<byte>(_memory + start, header.StoredBytes)))
                return;
        }
    }

    public void Dispose() => NativeMemory.Free(_memory);

    private void Drop() => Events -= _blocks.Dequeue().Header.Events;
}
