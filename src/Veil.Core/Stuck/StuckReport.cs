// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Text;
using System.Text.Json;
using Veil.Core.Calls;
using Veil.Core.Kernel;
using Veil.Core.Symbols;
using Veil.Core.Text;

namespace Veil.Core.Stuck;

/// <summary>Writes what a look found: text, or a JSON object in a line for each task.</summary>
/// <param name="options">How calls are shown, and in which form.</param>
/// <param name="columns">The width of the screen.</param>
public sealed class StuckReport(CallOptions options, int columns)
{
    private const string Indent = "    ";
    private const int WatchedMax = 8;

    private readonly CallInput _input = new();
    private readonly DescriptorNames _descriptors = new();
    private readonly Lazy<KernelSymbols> _symbols = new(KernelSymbols.Read);
    private readonly byte[] _line = new byte[128 * 1024];
    private readonly ArrayBufferWriter<byte> _json = new();

    /// <summary>Appends a task.</summary>
    public void Append(StringBuilder text, scoped in StuckTask task, ReadOnlySpan<ulong> stack)
    {
        if (options.IsJson)
            AppendJson(text, task, stack);
        else
            AppendText(text, task, stack);
    }

    private void AppendText(StringBuilder text, scoped in StuckTask task, ReadOnlySpan<ulong> stack)
    {
        var line = new LineWriter(_line);
        Escaping.AppendText(ref line, task.Name);
        Pair(ref line, " PID="u8, task.Pid);
        Pair(ref line, " TID="u8, task.Tid);
        Pair(ref line, " PPID="u8, task.Ppid);
        Pair(ref line, " UID="u8, task.Uid);
        line.Append(" state="u8);
        line.Append((byte)task.StateLetter);
        line.Append(" off_cpu="u8);
        if (task.OffCpuNs is { } offCpuNs)
            DurationText.Append(ref line, offCpuNs);
        else
            line.Append((byte)'?');
        line.Append((byte)' ');
        if (task.IsInCall)
            AppendCall(ref line, task);
        else
            line.Append(Occupation(task));
        text.Append(Encoding.UTF8.GetString(line.Written)).Append('\n');

        if (task.IsInCall && _input.Socket is { State: not null } socket)
            text.Append(Indent).Append(socket.State).Append(Queues(socket)).Append('\n');
        if (WatchedBy(task) is { Length: > 0 } watched)
            text.Append(Indent).Append("waits for ").AppendJoin(", ", watched.Take(WatchedMax)).Append(watched.Length > WatchedMax
                ? $" and {watched.Length - WatchedMax} more\n" : "\n");
        if (task.IsMemoryLocked)
            text.Append(Indent).Append("memory: its map is being changed or waited for; what arguments point to is not read\n");
        if (stack.Length > 0)
        {
            foreach (string row in WordWrap.Lines("kernel: " + string.Join(" < ", Names(stack)), columns - Indent.Length))
                text.Append(Indent).Append(row).Append('\n');
        }
    }

    // The descriptors in the set that a call waits on, which no argument of it says.
    private string[] WatchedBy(scoped in StuckTask task)
    {
        if (!task.IsInCall || !TaskLook.ReadsArguments)
            return [];
        string name = Encoding.UTF8.GetString(SyscallTable.For(task.Arch).NameUtf8(task.Number));
        return name is "epoll_wait" or "epoll_pwait" or "epoll_pwait2" ? [.. _descriptors.WatchedBy(task.Tid, (int)task.Args[0])] : [];
    }

    private void AppendCall(ref LineWriter line, scoped in StuckTask task)
    {
        var call = _input.Read(task, options, _descriptors);
        CallText.AppendName(ref line, call);
        CallText.WriteArguments(ref line, call, options);
    }

    private static ReadOnlySpan<byte> Occupation(scoped in StuckTask task) => task switch
    {
        { IsOnCpu: true } => "runs"u8,
        { IsKernelThread: true } => "kernel thread"u8,
        { StateLetter: 'Z' } => "has ended; its parent has not waited for it"u8,
        { StateLetter: 'R' } => "waits for a CPU"u8,
        _ => "in no system call"u8,
    };

    private void AppendJson(StringBuilder text, scoped in StuckTask task, ReadOnlySpan<ulong> stack)
    {
        _json.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_json))
        {
            json.WriteStartObject();
            json.WriteString("comm", Encoding.UTF8.GetString(task.Name));
            json.WriteNumber("pid", task.Pid);
            json.WriteNumber("tid", task.Tid);
            json.WriteNumber("ppid", task.Ppid);
            json.WriteNumber("uid", task.Uid);
            json.WriteString("state", [task.StateLetter]);
            json.WriteBoolean("on_cpu", task.IsOnCpu);
            if (task.OffCpuNs is { } offCpuNs)
                json.WriteNumber("off_cpu_ns", offCpuNs);
            else
                json.WriteNull("off_cpu_ns");
            json.WriteBoolean("memory_locked", task.IsMemoryLocked);
            WriteCall(json, task);
            json.WriteStartArray("kernel_stack");
            foreach (string name in Names(stack))
                json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        text.Append(Encoding.UTF8.GetString(_json.WrittenSpan)).Append('\n');
    }

    private void WriteCall(Utf8JsonWriter json, scoped in StuckTask task)
    {
        if (!task.IsInCall)
        {
            json.WriteNull("syscall");
            return;
        }

        var call = _input.Read(task, options, _descriptors);
        var line = new LineWriter(_line);
        CallText.AppendName(ref line, call);
        json.WriteString("syscall"u8, line.Written);
        json.WriteNumber("syscall_nr", task.Number);
        line.Truncate(0);
        CallText.WriteJson(ref line, call, options);
        json.WritePropertyName("args");
        json.WriteRawValue(line.Written);
        line.Truncate(0);
        line.Append((byte)'{');
        CallFacts.WriteDescriptors(ref line, call, options);
        line.Append((byte)'}');
        json.WritePropertyName("fds");
        json.WriteRawValue(line.Written);
        if (WatchedBy(task) is { Length: > 0 } watched)
        {
            json.WriteStartArray("waits_for");
            foreach (string one in watched)
                json.WriteStringValue(one);
            json.WriteEndArray();
        }

        if (_input.Socket is { State: not null } socket)
        {
            json.WriteStartObject("connection");
            json.WriteString("state", socket.State);
            json.WriteNumber("send_queue", socket.SendQueue);
            json.WriteNumber("receive_queue", socket.ReceiveQueue);
            json.WriteEndObject();
        }
    }

    // What every stack of a task that sleeps begins and ends with says nothing.
    private List<string> Names(ReadOnlySpan<ulong> stack)
    {
        var names = new List<string>();
        foreach (ulong address in stack)
        {
            string name = _symbols.Value.NameOf(address);
            if (name is "do_syscall_64" or "el0_svc_common" or "do_el0_svc")
                break;
            if (names.Count > 0 || name is not ("__schedule" or "schedule" or "__switch_to" or "context_switch"))
                names.Add(name);
        }

        return names;
    }

    private static string Queues(SocketTable.Socket socket) => socket.State == "LISTEN"
        ? $", {socket.ReceiveQueue} connections not accepted"
        : $", {socket.SendQueue} bytes not acknowledged, {socket.ReceiveQueue} not read";

    private static void Pair(ref LineWriter line, ReadOnlySpan<byte> name, uint value)
    {
        line.Append(name);
        line.Append((ulong)value);
    }
}
