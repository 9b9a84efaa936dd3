// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Events;
using Veil.Core.Export;
using Veil.Core.Kernel;
using Veil.Core.Losses;
using Veil.Core.Output;
using Veil.Core.Recordings;
using Veil.Core.Text;

namespace Veil.Core.Formats;

/// <summary>
/// Writes <c>perfetto.protos.TracePacket</c>s, all of one sequence. Times are CLOCK_BOOTTIME, as in records. A slice is two packets, once
/// it has ended: Perfetto sorts by time. Why scheduling is task states and no ftrace events: docs/adr/0037.
/// </summary>
internal sealed class PerfettoSink : TimelineSink
{
    private const int PacketField = 1; // Trace

    // TracePacket
    private const int ProcessTreeField = 2;
    private const int ClockSnapshotField = 6;
    private const int TimestampField = 8;
    private const int SequenceIdField = 10;
    private const int TrackEventField = 11;
    private const int InternedDataField = 12;
    private const int SequenceFlagsField = 13;
    private const int SystemInfoField = 45;
    private const int DefaultsField = 59;
    private const int TrackDescriptorField = 60;
    private const int FirstOnSequenceField = 87;
    private const int TaskStateField = 117;

    // TracePacketDefaults
    private const int ClockIdField = 58;

    // SequenceFlags
    private const ulong StateCleared = 1;
    private const ulong NeedsState = 2;

    // BuiltinClock
    private const ulong RealTime = 1;
    private const ulong BootTime = 6;

    // TrackEvent
    private const int CategoryField = 3;
    private const int ArgumentsField = 4;
    private const int TypeField = 9;
    private const int NameNumberField = 10;
    private const int TrackField = 11;
    private const int EventNameField = 23;
    private const int CounterValueField = 30;
    private const int FlowField = 47;
    private const int FlowEndField = 48;

    // TrackEvent.Type
    private const ulong SliceBegin = 1;
    private const ulong SliceEnd = 2;
    private const ulong Instant = 3;
    private const ulong Counter = 4;

    // CounterDescriptor.Unit
    private const ulong Nanoseconds = 1;
    private const ulong Events = 2;

    // GenericKernelTaskStateEvent.TaskStateEnum
    private const ulong Runnable = 2;
    private const ulong Running = 3;
    private const ulong Sleeping = 4;
    private const ulong DiskSleeping = 5;
    private const ulong Stopped = 6;
    private const ulong Dead = 7;
    private const ulong Destroyed = 8;

    private const ulong Sequence = 1;
    private const int BatchBytes = 128 * 1024;
    private const int ChildrenMax = 65_536;

    private readonly IOutput _output;
    private readonly ProtoBuffer _packets = new(BatchBytes + 4096);
    private readonly ProtoBuffer _body = new(4096);
    private readonly PerfettoNames _names = new();
    private readonly PerfettoArguments _arguments;
    private readonly Dictionary<SlicePlan, PerfettoArgument[]> _argumentsOf = [];
    private readonly Dictionary<uint, ulong> _children = [];
    private readonly Dictionary<uint, ulong> _waits = [];
    private readonly Dictionary<uint, ulong> _left = [];
    private readonly byte[] _value;
    private ulong _losses;
    private ulong _lossMoments;
    private ulong _lost;
    private ulong _lastNs;
    private ulong _flow;

    public PerfettoSink(ExportInput input)
        : base(input)
    {
        _output = input.Output;
        _arguments = new PerfettoArguments(_names);
        _value = new byte[ValueBytesMax];
        var about = input.Description;
        _lastNs = (ulong)about.Started.BootNs;
        Clocks(about);
        System(about);
    }

