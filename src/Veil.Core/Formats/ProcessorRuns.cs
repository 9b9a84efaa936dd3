// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using Veil.Core.Events;

namespace Veil.Core.Formats;

/// <summary>
/// Turns on CPUs out of switches. A recording has those of the threads that were chosen, and none of the tracer's, so a switch away is not
/// always of the thread that came before: then nobody knows when that one left, and there is no turn of it.
/// </summary>
internal sealed class ProcessorRuns
{
    private static readonly string[] s_needed = ["cpu", "prev_state", "next_pid", "next_tid", "next_comm", "next_prio"];

    private readonly EventHeader _header;
    private readonly EventValue _cpu;
    private readonly EventValue _state;
    private readonly EventValue _nextPid;
    private readonly EventValue _nextTid;
    private readonly EventValue _nextName;
    private readonly EventValue _nextPriority;
    private readonly EventValue? _wait;
    private readonly Dictionary<ulong, ProcessorRun> _running = [];

    private ProcessorRuns(EventSchema schema, EventHeader header)
    {
        _header = header;
        _cpu = Find(schema, "cpu")!;
        _state = Find(schema, "prev_state")!;
        _nextPid = Find(schema, "next_pid")!;
        _nextTid = Find(schema, "next_tid")!;
        _nextName = Find(schema, "next_comm")!;
        _nextPriority = Find(schema, "next_prio")!;
        _wait = Find(schema, "wait_ns");
    }

    /// <summary>Reads the switches of these events; null where they are none.</summary>
    public static ProcessorRuns? Of(EventSchema schema, EventHeader header) =>
        schema.Module == "scheduler"
        && s_needed.All(name => Find(schema, name) is not null)
            ? new ProcessorRuns(schema, header) : null;

    /// <summary>Takes a switch.</summary>
    /// <param name="view">The switch.</param>
    /// <param name="next">The turn that it begins.</param>
    /// <returns>The turn that it ends, where its beginning is known.</returns>
    public ProcessorRun? Take(scoped ref EventView view, out ProcessorRun next)
    {
        ulong cpu = _cpu.Unsigned(view.Record), now = BinaryPrimitives.ReadUInt64LittleEndian(view.Record[_header.TimestampOffset..]);
        uint tid = BinaryPrimitives.ReadUInt32LittleEndian(view.Record[_header.TidOffset..]);
        var before = _running.GetValueOrDefault(cpu);
        _running[cpu] = next = new ProcessorRun(
            (uint)cpu, (uint)_nextPid.Unsigned(view.Record), (uint)_nextTid.Unsigned(view.Record), _nextName.RawText(ref view).ToArray(),
            now, now, _nextPriority.Signed(view.Record));
        return before is not null && before.Tid == tid && before.StartNs <= now && tid != 0 ? before with { EndNs = now } : null;
    }

    /// <summary>What the thread that leaves goes on as: the enumerator of the module's program.</summary>
    public ReadOnlySpan<byte> State(scoped ref EventView view) =>
        _state.Unsigned(view.Record) is var state && state < (ulong)_state.Names.Length ? _state.Names[state] : default;

    /// <summary>How long the thread that comes has waited; nothing where that is not known.</summary>
    public ulong? Wait(scoped ref EventView view) => _wait?.Unsigned(view.Record) is { } wait && wait != ulong.MaxValue ? wait : null;

    private static EventValue? Find(EventSchema schema, string name) => schema.Fields.FirstOrDefault(field => field.Name == name).Value;
}
