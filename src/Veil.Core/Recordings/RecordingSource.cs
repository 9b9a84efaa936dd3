// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Counting;
using Veil.Core.Enrichers;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Pipeline;
using Veil.Core.Sources;

namespace Veil.Core.Recordings;

/// <summary>Recordings as a source of events: gives what the trace gave, in its order.</summary>
internal sealed class RecordingSource : IEventSource
{
    private readonly Queue<RecordingReader> _files;
    private readonly Action<string> _message;
    private readonly RecordedNames _names;
    private readonly BlockDecoder _decoder;
    private readonly ReplayRange _range;
    private readonly bool _wholeSet;
    private (long NowMs, ulong EventNs)? _pacedAt;
    private bool _hasBlock;
    private ulong _notRecorded;

    /// <summary>Begins with the first file.</summary>
    /// <param name="files">At least one, in their order. Owned.</param>
    /// <param name="names">Takes the names that they tell.</param>
    /// <param name="recorded">Their events.</param>
    /// <param name="events">Those of them that are given.</param>
    /// <param name="modules">Their modules, by their numbers.</param>
    /// <param name="range">What of them is given.</param>
    /// <param name="message">Takes a line about what is missing.</param>
    /// <param name="wholeSet">Are they to be all files of a recording?</param>
    public RecordingSource(
        IReadOnlyList<RecordingReader> files, RecordedNames names, EventCatalog recorded, EventCatalog events,
        IReadOnlyList<TraceModule> modules, ReplayRange range, Action<string> message, bool wholeSet = false)
    {
        _files = new(files);
        _names = names;
        _message = message;
        _range = range;
        _wholeSet = wholeSet;
        Events = events;
        Modules = [.. modules.Select((module, number) => new TracedModule(module, files[0].Description.Modules[number].Hook, [], []))];
        _decoder = new BlockDecoder(recorded);
    }

    /// <summary>Could something not be read?</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>Takes the machine as it was when a file was begun, before its events; null: nobody wants to know.</summary>
    public Action<RecordedSnapshot>? SnapshotFound { get; init; }

    public EventCatalog Events { get; }

    public IReadOnlyList<TracedModule> Modules { get; }

    public IReadOnlyList<EventCounts> Counts => [];

    public EventNames? Names => _names;

    public RingUse? Rings => null;

    public IReadOnlyCollection<int> PollFds => [];

    public int WaitMs { get; private set; }

    public bool HasEnded => !_hasBlock && _files.Count == 0;

    /// <summary>Gives the events of one block: between two the trace looks whether it is to end.</summary>
    public void Drain(EventPipeline pipeline, bool last)
    {
        // What is left when the trace is told to end is not given any more.
        if (last)
        {
            Close();
            return;
        }

        if (!_hasBlock && !NextBlock(pipeline))
            return;
        _hasBlock = false;
        try
        {
            WaitMs = Give(pipeline);
            _hasBlock = WaitMs > 0;
        }
        catch (Exception cause) when (IsOfDamage(cause))
        {
            var file = _files.Dequeue();
            Miss(cause is RecordingException ? cause.Message : "events are not as the recording describes them", file);
            file.Dispose();
        }
    }

    /// <summary>What the code that shows events does where somebody has made up what they look like: it looks beyond their end.</summary>
    internal static bool IsOfDamage(Exception cause) =>
        cause is RecordingException or ArgumentException or IndexOutOfRangeException or InvalidOperationException or OverflowException;

    public ulong Discard() => 0;

    public void ReportLosses(EventPipeline pipeline)
    {
    }

    public void Detach()
    {
    }

    public SourceCost? Cost() => null;

    public void Dispose() => Close();