    /// <inheritdoc/>
    public override void Take(RecordedSnapshot snapshot)
    {
        const int process = 1, pid = 1, parent = 2, commandLine = 3, uid = 5, isName = 9;
        base.Take(snapshot);
        _body.Truncate(0);
        foreach (var one in snapshot.Processes.Values.OrderBy(static one => one.Pid))
        {
            int message = _body.BeginMessage(process);
            _body.Number(pid, one.Pid);
            _body.Number(parent, one.ParentPid);
            _body.Bytes(commandLine, Encoding.UTF8.GetBytes(one.Name));
            _body.Number(isName, 1);
            _body.Number(uid, one.Uid);
            _body.EndMessage(message);
        }

        if (_body.Length > 0)
            Packet(ProcessTreeField, _lastNs);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        if (_packets.Length > 0)
            _output.Write(_packets.Written);
        _packets.Truncate(0);
        Deliver();
    }

    /// <inheritdoc/>
    public override void End() => Flush();

    /// <inheritdoc/>
    protected override void WriteProcess(ProcessLane process)
    {
        const int processField = 3, pid = 1, name = 6;
        BeginTrack(process.Id);
        int message = _body.BeginMessage(processField);
        _body.Number(pid, process.Pid);
        if (process.Name.Length > 0)
            _body.Bytes(name, process.Name);
        _body.EndMessage(message);
        Packet(TrackDescriptorField, null);
    }

    /// <inheritdoc/>
    protected override void WriteThread(ThreadLane thread, byte[] name)
    {
        const int threadField = 4, pidField = 1, tidField = 2, nameField = 5;
        BeginTrack(thread.Id, thread.Process.Id);
        int message = _body.BeginMessage(threadField);
        _body.Number(pidField, thread.Process.Pid);
        _body.Number(tidField, thread.Tid);
        if (name.Length > 0)
            _body.Bytes(nameField, name);
        _body.EndMessage(message);
        Packet(TrackDescriptorField, null);
    }

    /// <inheritdoc/>
    protected override void WriteSlice(ThreadLane thread, SlicePlan plan, ulong start, ulong end, bool isApart, scoped ref EventView view)
    {
        ulong track = thread.Id;
        if (isApart)
        {
            track = NextId();
            BeginTrack(track, plan.IsOfThread ? thread.Id : thread.Process.Id, plan.Module);
            Packet(TrackDescriptorField, null);
        }

        BeginEvent(SliceBegin, track);
        Describe(thread, plan, ref view);
        Packet(TrackEventField, start);
        BeginEvent(SliceEnd, track);
        Packet(TrackEventField, end);
    }

    /// <inheritdoc/>
    protected override void WriteInstant(ThreadLane thread, SlicePlan plan, ulong time, scoped ref EventView view)
    {
        BeginEvent(Instant, thread.Id);
        Describe(thread, plan, ref view);
        Packet(TrackEventField, time);
    }

    /// <inheritdoc/>
    protected override void WriteSwitch(ThreadLane thread, ProcessorRuns runs, ulong time, scoped ref EventView view)
    {
        ulong state = StateOf(runs.State(ref view));
        if (runs.Take(ref view, out var next) is { } run)
            TaskState(run.StartNs, Running, run.Tid, thread.Name, run.Priority, run.Cpu);
        if (thread.Tid != 0 && state != 0)
        {
            // The CPU says which turn it ends.
            TaskState(time, state, thread.Tid, thread.Name, cpu: next.Cpu);
            // Else a later thread with that id would be taken for this one.
            if (state == Dead)
                TaskState(time, Destroyed, thread.Tid, thread.Name);
            if (_left.Count >= ChildrenMax)
                _left.Clear();
            _left[thread.Tid] = time;
        }

        if (next.Tid == 0)
            return;
        ThreadOf(next.Pid, next.Tid, next.Name, default);
        if (runs.Wait(ref view) is not { } wait || wait > time)
            return;
        // What was preempted has been runnable since it left; what was woken before it left is no sleeper.
        if (time - wait > _left.GetValueOrDefault(next.Tid) && wait > 0)
            TaskState(time - wait, Runnable, next.Tid, next.Name);
        Count(time, WaitTrack(next.Cpu), wait);
    }

