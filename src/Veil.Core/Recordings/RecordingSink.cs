// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Budgets;
using Veil.Core.Cgroups;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Interop;
using Veil.Core.Losses;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Sinks;

namespace Veil.Core.Recordings;

/// <summary>
/// Records events as they came, with what was found out of them. A name stands in front of the first event of a block that needs it, and
/// again where it has changed.
/// </summary>
internal sealed class RecordingSink : IEventSink
{
    private const int BlockMsMax = 1_000;
    private const int LossOfUserBytes = sizeof(uint) + sizeof(ulong);
    private const int NotesBytesMax = 16 * 1024; // of one event: two paths, five names, a reason

    private static readonly byte[] s_losing = Encoding.UTF8.GetBytes(Recorder.Losing), s_notRecorded = Encoding.UTF8.GetBytes(LossCause.NotRecorded);

    private readonly RecordingWriter _writer;
    private readonly EventHeader _header;
    private readonly bool _process;
    private readonly bool _executable;
    private readonly bool _container;
    private readonly bool _why;
    private readonly Dictionary<uint, byte[]> _users = [];
    private readonly Dictionary<uint, byte[]> _processes = [];
    private readonly Dictionary<uint, byte[]> _executables = [];
    private readonly Dictionary<ulong, (byte[] Path, ContainerText? Container)> _cgroups = [];
    private readonly HashSet<ulong> _stacks = [];
    private readonly EventValue[][] _stackValues;
    private RawBlock? _block;
    private long? _clockNs;
    private uint? _lastUser;
    private readonly (string Text, EventFilter?[] ByEvent)[] _triggers;
    private readonly long _afterMs;
    private (long AtMs, string Why)? _due;
    private ulong _droppedTold;

    public RecordingSink(RecordingWriter writer, EventCatalog events, Enrichments enrichments, FlightOptions? flight = null)
    {
        _triggers = [.. (flight?.Triggers ?? []).Select(Trigger.Parse).Select(trigger => (trigger.Text, trigger.Of(events)))];
        _afterMs = (long)(flight?.After.TotalMilliseconds ?? 0);
        _writer = writer;
        _header = events.Header;
        _stackValues = [.. events.Schemas.Select(static schema => schema.Fields.Select(static field => field.Value).Where(static value => value.Is<StackKind>()).ToArray())];
        _process = enrichments.HasFlag(Enrichments.Proc);
        _executable = enrichments.HasFlag(Enrichments.Exe);
        _container = enrichments.HasFlag(Enrichments.Container);
        _why = enrichments.HasFlag(Enrichments.Why);
    }

    /// <summary>All that came: what had no room is counted by itself.</summary>
    public ulong Delivered { get; private set; }

    /// <summary>Events that there was no room for.</summary>
    public ulong Dropped { get; private set; }

    public void Write(ref EventView view)
    {
        Delivered++;
        var record = view.Record;
        var stacks = _stackValues[view.Schema.Index];
        if (Room(record.Length + NotesBytesMax + (stacks.Length * StackNote.BytesMax)) is not { } block)
        {
            Dropped++;
            return;
        }

        ulong timestamp = BinaryPrimitives.ReadUInt64LittleEndian(record[_header.TimestampOffset..]);
        NoteClock(block, view.WallTimeNs - (long)timestamp);
        uint uid = BinaryPrimitives.ReadUInt32LittleEndian(record[_header.UidOffset..]);
        if (uid != _lastUser)
            NoteName(block, NoteType.User, _users, uid, view.UserName);
        _lastUser = uid;
        if (_process)
            NoteName(
                block, NoteType.Process, _processes, BinaryPrimitives.ReadUInt32LittleEndian(record[_header.PidOffset..]), view.ProcName);
        if (_executable)
            NoteName(
                block, NoteType.Executable, _executables, BinaryPrimitives.ReadUInt32LittleEndian(record[_header.PidOffset..]),
                view.Executable);
        if (view.Schema.HasOrigin && BinaryPrimitives.ReadUInt64LittleEndian(record[view.Schema.CgroupOffset..]) is var cgroup and not 0)
            NoteCgroup(block, cgroup, view.Container);
        if (_why && view.Why.Length > 0)
            view.Why.CopyTo(block.AddNote(NoteType.Why, view.Why.Length));
        foreach (var stack in stacks)
            NoteStack(block, stack, ref view);
        block.AddRecord(record, timestamp);
        if (_triggers.Length > 0 && _due is null)
            Look(ref view);
    }

    public bool Lost(LossKey key, LossCount lost)
    {
        // The writer knows of these first.
        if (key == LossNote.NotRecorded)
            return true;
        if (key.Module == Recorder.Losing)
            _droppedTold += lost.Count;
        if (!TryNote(key, lost))
            _writer.AddUntold(lost.Count);
        return true;
    }

    private bool TryNote(LossKey key, LossCount lost)
    {
        byte[] module = Encoding.UTF8.GetBytes(key.Module), cause = Encoding.UTF8.GetBytes(key.Cause);
        int length = (2 * sizeof(ulong)) + Sized(module) + Sized(cause) + (lost.Users.Count * LossOfUserBytes);
        if (Room(length + NotesBytesMax) is not { } block)
            return false;
        NoteLoss(block, length, lost, module, cause);
        return true;
    }

