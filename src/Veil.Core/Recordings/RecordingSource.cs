// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
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
    private readonly RecordedNames _names = new();
    private readonly BlockDecoder _decoder;
    private readonly ReplayRange _range;
    private bool _hasBlock;

    /// <summary>Begins with the first file.</summary>
    /// <param name="files">At least one, in their order. Owned.</param>
    /// <param name="recorded">Their events.</param>
    /// <param name="events">Those of them that are given.</param>
    /// <param name="modules">Their modules, by their numbers.</param>
    /// <param name="range">What of them is given.</param>
    /// <param name="message">Takes a line about what is missing.</param>
    public RecordingSource(
        IReadOnlyList<RecordingReader> files, EventCatalog recorded, EventCatalog events, IReadOnlyList<TraceModule> modules, ReplayRange range,
        Action<string> message)
    {
        _files = new(files);
        _message = message;
        _range = range;
        Events = events;
        Modules = [.. modules.Select((module, number) => new TracedModule(module, files[0].Description.Modules[number].Hook, [], []))];
        _decoder = new BlockDecoder(recorded);
    }

    /// <summary>Could something not be read?</summary>
    public bool IsIncomplete { get; private set; }

    public EventCatalog Events { get; }

    public IReadOnlyList<TracedModule> Modules { get; }

    public IReadOnlyList<EventCounts> Counts => [];

    public EventNames? Names => _names;

    public RingUse? Rings => null;

    public IReadOnlyCollection<int> PollFds => [];

    public int WaitMs => 0;

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

        if (!_hasBlock && !NextBlock())
            return;
        _hasBlock = false;
        try
        {
            Give(pipeline);
        }
        catch (RecordingException cause)
        {
            var file = _files.Dequeue();
            Miss(cause.Message, file);
            file.Dispose();
        }
    }

    public ulong Discard() => 0;

    public void ReportLosses(EventPipeline pipeline)
    {
    }

    public void Detach()
    {
    }

    public SourceCost? Cost() => null;

    public void Dispose() => Close();

    private void Give(EventPipeline pipeline)
    {
        while (!pipeline.IsComplete && _decoder.TryNext(out var item, out bool isNote))
        {
            if (isNote)
            {
                Take((NoteType)item[0], item[1..], pipeline);
                continue;
            }

            if (Events.TryFind(BinaryPrimitives.ReadUInt32LittleEndian(item[Events.Header.KindOffset..]), out _)
                && _range.Has(BinaryPrimitives.ReadUInt64LittleEndian(item[Events.Header.TimestampOffset..])))
                pipeline.Deliver(item);
            _names.Took();
        }
    }

    private void Close()
    {
        _hasBlock = false;
        while (_files.TryDequeue(out var file))
            file.Dispose();
    }

    private bool NextBlock()
    {
        while (_files.TryPeek(out var file))
        {
            while (file.TryRead(out var header, header => header.Type == BlockType.Events && _range.Meets(header)))
            {
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
        const int wordBytes = sizeof(uint) + sizeof(ulong);
        if (type != NoteType.Lost)
        {
            _names.Take(type, note);
            return;
        }

        if (note.Length < sizeof(ulong))
            throw new RecordingException("a block is damaged: a note is cut off");
        ulong count = BinaryPrimitives.ReadUInt64LittleEndian(note);
        note = note[sizeof(ulong)..];
        string module = Encoding.UTF8.GetString(RecordedNames.TakeSized(ref note)), cause = Encoding.UTF8.GetString(RecordedNames.TakeSized(ref note));
        var users = new List<UserLoss>();
        for (; note.Length >= wordBytes; note = note[wordBytes..])
            users.Add(new(BinaryPrimitives.ReadUInt32LittleEndian(note), BinaryPrimitives.ReadUInt64LittleEndian(note[sizeof(uint)..])));
        pipeline.Lost(new(module, cause), new LossCount(count, users));
    }
}