    /// <inheritdoc/>
    protected override void WriteLoss(LossKey key, LossCount lost)
    {
        const string name = "lost events";
        if (_losses == 0)
        {
            _losses = NextId();
            BeginTrack(_losses, 0, Encoding.UTF8.GetBytes(name));
            CounterUnit(Events);
            Packet(TrackDescriptorField, null);
            _lossMoments = NextId();
            BeginTrack(_lossMoments, 0, Encoding.UTF8.GetBytes($"{name}, by cause"));
            Packet(TrackDescriptorField, null);
        }

        _lost += lost.Count;
        ulong time = (ulong)lost.TimestampNs;
        Count(time, _losses, _lost);
        BeginEvent(Instant, _lossMoments);
        _body.Bytes(EventNameField, Encoding.UTF8.GetBytes($"{lost.Count} events lost"));
        Argument("module"u8, Encoding.UTF8.GetBytes($"\"{key.Module}\""));
        Argument("cause"u8, Encoding.UTF8.GetBytes($"\"{key.Cause}\""));
        Packet(TrackEventField, time);
    }

    private static ulong StateOf(ReadOnlySpan<byte> state) => state switch
    {
        _ when state.SequenceEqual("RUNNING"u8) => Runnable,
        _ when state.SequenceEqual("SLEEPING"u8) || state.SequenceEqual("IDLE"u8) => Sleeping,
        _ when state.SequenceEqual("DISK_SLEEP"u8) => DiskSleeping,
        _ when state.SequenceEqual("STOPPED"u8) || state.SequenceEqual("TRACED"u8) || state.SequenceEqual("PARKED"u8) => Stopped,
        _ when state.SequenceEqual("DEAD"u8) || state.SequenceEqual("EXIT_DEAD"u8) || state.SequenceEqual("ZOMBIE"u8) => Dead,
        _ => 0,
    };

    private void Clocks(RecordingDescription about)
    {
        const int clocks = 1, id = 1, timestamp = 2, primary = 2;
        _body.Truncate(0);
        foreach (var (clock, now) in new[] { (BootTime, about.Started.BootNs), (RealTime, about.Started.RealNs) })
        {
            int message = _body.BeginMessage(clocks);
            _body.Number(id, clock);
            _body.Number(timestamp, (ulong)now);
            _body.EndMessage(message);
        }

        _body.Number(primary, BootTime);
        int packet = _packets.BeginMessage(PacketField);
        _packets.Number(TimestampField, (ulong)about.Started.BootNs);
        _packets.Number(SequenceIdField, Sequence);
        _packets.Number(SequenceFlagsField, StateCleared | NeedsState);
        _packets.Number(FirstOnSequenceField, 1);
        int defaults = _packets.BeginMessage(DefaultsField);
        _packets.Number(ClockIdField, BootTime);
        _packets.EndMessage(defaults);
        _packets.Bytes(ClockSnapshotField, _body.Written);
        _packets.EndMessage(packet);
    }

    private void System(RecordingDescription about)
    {
        const int names = 1, system = 1, release = 3, machine = 4;
        _body.Truncate(0);
        int message = _body.BeginMessage(names);
        _body.Bytes(system, "Linux"u8);
        _body.Bytes(release, Encoding.UTF8.GetBytes(about.Kernel));
        _body.Bytes(machine, Encoding.UTF8.GetBytes(SyscallTable.For(about.Machine).ArchName));
        _body.EndMessage(message);
        Packet(SystemInfoField, null);
    }

    private void BeginTrack(ulong id, ulong parent = 0, ReadOnlySpan<byte> name = default)
    {
        const int idField = 1, nameField = 2, parentField = 5;
        _body.Truncate(0);
        _body.Number(idField, id);
        if (!name.IsEmpty)
            _body.Bytes(nameField, name);
        if (parent != 0)
            _body.Number(parentField, parent);
    }

    private void CounterUnit(ulong unit)
    {
        const int counterField = 8, unitField = 3;
        int message = _body.BeginMessage(counterField);
        _body.Number(unitField, unit);
        _body.EndMessage(message);
    }