    // Milliseconds until the next event is due.
    private int Give(EventPipeline pipeline)
    {
        while (!pipeline.IsComplete && _decoder.TryNext(out var item, out bool isNote))
        {
            if (isNote)
            {
                Take((NoteType)item[0], item[1..], pipeline);
                continue;
            }

            ulong timestamp = BinaryPrimitives.ReadUInt64LittleEndian(item[Events.Header.TimestampOffset..]);
            if (_range.Has(timestamp) && Events.TryFind(BinaryPrimitives.ReadUInt32LittleEndian(item[Events.Header.KindOffset..]), out _))
            {
                if (_range.Paced && MsUntil(timestamp) is var ms and > 0)
                {
                    _decoder.PutBack();
                    return ms;
                }

                pipeline.Deliver(item);
            }

            _names.Took();
        }

        return 0;
    }

    // The first event is due at once.
    private int MsUntil(ulong timestamp)
    {
        const int most = 1_000;
        long now = Environment.TickCount64;
        _pacedAt ??= (now, timestamp);
        return (int)Math.Min((((long)timestamp - (long)_pacedAt.Value.EventNs) / 1_000_000) - (now - _pacedAt.Value.NowMs), most);
    }

    private void Close()
    {
        _hasBlock = false;
        while (_files.TryDequeue(out var file))
            file.Dispose();
    }

    private bool IsRead(BlockHeader header) => header.Type switch
    {
        BlockType.Snapshot => SnapshotFound is not null,
        BlockType.End => true,
        BlockType.Events => _range.Meets(header),
        _ => false,
    };

    private bool NextBlock(EventPipeline pipeline)
    {
        while (_files.TryPeek(out var file))
        {
            while (file.TryRead(out var header, IsRead))
            {
                if (header.Type == BlockType.Snapshot)
                {
                    SnapshotFound?.Invoke(RecordedSnapshot.Read(file.Block.AsMemory(0, header.RawBytes)));
                    continue;
                }

                if (header.Type == BlockType.End)
                {
                    var (goesOn, lost) = DescriptionJson.ReadEnd(file.Block.AsSpan(0, header.RawBytes));
                    if (lost > 0 && _range.ToNs >= file.LastNs)
                        Lose(LossNote.NotRecorded, new LossCount(lost, []) { TimestampNs = (long)file.LastNs }, pipeline);
                    if (_files.Count == 1 && _wholeSet && goesOn)
                        Miss("the recording goes on in a next file, which is not there", file);
                    continue;
                }

                try
                {
                    _names.Clear();
                    _decoder.Begin(file.Block, header.RawBytes, header.Events);
                    return _hasBlock = true;
                }
                catch (RecordingException cause)
                {
                    Miss(cause.Message, file);
                    break;
                }
            }

            if (file.Missing is { } missing)
                Miss(missing, file);
            if (_notRecorded > 0)
                _message(LossNote.Missing(file.Name, _notRecorded));
            IsIncomplete |= _notRecorded > 0;
            _notRecorded = 0;
            _files.Dequeue().Dispose();
        }

        return false;
    }

    private void Miss(string what, RecordingReader file)
    {
        IsIncomplete = true;
        var (bootNs, realNs) = file.Description.Begun;
        string since = file.LastNs == 0 ? "no event of it is there"
            : $"what came after {ReplayRange.TimeText((long)file.LastNs - bootNs + realNs)} is missing";
        _message($"{what}; {since}");
    }

    private void Take(NoteType type, ReadOnlySpan<byte> note, EventPipeline pipeline)
    {
        if (type == NoteType.Budget)
        {
            if (BudgetNote.Read(note, LossNote.Word) is { } notice && _range.Has((ulong)notice.TimestampNs))
                pipeline.Tell(notice);
            return;
        }

        if (type != NoteType.Lost)
        {
            _names.Take(type, note);
            return;
        }

        var (key, count) = LossNote.Read(note);
        if (_range.Has((ulong)count.TimestampNs))
            Lose(key, count, pipeline);
    }

    private void Lose(LossKey key, LossCount count, EventPipeline pipeline)
    {
        if (key == LossNote.NotRecorded)
            _notRecorded += count.Count;
        pipeline.Lost(key, count);
    }
}
