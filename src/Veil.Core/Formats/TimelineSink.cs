// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Veil.Core.Events;
using Veil.Core.Events.Kinds;
using Veil.Core.Losses;
using Veil.Core.Recordings;

namespace Veil.Core.Formats;

/// <summary>Puts events on a time line of processes and threads. How that is written is the format's: what derives from this.</summary>
internal abstract class TimelineSink : IExportSink
{
    // A recording of more threads than any machine runs at once: from there on they get new lanes, so that memory stays bounded.
    private const int LanesMax = 100_000;

    private readonly SlicePlan[] _plans;
    private readonly ProcessorRuns?[] _runs;
    private readonly EventValue?[] _comms;
    private readonly Dictionary<ulong, ThreadLane> _threads = [];
    private readonly Dictionary<uint, ProcessLane> _processes = [];
    private Dictionary<uint, byte[]> _known = [];
    private ulong _lastId;
    private ulong _pending;

    protected TimelineSink(ExportInput input)
    {
        Header = input.Events.Header;
        _plans = [.. input.Events.Schemas.Select(schema => new SlicePlan(schema, input.Shown))];
        _runs = [.. input.Events.Schemas.Select(schema => ProcessorRuns.Of(schema, Header))];
        _comms = [.. input.Events.Schemas.Select(
            static schema => schema.Fields.FirstOrDefault(static field => field.Name == "comm" && field.Value.Is<CommKind>()).Value)];
        ValueBytesMax = _plans.Max(static plan => plan.BytesMax);
        EventBytesMax = _plans.Max(static plan => plan.Arguments.Sum(static argument => argument.BytesMax + 16) + plan.BytesMax);
    }

    /// <inheritdoc/>
    public ulong Delivered { get; private set; }

    /// <summary>Where records keep what all have.</summary>
    protected EventHeader Header { get; }

    /// <summary>An upper bound of what one value takes.</summary>
    protected int ValueBytesMax { get; }

    /// <summary>An upper bound of what all values of an event take, each with its name.</summary>
    protected int EventBytesMax { get; }

    /// <inheritdoc/>
    public virtual void Take(RecordedSnapshot snapshot) =>
        _known = snapshot.Processes.ToDictionary(
            static process => process.Key, static process => Encoding.UTF8.GetBytes(process.Value.Name));

    /// <inheritdoc/>
    public void Write(ref EventView view)
    {
        var record = view.Record;
        int index = view.Schema.Index;
        var plan = _plans[index];
        ulong time = BinaryPrimitives.ReadUInt64LittleEndian(record[Header.TimestampOffset..]);
        uint pid = BinaryPrimitives.ReadUInt32LittleEndian(record[Header.PidOffset..]);
        uint tid = BinaryPrimitives.ReadUInt32LittleEndian(record[Header.TidOffset..]);
        var thread = ThreadOf(pid, tid, _comms[index] is { } comm ? comm.RawText(ref view) : default, view.ProcName);
        if (_runs[index] is { } runs)
            WriteSwitch(thread, runs, time, ref view);
        else if (plan.DurationOf(record) is { } duration && duration <= time)
            WriteSlice(thread, plan, time - duration, time, !plan.IsOfThread || !thread.TryAdd(time - duration, time), ref view);
        else
            WriteInstant(thread, plan, time, ref view);
        _pending++;
    }

    /// <inheritdoc/>
    public bool Lost(LossKey key, LossCount lost)
    {
        WriteLoss(key, lost);
        return true;
    }

    /// <inheritdoc/>
    public abstract void Flush();

    /// <inheritdoc/>
    public abstract void End();

    /// <summary>The output has all that was written to it.</summary>
    protected void Deliver()
    {
        Delivered += _pending;
        _pending = 0;
    }

    /// <summary>The next free id.</summary>
    protected ulong NextId() => ++_lastId;

    /// <summary>The lane of a thread: it and its process are written where they are new, or have another name.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="tid">The thread.</param>
    /// <param name="name">The thread's name, any bytes.</param>
    /// <param name="processName">The process's, where it is known.</param>
    protected ThreadLane ThreadOf(uint pid, uint tid, scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> processName)
    {
        // The idle tasks, one a CPU, have one id.
        if (tid == 0)
            name = "swapper"u8;
        ulong key = (ulong)pid << 32 | tid;
        if (!_threads.TryGetValue(key, out var thread))
        {
            if (_threads.Count >= LanesMax)
            {
                _threads.Clear();
                _processes.Clear();
            }

            var process = ProcessOf(pid, pid == tid ? name : default, processName.IsEmpty ? name : processName);
            _threads[key] = thread = new ThreadLane(NextId(), process, tid) { Name = name.ToArray() };
            WriteThread(thread, Utf8Of(name));
        }
        else if (!name.SequenceEqual(thread.Name))
        {
            thread.Name = name.ToArray();
            WriteThread(thread, Utf8Of(name));
            if (pid == tid)
                Rename(thread.Process, Utf8Of(name));
        }

        return thread;
    }

    /// <summary>Writes a process that is new, or has another name.</summary>
    protected abstract void WriteProcess(ProcessLane process);

    /// <summary>Writes a thread that is new, or has another name.</summary>
    protected abstract void WriteThread(ThreadLane thread, byte[] name);

    /// <summary>Writes what took some time.</summary>
    /// <param name="thread">Its thread.</param>
    /// <param name="plan">What it is.</param>
    /// <param name="start">Nanoseconds since boot.</param>
    /// <param name="end">The same.</param>
    /// <param name="isApart">It cannot stand on the thread's lane, and gets one of its own.</param>
    /// <param name="view">The event.</param>
    protected abstract void WriteSlice(ThreadLane thread, SlicePlan plan, ulong start, ulong end, bool isApart, scoped ref EventView view);

    /// <summary>Writes what took none.</summary>
    protected abstract void WriteInstant(ThreadLane thread, SlicePlan plan, ulong time, scoped ref EventView view);

    /// <summary>Writes a switch from this thread to another.</summary>
    protected abstract void WriteSwitch(ThreadLane thread, ProcessorRuns runs, ulong time, scoped ref EventView view);

    /// <summary>Writes that events are missing.</summary>
    protected abstract void WriteLoss(LossKey key, LossCount lost);

    /// <summary>Bytes of a process as text: what is no UTF-8 becomes U+FFFD.</summary>
    protected static byte[] Utf8Of(scoped ReadOnlySpan<byte> bytes) =>
        Utf8.IsValid(bytes) ? bytes.ToArray() : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes));

    private ProcessLane ProcessOf(uint pid, scoped ReadOnlySpan<byte> mainThread, scoped ReadOnlySpan<byte> otherwise)
    {
        if (!_processes.TryGetValue(pid, out var process))
        {
            _processes[pid] = process = new ProcessLane(NextId(), pid);
            process.Name = !mainThread.IsEmpty ? Utf8Of(mainThread)
                : _known.TryGetValue(pid, out byte[]? known) ? known : Utf8Of(otherwise);
            WriteProcess(process);
        }
        else if (!mainThread.IsEmpty)
        {
            Rename(process, Utf8Of(mainThread));
        }

        return process;
    }

    private void Rename(ProcessLane process, byte[] name)
    {
        if (name.AsSpan().SequenceEqual(process.Name))
            return;
        process.Name = name;
        WriteProcess(process);
    }
}