    private void BeginEvent(ulong type, ulong track)
    {
        _body.Truncate(0);
        _body.Number(TypeField, type);
        _body.Number(TrackField, track);
    }

    // Name, category, arguments, and from whom to whom it leads.
    private void Describe(ThreadLane thread, SlicePlan plan, scoped ref EventView view)
    {
        _body.Number(CategoryField, _names.Of(PerfettoNames.Categories, plan.Module));
        var line = new LineWriter(_value);
        if (plan.Name is { } name)
            name.WriteText(ref line, ref view);
        var text = plan.Name is null ? plan.Module : line.Written;
        if (_names.Of(PerfettoNames.Events, text) is var number and not 0)
            _body.Number(NameNumberField, number);
        else
            _body.Bytes(EventNameField, text);
        if (_children.Count > 0 && _children.Remove(thread.Tid, out ulong flow))
            _body.Fixed64(FlowEndField, flow);
        if (plan.Child is { } child && (uint)child.Unsigned(view.Record) is var tid and not (0 or uint.MaxValue)
            && _children.Count < ChildrenMax)
            _body.Fixed64(FlowField, _children[tid] = ++_flow);
        if (!_argumentsOf.TryGetValue(plan, out var arguments))
            _argumentsOf[plan] =
                arguments = [.. plan.Arguments.Select(argument => new PerfettoArgument(_names.Of(PerfettoNames.Arguments, argument.Key)))];
        for (int i = 0; i < arguments.Length; i++)
        {
            line.Truncate(0);
            plan.Arguments[i].Value.WriteJson(ref line, ref view);
            if (arguments[i].Is(line.Written))
            {
                _body.Append(arguments[i].Encoded);
                continue;
            }

            int start = _body.Length;
            _arguments.Add(_body, ArgumentsField, arguments[i].Name, line.Written);
            arguments[i].Remember(line.Written, _body.Written[start..]);
        }
    }

    private void Argument(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json) =>
        _arguments.Add(_body, ArgumentsField, _names.Of(PerfettoNames.Arguments, name), json);

    private void Count(ulong time, ulong track, ulong value)
    {
        BeginEvent(Counter, track);
        _body.Number(CounterValueField, value);
        Packet(TrackEventField, time);
    }

    private ulong WaitTrack(uint cpu)
    {
        if (!_waits.TryGetValue(cpu, out ulong track))
        {
            _waits[cpu] = track = NextId();
            BeginTrack(track, 0, Encoding.UTF8.GetBytes($"wait for CPU {cpu}"));
            CounterUnit(Nanoseconds);
            Packet(TrackDescriptorField, null);
        }

        return track;
    }

    private void TaskState(ulong time, ulong state, uint tid, byte[] name, long? priority = null, uint? cpu = null)
    {
        const int cpuField = 1, nameField = 2, tidField = 3, stateField = 4, priorityField = 5;
        _body.Truncate(0);
        if (cpu is { } of)
            _body.Number(cpuField, of);
        _body.Bytes(nameField, Utf8Of(name));
        _body.Number(tidField, tid);
        _body.Number(stateField, state);
        if (priority is { } urgent)
            _body.Number(priorityField, (ulong)urgent);
        Packet(TaskStateField, time);
    }

    // The body with what all packets have, and the texts that are new in it.
    private void Packet(int field, ulong? time)
    {
        int packet = _packets.BeginMessage(PacketField);
        if (time is { } known)
            _packets.Number(TimestampField, _lastNs = known);
        _packets.Number(SequenceIdField, Sequence);
        _packets.Number(SequenceFlagsField, NeedsState);
        if (!_names.New.IsEmpty)
        {
            _packets.Bytes(InternedDataField, _names.New);
            _names.Told();
        }

        _packets.Bytes(field, _body.Written);
        _packets.EndMessage(packet);
        if (_packets.Length < BatchBytes)
            return;
        _output.Write(_packets.Written);
        _packets.Truncate(0);
    }
}
