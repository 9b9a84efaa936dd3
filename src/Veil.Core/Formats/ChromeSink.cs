// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Veil.Core.Events;
using Veil.Core.Losses;
using Veil.Core.Output;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Core.Formats;

/// <summary>
/// Events as Chrome's trace events: complete ones (<c>X</c>) for what took time, instants (<c>i</c>), asynchronous pairs (<c>b e</c>) for
/// what would not nest. Times are microseconds since boot, with three digits behind the point, which are the nanoseconds.
/// </summary>
internal sealed class ChromeSink : TimelineSink
{
    // Above every process that Linux has (PID_MAX_LIMIT): the CPUs, as threads of a process.
    private const uint Processors = 4_194_305;

    private const int NamesBytesMax = 1_024;

    private readonly OutputBuffer _buffer;
    private readonly HashSet<uint> _processors = [];
    private bool _hasEvents;

    public ChromeSink(ExportInput input)
        : base(input)
    {
        string head = Head(input);
        _buffer = new OutputBuffer(input.Output, Math.Max(EventBytesMax + (2 * NamesBytesMax), Encoding.UTF8.GetByteCount(head)));
        var line = _buffer.BeginLine();
        line.Append(Encoding.UTF8.GetBytes(head));
        _buffer.EndNotice(line);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        _buffer.Flush();
        Deliver();
    }

    /// <inheritdoc/>
    public override void End()
    {
        var line = _buffer.BeginLine();
        line.Append("\n]}\n"u8);
        _buffer.EndNotice(line);
        Flush();
    }

    /// <inheritdoc/>
    protected override void WriteProcess(ProcessLane process) => Metadata("process_name"u8, process.Pid, 0, process.Name);

    /// <inheritdoc/>
    protected override void WriteThread(ThreadLane thread, byte[] name) => Metadata("thread_name"u8, thread.Process.Pid, thread.Tid, name);

    /// <inheritdoc/>
    protected override void WriteSlice(ThreadLane thread, SlicePlan plan, ulong start, ulong end, bool isApart, scoped ref EventView view)
    {
        var line = Begin();
        Head(ref line, isApart ? (byte)'b' : (byte)'X', thread.Process.Pid, thread.Tid, start);
        ulong id = isApart ? NextId() : 0;
        if (isApart)
            Id(ref line, id);
        else
            Microseconds(ref line, ",\"dur\":"u8, end - start);
        Rest(ref line, plan, withArguments: true, ref view);
        End(line);
        if (!isApart)
            return;
        line = Begin();
        Head(ref line, (byte)'e', thread.Process.Pid, thread.Tid, end);
        Id(ref line, id);
        Rest(ref line, plan, withArguments: false, ref view);
        End(line);
    }

    /// <inheritdoc/>
    protected override void WriteInstant(ThreadLane thread, SlicePlan plan, ulong time, scoped ref EventView view)
    {
        var line = Begin();
        Head(ref line, (byte)'i', thread.Process.Pid, thread.Tid, time);
        line.Append(",\"s\":\"t\""u8);
        Rest(ref line, plan, withArguments: true, ref view);
        End(line);
    }

    /// <inheritdoc/>
    protected override void WriteSwitch(ThreadLane thread, ProcessorRuns runs, ulong time, scoped ref EventView view)
    {
        if (runs.Take(ref view, out _) is not { } run)
            return;
        if (_processors.Count == 0)
            Metadata("process_name"u8, Processors, 0, "CPUs"u8);
        if (_processors.Add(run.Cpu))
            Metadata("thread_name"u8, Processors, run.Cpu, Encoding.UTF8.GetBytes($"CPU {run.Cpu}"));
        var line = Begin();
        Head(ref line, (byte)'X', Processors, run.Cpu, run.StartNs);
        Microseconds(ref line, ",\"dur\":"u8, run.EndNs - run.StartNs);
        line.Append(",\"cat\":\"scheduler\",\"name\":\""u8);
        Escaping.AppendJson(ref line, run.Name);
        line.Append("\",\"args\":{\"pid\":"u8);
        line.Append((ulong)run.Pid);
        line.Append(",\"tid\":"u8);
        line.Append((ulong)run.Tid);
        line.Append("}}"u8);
        End(line);
    }

