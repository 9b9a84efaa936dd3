// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Losses;
using Veil.Core.Recordings;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Comparing;

/// <summary>Makes a <see cref="Run"/> of the events of a recording.</summary>
internal sealed class RunSink : IEventSink
{
    private const int LineBytesMax = 2 * CallKind.LineBytesMax;
    private const int ExecutedMax = 256;

    private readonly EventHeader _header;
    private readonly TextTable _texts;
    private readonly EventText[] _kinds;
    private readonly ProcessLinks[] _links;
    private readonly CallMask _mask = new();
    private readonly Dictionary<uint, RunProcess> _byPid = [];
    private readonly Dictionary<uint, RunProcess> _parents = []; // by the id of a child that has no event yet
    private readonly Dictionary<(RunProcess Process, uint Tid), RunThread> _threads = [];
    private readonly byte[][] _room = [new byte[LineBytesMax], new byte[LineBytesMax], new byte[LineBytesMax], new byte[LineBytesMax]];
    private readonly List<RunProcess> _all = [];
    private ulong _beganNs;

    /// <summary>Chooses the fields.</summary>
    /// <param name="events">The events that come.</param>
    /// <param name="texts">Takes the texts.</param>
    public RunSink(EventCatalog events, TextTable texts)
    {
        _header = events.Header;
        _texts = texts;
        _kinds = [.. events.Schemas.Select(static schema => new EventText(schema))];
        _links = [.. events.Schemas.Select(static schema => new ProcessLinks(schema))];
    }

    /// <summary>What has come so far.</summary>
    public Run Run { get; } = new();

    /// <inheritdoc/>
    public ulong Delivered { get; private set; }

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        Delivered++;
        Run.Events++;
        var record = view.Record;
        ulong timestamp = BinaryPrimitives.ReadUInt64LittleEndian(record[_header.TimestampOffset..]);
        if (_beganNs == 0)
            _beganNs = timestamp;
        uint timeUs = (uint)Math.Min((timestamp - Math.Min(timestamp, _beganNs)) / 1000, uint.MaxValue);
        uint pid = BinaryPrimitives.ReadUInt32LittleEndian(record[_header.PidOffset..]);
        uint tid = BinaryPrimitives.ReadUInt32LittleEndian(record[_header.TidOffset..]);
        var process = ProcessOf(pid, timeUs, NameOf(record));
        var thread = ThreadOf(process, tid);
        string name = NameOf(record);
        thread.Name = name;
        if (tid == pid || process.Name.Length == 0)
            process.Name = name;

        var kind = _kinds[view.Schema.Index];
        LineWriter called = new(_room[0]), anchor = new(_room[1]), whole = new(_room[2]), shown = new(_room[3]);
        var traits = kind.Write(ref view, _mask, ref called, ref anchor, ref whole, ref shown);
        bool failed = traits.HasFlag(EventTraits.Failed);
        int callNumber = _texts.NumberOf(called.Written, called.Written, called.Written);
        process.Totals[callNumber] =
            process.Totals.GetValueOrDefault(callNumber) + new CallTotals(1, failed ? 1ul : 0, kind.DurationNs(record));
        Follow(process, _links[view.Schema.Index], record, called.Written, whole.Written);
        if (traits.HasFlag(EventTraits.OfTiming))
            return;
        if (!thread.Lanes.TryGetValue(kind.Lane, out var lane))
            thread.Lanes.Add(kind.Lane, lane = []);
        int wholeNumber = _texts.NumberOf(whole.Written, shown.Written, called.Written);
        if (traits.HasFlag(EventTraits.Flowing) && lane.Count > 0 && lane[^1].Whole == wholeNumber)
            return;
        lane.Add(new(
            callNumber, _texts.NumberOf(anchor.Written, anchor.Written, called.Written), wholeNumber, RunEvent.TimeOf(timeUs, failed)));
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost)
    {
        Run.Lost += lost.Count;
        return true;
    }

    /// <inheritdoc/>
    public void Flush()
    {
    }

    /// <inheritdoc/>
    public void End()
    {
        foreach (var process in _all)
        {
            if (process.Parent is { } parent)
                parent.Children.Add(process);
            else
                Run.Roots.Add(process);
        }

        Run.Processes = _all.Count;
    }

    private static string NameOf(ReadOnlySpan<byte> record)
    {
        const int commBytes = 16;
        var comm = record[..commBytes];
        int end = comm.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? comm : comm[..end]);
    }

    private RunProcess ProcessOf(uint pid, uint timeUs, string name)
    {
        if (_byPid.TryGetValue(pid, out var process))
            return process;
        process = new RunProcess(pid) { FirstUs = timeUs, FirstName = name };
        if (_parents.Remove(pid, out var parent))
            process.Parent = parent;
        _byPid[pid] = process;
        _all.Add(process);
        _mask.AddPid(pid);
        return process;
    }

    private RunThread ThreadOf(RunProcess process, uint tid)
    {
        if (_threads.TryGetValue((process, tid), out var thread))
            return thread;
        thread = new RunThread(tid);
        _threads[(process, tid)] = thread;
        process.Threads.Add(thread);
        _mask.AddPid(tid);
        return thread;
    }

    // Who is whose child, what is executed, who is gone.
    private void Follow(
        RunProcess process, ProcessLinks links, ReadOnlySpan<byte> record, ReadOnlySpan<byte> called, ReadOnlySpan<byte> whole)
    {
        if (process.Parent is null && links.TryGetParent(record, out uint above) && _byPid.TryGetValue(above, out var parent)
            && parent != process)
            process.Parent = parent;
        if (links.TryGetChild(record, called, out uint child))
            AddChild(process, child);
        else if (links.IsExec(record, called))
            process.Executed = Executed(whole);
        else if (links.IsExit(record, called))
            process.HasEnded = true;
    }

    private static string Executed(ReadOnlySpan<byte> whole) => Encoding.UTF8.GetString(whole[..Math.Min(whole.Length, ExecutedMax)]);

    // The child may have had events before the call of its parent came back. One that has a parent already is an older one of that id.
    private void AddChild(RunProcess parent, uint pid)
    {
        if (_byPid.TryGetValue(pid, out var child) && child == parent)
            return;
        if (child is { Parent: null } && child.FirstUs >= parent.FirstUs)
        {
            child.Parent = parent;
            return;
        }

        if (child is { HasEnded: false })
            return;
        _byPid.Remove(pid);
        _parents[pid] = parent;
    }
}
