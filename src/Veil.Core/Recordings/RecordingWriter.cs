// SPDX-License-Identifier: GPL-3.0-only
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Veil.Core.Events;
using Veil.Core.Interop;
using Veil.Core.Options;
using Veil.Core.Text;

namespace Veil.Core.Recordings;

/// <summary>Writes blocks behind the reader of events: rearranges, compresses and writes them on a thread of its own.</summary>
/// <param name="file">Owned.</param>
/// <param name="events">The kinds of event.</param>
/// <param name="path">What messages call the file.</param>
/// <param name="flight">Keep blocks in memory; none: write them.</param>
/// <param name="message">Takes a line for the user. From any thread.</param>
internal sealed class RecordingWriter(
    RecordingFile file, EventCatalog events, string path, FlightOptions? flight = null, Action<string>? message = null) : IDisposable
{
    private readonly BlockRing? _ring = flight is null ? null : new BlockRing((int)flight.SizeBytes);

    // What a disk may stay behind before events are left out: 16 MiB.
    private const int BlocksMax = 16;

    private readonly Lock _gate = new();
    private readonly Queue<object> _full = [];
    private readonly ConcurrentQueue<DumpRequest> _requests = [];
    private readonly Stack<RawBlock> _free = [];
    private readonly SemaphoreSlim _work = new(0);
    private readonly BlockEncoder _encoder = new(events);
    private byte[] _buffer = [];
    private byte[] _small = [];
    private RecordingDescription? _description;
    private byte[] _snapshot = [];
    private ulong _file;
    private Thread? _thread;
    private bool _ends;

    // Does the file begin as one must? Not where the disk was full just then: without its description nothing in it can be read.
    private bool _isHeaded;
    private int _made;
    private ulong _number;
    private ulong _events;
    private long _notWritten;
    private ulong _untold;
    private string? _failure;

    /// <summary>What went wrong first; null: nothing. From any thread.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>Events in blocks that could not be written.</summary>
    public ulong NotWritten => (ulong)Volatile.Read(ref _notWritten);

    /// <summary>Counts losses that no note in a file tells of yet: the next block does, or the end of the file. From any thread.</summary>
    public void AddUntold(ulong lost) => Interlocked.Add(ref _untold, lost);

    /// <summary>Takes them over, to tell of them. From any thread.</summary>
    public ulong TakeUntold() => Interlocked.Exchange(ref _untold, 0);

    /// <summary>Begins the file: all that a reader must know before the first event.</summary>
    /// <exception cref="VeilException">It cannot be written.</exception>
    public void Begin(RecordingDescription description, byte[] snapshot)
    {
        (_description, _snapshot) = (description, snapshot);
        if (_ring is not null)
            return;
        if (BeginFile() is var error && error != 0)
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

    /// <summary>Asks for what is kept to be written, of the thread that reads events. From any thread.</summary>
    public void Request(DumpRequest request) => _requests.Enqueue(request);

    /// <summary>Who asked.</summary>
    public bool TryTakeRequest([NotNullWhen(true)] out DumpRequest? request) => _requests.TryDequeue(out request);

    /// <summary>Has a block written, or a request done.</summary>
    /// <param name="work">A <see cref="RawBlock"/>, or a <see cref="DumpRequest"/>.</param>
    public void Hand(object work)
    {
        // Not before: threads from before the privileges were dropped would keep them.
        if (_thread is null)
        {
            _thread = new Thread(Run) { Name = "veil-record", IsBackground = true };
            _thread.Start();
        }

        lock (_gate)
            _full.Enqueue(work);
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
        if (_ring is null && _isHeaded && End() is var error && error != 0)
            Fail(error);
    }

    public void Dispose()
    {
        Finish();
        file.Dispose();
        _ring?.Dispose();
        _work.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            _work.Wait();
            object? work;
            lock (_gate)
            {
                if (!_full.TryDequeue(out work))
                    return;
            }

            if (work is DumpRequest request)
            {
                Dump(request);
                continue;
            }

            var block = (RawBlock)work;
            var header = new BlockHeader
            {
                Type = BlockType.Events,
                FirstNs = block.Events > 0 ? block.FirstNs : 0,
                LastNs = block.LastNs,
                Events = block.Events,
                Lost = (uint)Math.Min(block.Lost, uint.MaxValue),
            };
            if (Write(header, _encoder.Encode(block), ref _buffer, mayRotate: true) is var error && error != 0)
            {
                Interlocked.Add(ref _notWritten, block.Events);
                AddUntold(block.Events + block.Lost);
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

    private int BeginFile()
    {
        _file = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        (_number, _events, _isHeaded) = (0, 0, false);
        Span<byte> head = stackalloc byte[FileHeader.SizeBytes];
        FileHeader.Write(head, _file);
        int error = file.TryWrite(head);
        error = error != 0 ? error : Write(new() { Type = BlockType.Description }, DescriptionJson.Write(_description!), ref _small);
        error = error != 0 ? error : Write(new() { Type = BlockType.Snapshot }, _snapshot, ref _small);
        _isHeaded = error == 0;
        if (error != 0)
            file.Empty();
        return error;
    }

    private void Dump(DumpRequest request)
    {
        string name = "";
        int error = request.Fd >= 0 ? file.Take(request.Fd) : file.MakeDump(out name);
        if (error == 0)
        {
            _description = _description! with { Begun = _description.Started };
            error = BeginFile();
            _ring!.Visit((header, stored) => (error = error != 0 ? error : WriteKept(header, stored)) == 0);
            _events = _ring.Events;
            // It is told of again in the next block, which is not in this file.
            error = error != 0 ? error : WriteEnd(Volatile.Read(ref _untold));
            file.EndDump();
        }

        string what = request.Fd >= 0 ? "the file" : Escaping.ForMessage(name);
        string text = error != 0
            ? $"writing {(what.Length == 0 ? "a recording beside " + Escaping.ForMessage(path) : what)}: {Marshal.GetPInvokeErrorMessage(error)}"
            : $"{what}: {_events} events{(_events == 0 ? "" : $" of {(LibC.NowNs(LibC.ClockBoottime) - (long)_ring!.FirstNs) / 1e9:F1} s")} ({request.Why})";
        message?.Invoke(error == 0 ? "wrote " + text : text);
        request.Finish(error == 0, text);
    }

    private int WriteKept(BlockHeader header, ReadOnlySpan<byte> stored)
    {
        int whole = BlockHeader.SizeBytes + stored.Length;
        if (_small.Length < whole)
            _small = GC.AllocateUninitializedArray<byte>(whole);
        stored.CopyTo(_small.AsSpan(BlockHeader.SizeBytes));
        (header with { Number = _number++ }).Write(_small, _file);
        return file.TryWrite(_small.AsSpan(0, whole));
    }

    private int End(bool goesOn = false)
    {
        ulong untold = TakeUntold();
        int error = WriteEnd(untold, goesOn);
        if (error != 0)
            AddUntold(untold);
        return error;
    }

    private int WriteEnd(ulong untold, bool goesOn = false) =>
        Write(new() { Type = BlockType.End }, DescriptionJson.End(_events, untold, goesOn), ref _small);

    // Where there is no next file the current one goes on.
    private int Rotate()
    {
        if (file.MakeNext() is var error && error != 0)
        {
            Interlocked.CompareExchange(
                ref _failure,
                $"making the next file of the recording {Escaping.ForMessage(path)}: {Marshal.GetPInvokeErrorMessage(error)}: this one goes on " +
                "beyond --record-size", null);
            return 0;
        }

        if ((error = End(goesOn: true)) != 0)
            Fail(error);
        file.TakeNext();
        _description = _description! with
        {
            Part = _description.Part + 1,
            Begun = (LibC.NowNs(LibC.ClockBoottime), LibC.NowNs(LibC.ClockRealtime)),
        };
        return BeginFile();
    }

    private int Write(BlockHeader header, ReadOnlySpan<byte> raw, ref byte[] buffer, bool mayRotate = false)
    {
        const int roomForEnd = 256;
        int most = BlockHeader.SizeBytes + Zstd.BoundOf(raw.Length);
        if (buffer.Length < most)
            buffer = GC.AllocateUninitializedArray<byte>(most);
        int stored = Zstd.Compress(raw, buffer.AsSpan(BlockHeader.SizeBytes)), error = 0;
        if (_ring is not null && mayRotate)
        {
            _ring.Add(header with { StoredBytes = stored, RawBytes = raw.Length }, buffer.AsSpan(BlockHeader.SizeBytes, stored));
            return 0;
        }

        if (mayRotate && !_isHeaded && (error = BeginFile()) != 0)
            return error;
        if (mayRotate && _events > 0 && file.IsFull(BlockHeader.SizeBytes + stored + roomForEnd) && (error = Rotate()) != 0)
            return error;
        header = header with { StoredBytes = stored, RawBytes = raw.Length, Number = _number };
        header.Write(buffer, _file);
        error = file.TryWrite(buffer.AsSpan(0, BlockHeader.SizeBytes + stored));
        if (error == 0)
            _number++;
        return error;
    }

    private void Fail(int error) => Interlocked.CompareExchange(
        ref _failure,
        $"writing the recording {Escaping.ForMessage(path)}: {Marshal.GetPInvokeErrorMessage(error)}: the trace goes on; what cannot be " +
        "written is counted", null);
}