    private static void NoteLoss(RawBlock block, int length, LossCount lost, byte[] module, byte[] cause)
    {
        var note = block.AddNote(NoteType.Lost, length);
        BinaryPrimitives.WriteUInt64LittleEndian(note, lost.Count);
        BinaryPrimitives.WriteInt64LittleEndian(note[sizeof(ulong)..], lost.TimestampNs);
        note = AppendSized(AppendSized(note[(2 * sizeof(ulong))..], module), cause);
        foreach (var user in lost.Users)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(note, user.Uid);
            BinaryPrimitives.WriteUInt64LittleEndian(note[sizeof(uint)..], user.Count);
            note = note[LossOfUserBytes..];
        }

        block.AddLost(lost.Count);
    }

    public bool Tell(BudgetNotice notice)
    {
        byte[] bytes = BudgetNote.Of(notice);
        if (Room(bytes.Length + NotesBytesMax) is { } block)
            bytes.CopyTo(block.AddNote(NoteType.Budget, bytes.Length));
        return true;
    }

    /// <summary>What is a second old goes to the file: somebody may end us at once.</summary>
    public void Flush()
    {
        if (_block is { Items: > 0 } block && Environment.TickCount64 - block.SinceMs >= BlockMsMax)
            HandOver();
        while (_writer.TryTakeRequest(out var request))
            Dump(request);
        if (_due is { } due && Environment.TickCount64 >= due.AtMs)
            DumpDue();
    }

    public void End()
    {
        if (_due is not null)
            DumpDue();
        HandOver();
        _writer.AddUntold(Dropped - _droppedTold);
        _writer.Finish();
    }

    private void Look(ref EventView view)
    {
        foreach (var (text, byEvent) in _triggers)
        {
            if (byEvent[view.Schema.Index] is not { } trigger || !trigger.Passes(ref view))
                continue;
            _due = (Environment.TickCount64 + _afterMs, text);
            return;
        }
    }

    private void DumpDue()
    {
        Dump(new DumpRequest(_due!.Value.Why));
        _due = null;
    }

    private void Dump(DumpRequest request)
    {
        HandOver();
        _writer.Hand(request);
    }

    private RawBlock? Room(int bytes)
    {
        if (_block?.HasRoom(bytes) == false)
            HandOver();
        if (_block is not null || (_block = _writer.TryTake()) is not { } block)
            return _block;
        // What could not be written before it is told of here.
        if (_writer.TakeUntold() is var untold and > 0)
            NoteLoss(
                block, (2 * sizeof(ulong)) + Sized(s_losing) + Sized(s_notRecorded), new LossCount(untold, []) { TimestampNs = LibC.NowNs(LibC.ClockBoottime) },
                s_losing, s_notRecorded);
        return block;
    }

    // A block stands alone: its names are told anew.
    private void HandOver()
    {
        if (_block is { Items: > 0 } block)
        {
            _block = null;
            _writer.Hand(block);
        }

        _users.Clear();
        _processes.Clear();
        _executables.Clear();
        _cgroups.Clear();
        _stacks.Clear();
        _clockNs = null;
        _lastUser = null;
    }

    private void NoteClock(RawBlock block, long distanceNs)
    {
        if (_clockNs == distanceNs)
            return;
        _clockNs = distanceNs;
        BinaryPrimitives.WriteInt64LittleEndian(block.AddNote(NoteType.Clock, sizeof(long)), distanceNs);
    }

    // What its frames are called is found out now: later the process may be gone.
    private void NoteStack(RawBlock block, EventValue value, scoped ref EventView view)
    {
        if (StackKind.Find(value, ref view) is not { } stack || !_stacks.Add(stack.Id))
            return;
        byte[] note = StackNote.Of(stack);
        note.CopyTo(block.AddNote(NoteType.Stack, note.Length));
    }

    private static void NoteName(RawBlock block, NoteType type, Dictionary<uint, byte[]> known, uint id, ReadOnlySpan<byte> name)
    {
        ref byte[]? told = ref CollectionsMarshal.GetValueRefOrAddDefault(known, id, out bool exists);
        if (exists && name.SequenceEqual(told))
            return;
        told = name.ToArray();
        var note = block.AddNote(type, sizeof(uint) + name.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(note, id);
        name.CopyTo(note[sizeof(uint)..]);
    }

    private void NoteCgroup(RawBlock block, ulong id, ContainerText? container)
    {
        var path = CgroupTree.Own.Find(id);
        ref var told = ref CollectionsMarshal.GetValueRefOrAddDefault(_cgroups, id, out bool exists);
        if (!exists || !path.SequenceEqual(told.Path))
        {
            told.Path = path.ToArray();
            var note = block.AddNote(NoteType.Cgroup, sizeof(ulong) + path.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(note, id);
            path.CopyTo(note[sizeof(ulong)..]);
        }

        if (!_container || ReferenceEquals(told.Container, container))
            return;
        told.Container = container;
        if (container is null)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(block.AddNote(NoteType.Container, sizeof(ulong)), id);
            return;
        }

        int length = sizeof(ulong) + Sized(container.Name) + Sized(container.Pod) + Sized(container.PodNamespace) + Sized(container.Image)
            + Sized(container.Id);
        var names = block.AddNote(NoteType.Container, length);
        BinaryPrimitives.WriteUInt64LittleEndian(names, id);
        names = AppendSized(AppendSized(names[sizeof(ulong)..], container.Name), container.Pod);
        _ = AppendSized(AppendSized(AppendSized(names, container.PodNamespace), container.Image), container.Id);
    }

    private static int Sized(ReadOnlySpan<byte> text) => sizeof(ushort) + text.Length;

    private static Span<byte> AppendSized(Span<byte> note, ReadOnlySpan<byte> text)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(note, (ushort)text.Length);
        text.CopyTo(note[sizeof(ushort)..]);
        return note[(sizeof(ushort) + text.Length)..];
    }
}