    /// <inheritdoc/>
    protected override void WriteLoss(LossKey key, LossCount lost)
    {
        var line = Begin();
        Head(ref line, (byte)'i', 0, 0, (ulong)lost.TimestampNs);
        line.Append(Encoding.UTF8.GetBytes(
            $",\"s\":\"g\",\"cat\":\"losses\",\"name\":\"{lost.Count} events lost\"," +
            $"\"args\":{{\"module\":\"{key.Module}\",\"cause\":\"{key.Cause}\"}}}}"));
        End(line);
    }

    private static string Head(ExportInput input)
    {
        var about = input.Description;
        string[] facts =
        [
            $"\"veil\":{Quoted(about.Veil)}", $"\"host\":{Quoted(about.Host)}", $"\"kernel\":{Quoted(about.Kernel)}",
            $"\"command\":{Quoted(string.Join(' ', about.Command))}", $"\"boottime_ns\":\"{about.Started.BootNs}\"",
            $"\"realtime_ns\":\"{about.Started.RealNs}\"",
        ];
        return $"{{\"displayTimeUnit\":\"ns\",\"otherData\":{{{string.Join(',', facts)}}},\"traceEvents\":[\n";
    }

    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    private static void Head(ref LineWriter line, byte phase, ulong pid, ulong tid, ulong time)
    {
        line.Append("{\"ph\":\""u8);
        line.Append(phase);
        line.Append("\",\"pid\":"u8);
        line.Append(pid);
        line.Append(",\"tid\":"u8);
        line.Append(tid);
        Microseconds(ref line, ",\"ts\":"u8, time);
    }

    private static void Microseconds(ref LineWriter line, ReadOnlySpan<byte> key, ulong nanoseconds)
    {
        line.Append(key);
        line.Append(nanoseconds / 1_000);
        line.Append((byte)'.');
        line.AppendPadded((uint)(nanoseconds % 1_000), digits: 3);
    }

    private static void Id(ref LineWriter line, ulong id)
    {
        line.Append(",\"id\":\"0x"u8);
        line.AppendHex(id);
        line.Append((byte)'"');
    }

    private static void Rest(ref LineWriter line, SlicePlan plan, bool withArguments, scoped ref EventView view)
    {
        line.Append(",\"cat\":\""u8);
        line.Append(plan.Module);
        line.Append("\",\"name\":"u8);
        if (plan.Name is { } name)
        {
            int start = line.Length;
            name.WriteJson(ref line, ref view);
            // A name is text, whatever the value.
            if (line.Written[start] != '"')
            {
                line.Truncate(start);
                line.Append((byte)'"');
                name.WriteText(ref line, ref view);
                line.Append((byte)'"');
            }
        }
        else
        {
            line.Append((byte)'"');
            line.Append(plan.Module);
            line.Append((byte)'"');
        }

        if (withArguments)
        {
            line.Append(",\"args\":{"u8);
            int first = line.Length;
            foreach (ref readonly var argument in plan.Arguments.AsSpan())
            {
                int before = line.Length;
                line.Append(before == first ? "\""u8 : ",\""u8);
                line.Append(argument.Key);
                line.Append("\":"u8);
                int start = line.Length;
                JsonLine.Append(ref line, argument.Key, argument.Value, ref view);
                // What an event has not got only takes room.
                if (line.Written[start..].SequenceEqual("null"u8))
                    line.Truncate(before);
            }

            line.Append((byte)'}');
        }

        line.Append((byte)'}');
    }

    private LineWriter Begin()
    {
        var line = _buffer.BeginLine();
        if (_hasEvents)
            line.Append(",\n"u8);
        return line;
    }

    // Of an event that cannot be read to its end nothing is left.
    private void End(LineWriter line)
    {
        _hasEvents = true;
        _buffer.EndNotice(line);
    }

    private void Metadata(ReadOnlySpan<byte> what, ulong pid, ulong tid, ReadOnlySpan<byte> name)
    {
        var line = Begin();
        line.Append("{\"ph\":\"M\",\"name\":\""u8);
        line.Append(what);
        line.Append("\",\"pid\":"u8);
        line.Append(pid);
        line.Append(",\"tid\":"u8);
        line.Append(tid);
        line.Append(",\"args\":{\"name\":\""u8);
        Escaping.AppendJson(ref line, name);
        line.Append("\"}}"u8);
        End(line);
    }
}
