// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Formats;

/// <summary>
/// Turns on CPUs out of switches. A recording has those of the threads that were chosen, and none of the tracer's, so a switch away is not
/// always of the thread that came before: then nobody knows when that one left, and there is no turn of it.
/// </summary>
internal sealed class ProcessorRuns
{
    private readonly EventHeader _header;
    private readonly EventValue _cpu;
    private readonly EventValue _nextPid;
    private readonly EventValue _nextTid;
    private readonly EventValue _nextName;
    private readonly EventValue _nextPriority;
    private readonly Dictionary<ulong, ProcessorRun> _running = [];

    private ProcessorRuns(
        EventHeader header, EventValue cpu, EventValue nextPid, EventValue nextTid, EventValue nextName, EventValue nextPriority) =>
        (_header, _cpu, _nextPid, _nextTid, _nextName, _nextPriority) = (header, cpu, nextPid, nextTid, nextName, nextPriority);

    /// <summary>Reads the switches of these events; null where they are none.</summary>
    public static ProcessorRuns? Of(EventSchema schema, EventHeader header) =>
        schema.Module == "scheduler" && Find(schema, "cpu") is { } cpu && Find(schema, "next_pid") is { } pid && Find(schema, "next_tid") is { } tid
        && Find(schema, "next_comm") is { } name && name.Is<CommKind>() && Find(schema, "next_prio") is { } priority
            ? new ProcessorRuns(header, cpu, pid, tid, name, priority) : null;

    /// <summary>The thread that a switch brings.</summary>
    public uint NextTid(scoped ref EventView view) => (uint)_nextTid.Unsigned(view.Record);

    /// <summary>Takes a switch; the turn that it ends, where its beginning is known.</summary>
    public ProcessorRun? Take(scoped ref EventView view)
    {
        ulong cpu = _cpu.Unsigned(view.Record), now = BinaryPrimitives.ReadUInt64LittleEndian(view.Record[_header.TimestampOffset..]);
        uint tid = BinaryPrimitives.ReadUInt32LittleEndian(view.Record[_header.TidOffset..]);
        var before = _running.GetValueOrDefault(cpu);
        _running[cpu] = new ProcessorRun(
            (uint)cpu, (uint)_nextPid.Unsigned(view.Record), NextTid(ref view), _nextName.RawText(ref view).ToArray(), now, now,
            _nextPriority.Signed(view.Record));
        return before is not null && before.Tid == tid && before.StartNs <= now && tid != 0 ? before with { EndNs = now } : null;
    }

    private static EventValue? Find(EventSchema schema, string name) => schema.Fields.FirstOrDefault(field => field.Name == name).Value;
}
