// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using Veil.Core.Events;
using Veil.Core.Interop;
using Veil.Core.Text;

namespace Veil.Core.Recordings;

/// <summary>Writes blocks behind the reader of events: rearranges, compresses and writes them on a thread of its own.</summary>
/// <param name="file">Owned.</param>
/// <param name="events">The kinds of event.</param>
/// <param name="path">What messages call the file.</param>
internal sealed class RecordingWriter(RecordingFile file, EventCatalog events, string path) : IDisposable
{
    // What a disk may stay behind before events are left out: 16 MiB.
    private const int BlocksMax = 16;

    private readonly Lock _gate = new();
    private readonly Queue<RawBlock> _full = [];
    private readonly Stack<RawBlock> _free = [];
    private readonly SemaphoreSlim _work = new(0);
    private readonly BlockEncoder _encoder = new(events);
    private byte[] _buffer = [];
    private Thread? _thread;
    private bool _ends;
    private int _made;
    private ulong _number;
    private ulong _events;
    private long _notWritten;
    private string? _failure;

    /// <summary>The number of the file.</summary>
    public ulong File { get; } = BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>What went wrong first; null: nothing. From any thread.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>Events in blocks that could not be written.</summary>
    public ulong NotWritten => (ulong)Volatile.Read(ref _notWritten);

    /// <summary>Begins the file: all that a reader must know before the first event.</summary>
    /// <exception cref="VeilException">It cannot be written.</exception>
    public void Begin(ReadOnlySpan<byte> description, ReadOnlySpan<byte> snapshot)
    {
        Span<byte> head = stackalloc byte[FileHeader.SizeBytes];
        FileHeader.Write(head, File);
        if (file.TryWrite(head) is var error && error != 0 || (error = Write(new() { Type = BlockType.Description }, description)) != 0
            || (error = Write(new() { Type = BlockType.Snapshot }, snapshot)) != 0)
            throw new VeilException($"writing the recording {Escaping.ForMessage(path)}: {Marshal.GetPInvokeErrorMessage(error)}");
        file.Begin();
    }

    /// <summary>An empty block; none where all are still to be written.</summary>
    public RawBlock? TryTake()
    {
        lock (_gate)
        {
            if (_free.TryPop(out var block))
            {
                block.Clear();
                return block;
            }

            if (_made == BlocksMax)
                return null;
            _made++;
        }

        var made = new RawBlock();
        made.Clear();
        return made;
    }

    /// <summary>Has a block written.</summary>
    public void Hand(RawBlock block)
    {
        // Not before: threads from before the privileges were dropped would keep them.
        if (_thread is null)
        {
            _thread = new Thread(Run) { Name = "veil-record", IsBackground = true };
            _thread.Start();
        }

        lock (_gate)
            _full.Enqueue(block);
        _work.Release();
    }

    /// <summary>Waits until all is written, and ends the file.</summary>
    public void Finish()
    {
        if (_ends)
            return;
        _ends = true;
        _work.Release();
        _thread?.Join();
        if (Failure is null && Write(new() { Type = BlockType.End }, DescriptionJson.End(_events)) is var error && error != 0)
            Fail(error);
    }

    public void Dispose()
    {
        Finish();
        file.Dispose();
        _work.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            _work.Wait();
            RawBlock? block;
            lock (_gate)
            {
                if (!_full.TryDequeue(out block))
                    return;
            }

            var header = new BlockHeader
            {
                Type = BlockType.Events,
                FirstNs = block.Events > 0 ? block.FirstNs : 0,
                LastNs = block.LastNs,
                Events = block.Events,
                Lost = (uint)Math.Min(block.Lost, uint.MaxValue),
            };
            if (Write(header, _encoder.Encode(block)) is var error && error != 0)
            {
                Interlocked.Add(ref _notWritten, block.Events);
                Fail(error);
            }
            else
            {
                _events += block.Events;
            }

            lock (_gate)
                _free.Push(block);
        }
    }

    private int Write(BlockHeader header, ReadOnlySpan<byte> raw)
    {
        int most = BlockHeader.SizeBytes + Zstd.BoundOf(raw.Length);
        if (_buffer.Length < most)
            _buffer = GC.AllocateUninitializedArray<byte>(most);
        int stored = Zstd.Compress(raw, _buffer.AsSpan(BlockHeader.SizeBytes));
        header = header with { StoredBytes = stored, RawBytes = raw.Length, Number = _number };
        header.Write(_buffer, File);
        int error = file.TryWrite(_buffer.AsSpan(0, BlockHeader.SizeBytes + stored));
        if (error == 0)
            _number++;
        return error;
    }

    private void Fail(int error) => Interlocked.CompareExchange(
        ref _failure,
        $"writing the recording {Escaping.ForMessage(path)}: {Marshal.GetPInvokeErrorMessage(error)}: the trace goes on; what cannot be " +
        "written is counted", null);
}
