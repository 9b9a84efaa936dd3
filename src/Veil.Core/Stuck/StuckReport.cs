// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Veil.Bpf.Interop;
using Veil.Core.Calls;
using Veil.Core.Kernel;
using Veil.Core.Symbols;
using Veil.Core.Text;

namespace Veil.Core.Stuck;

/// <summary>Writes what a look found: text, or a JSON object in a line for each task.</summary>
/// <param name="options">How calls are shown, and in which form.</param>
/// <param name="columns">The width of the screen.</param>
/// <param name="onlyHanging">Only tasks that wait uninterruptibly, are frozen, or wait for a file system that others answer for.</param>
public sealed class StuckReport(CallOptions options, int columns, bool onlyHanging = false)
{
    private const string Indent = "    ";
    private const string Throttled = "waits for its cgroup's next share of CPU time (cpu.max)";
    private const int WatchedMax = 8, OwnersMax = 3;

    private readonly CallInput _input = new();
    private readonly DescriptorNames _descriptors = new();
    private readonly Lazy<KernelSymbols> _symbols = new(KernelSymbols.Read);
    private readonly byte[] _line = new byte[128 * 1024];
    private readonly Dictionary<uint, IReadOnlyList<LockWait>> _circles = []; // by their lowest threads
    private readonly Dictionary<ulong, bool> _isRemote = []; // whether a place in the kernel is of such a file system
    private readonly ArrayBufferWriter<byte> _json = new();

    /// <summary>Who has the other ends of descriptors.</summary>
    internal DescriptorEnds Ends { get; } = new();

    /// <summary>Appends a task.</summary>
    public void Append(StringBuilder text, scoped in StuckTask task, ReadOnlySpan<ulong> stack)
    {
        if (onlyHanging && !task.IsUninterruptible && !WaitsForFileSystem(stack))
            return;
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
            line.Append(Encoding.UTF8.GetBytes(Occupation(task)));
        text.Append(Encoding.UTF8.GetString(line.Written)).Append('\n');

        if (task.IsInCall && _input.Socket is { State: not null } socket)
            text.Append(Indent).Append(socket.State).Append(Queues(socket)).Append('\n');
        int[] watched = WatchedBy(task);
        if (watched.Length > 0)
        {
            uint tid = task.Tid;
            text.Append(Indent).Append("waits for ").AppendJoin(
                ", ", watched.Take(WatchedMax).Select(fd => _descriptors.TextOf(tid, fd)))
                .Append(watched.Length > WatchedMax ? $" and {watched.Length - WatchedMax} more\n" : "\n");
        }

        AppendOthers(text, task, watched);
        if (task.IsThrottled && task.IsInCall)
            text.Append(Indent).Append(Throttled).Append('\n');
        if (task.IsFrozen)
            text.Append(Indent).Append("frozen: it goes on when its cgroup is thawed, or the machine wakes up\n");
        if (LockOf(task) is { } wait)
        {
            line.Truncate(0);
            AppendHeld(ref line, wait);
            text.Append(Indent).Append(wait.Type == LockWait.Join ? "waits for " : "lock ").Append(Encoding.UTF8.GetString(line.Written))
                .Append('\n');
        }

        if (task.IsMemoryLocked)
            text.Append(Indent).Append("memory: its map is being changed or waited for; what arguments point to is not read\n");
        if (stack.Length > 0)
        {
            foreach (string row in WordWrap.Lines("kernel: " + string.Join(" < ", Names(stack)), columns - Indent.Length))
                text.Append(Indent).Append(row).Append('\n');
        }
    }

    /// <summary>Appends the deadlocks among the tasks: a line, or an object, for each circle of threads that wait for each other.</summary>
    public void AppendDeadlocks(StringBuilder text)
    {
        foreach (var circle in _circles.Values.OrderBy(static circle => circle[0].Tid))
        {
            if (options.IsJson)
                AppendDeadlockJson(text, circle);
            else
                AppendDeadlock(text, circle);
        }
    }

    private void AppendDeadlock(StringBuilder text, IReadOnlyList<LockWait> circle)
    {
        var line = new LineWriter(_line);
        line.Append("deadlock: "u8);
        AppendThread(ref line, circle[0].Tid);
        for (int at = 0; at < circle.Count; at++)
        {
            line.Append(at == 0 ? " waits for "u8 : ", which waits for "u8);
            AppendHeld(ref line, circle[at]);
        }

        text.Append(Encoding.UTF8.GetString(line.Written)).Append('\n');
    }

    private void AppendDeadlockJson(StringBuilder text, IReadOnlyList<LockWait> circle)
    {
        _json.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_json))
        {
            json.WriteStartObject();
            json.WriteStartArray("deadlock");
            foreach (var wait in circle)
            {
                json.WriteStartObject();
                json.WriteString("comm", CommOf(wait.Tid));
                json.WriteNumber("tid", wait.Tid);
                WriteLock(json, wait);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        text.Append(Encoding.UTF8.GetString(_json.WrittenSpan)).Append('\n');
    }

    private static void WriteLock(Utf8JsonWriter json, LockWait wait)
    {
        json.WriteString("address", "0x" + wait.Address.ToString("x", CultureInfo.InvariantCulture));
        json.WriteString("lock", wait.Type);
        if (wait.HasEnded)
            json.WriteNull("holder");
        else
            json.WriteString("holder", CommOf(wait.HolderTid));
        json.WriteNumber("holder_tid", wait.HolderTid);
        json.WriteBoolean("holder_ended", wait.HasEnded);
    }

    // Who would wake it, where /proc and the kernel's files tell.
    private void AppendOthers(StringBuilder text, scoped in StuckTask task, int[] watched)
    {
        if (!task.IsInCall || !TaskLook.ReadsArguments)
            return;
        var asked = watched.Length > 0 ? watched : _input.Descriptors;
        int shown = 0;
        foreach (int fd in asked)
        {
            var owners = Ends.Others(task.Pid, task.Tid, fd, _descriptors);
            if (owners.Count == 0 || shown++ == WatchedMax)
                continue;
            text.Append(Indent).Append(asked.Count == 1 ? "other end: " : $"other end of {fd}: ");
            AppendProcesses(text, owners);
        }

        if (FileLocks.Holders(task) is { Count: > 0 } holders)
            AppendProcesses(text.Append(Indent).Append("lock held by "), holders);
        if (ChildWait.Of(task) is { Count: > 0 } children)
            AppendProcesses(text.Append(Indent).Append(children.Count == 1 ? "waits for child " : "waits for a child: "), children);
    }

    private static void AppendProcesses(StringBuilder text, IReadOnlyList<uint> pids)
    {
        text.AppendJoin(", ", pids.Take(OwnersMax).Select(ProcessText));
        text.Append(pids.Count > OwnersMax ? $" and {pids.Count - OwnersMax} more\n" : "\n");
    }

    // 7880 (pwriter)
    private static string ProcessText(uint pid)
    {
        string comm = CommOf(pid);
        if (comm.Length == 0)
            return $"{pid}, which has ended";
        var line = new LineWriter(new byte[256]);
        Escaping.AppendText(ref line, Encoding.UTF8.GetBytes(comm));
        return $"{pid} ({Encoding.UTF8.GetString(line.Written)})";
    }

    private void WriteOthers(Utf8JsonWriter json, scoped in StuckTask task, int[] watched)
    {
        if (!task.IsInCall || !TaskLook.ReadsArguments)
            return;
        json.WriteStartArray("other_ends");
        foreach (int fd in watched.Length > 0 ? watched : _input.Descriptors)
        {
            foreach (uint pid in Ends.Others(task.Pid, task.Tid, fd, _descriptors))
            {
                json.WriteStartObject();
                json.WriteNumber("fd", fd);
                WriteProcess(json, pid);
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
        WriteProcesses(json, "file_lock_holders", FileLocks.Holders(task));
        WriteProcesses(json, "waits_for_children", ChildWait.Of(task));
    }

    private static void WriteProcesses(Utf8JsonWriter json, string name, IReadOnlyList<uint> pids)
    {
        if (pids.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (uint pid in pids)
        {
            json.WriteStartObject();
            WriteProcess(json, pid);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteProcess(Utf8JsonWriter json, uint pid)
    {
        json.WriteNumber("pid", pid);
        json.WriteString("comm", CommOf(pid));
    }

    private bool WaitsForFileSystem(ReadOnlySpan<ulong> stack)
    {
        foreach (ulong address in stack)
        {
            if (!_isRemote.TryGetValue(address, out bool isRemote))
                _isRemote.Add(address, isRemote = RemoteWait.IsPart(_symbols.Value.NameOf(address)));
            if (isRemote)
                return true;
        }

        return false;
    }

    // 0x7f12… held by 1202 (worker-2)
    private static void AppendHeld(ref LineWriter line, LockWait wait)
    {
        if (wait.Type == LockWait.Join)
        {
            line.Append("the end of "u8);
            AppendThread(ref line, wait.HolderTid);
            return;
        }

        line.Append("0x"u8);
        line.Append(Encoding.ASCII.GetBytes(wait.Address.ToString("x", CultureInfo.InvariantCulture)));
        line.Append(" held by "u8);
        if (wait.HasEnded)
        {
            line.Append((ulong)wait.HolderTid);
            line.Append(", which is no thread of this process: it has ended, or the lock was copied by fork()"u8);
            return;
        }

        AppendThread(ref line, wait.HolderTid);
    }

    private static void AppendThread(ref LineWriter line, uint tid)
    {
        line.Append((ulong)tid);
        line.Append(" ("u8);
        Escaping.AppendText(ref line, Encoding.UTF8.GetBytes(CommOf(tid)));
        line.Append((byte)')');
    }

    private static string CommOf(uint tid) =>
        Encoding.UTF8.GetString(KernelFile.Bytes($"/proc/{tid.ToString(CultureInfo.InvariantCulture)}/comm")).TrimEnd('\n');

    // The lock that it waits for, where the holder is known; a circle of such waits is kept.
    private LockWait? LockOf(scoped in StuckTask task)
    {
        if (!TaskLook.ReadsArguments || task.IsMemoryLocked || LockHolders.Of(task) is not { } wait)
            return null;
        if (LockHolders.Circle(task) is { Count: > 0 } circle)
            _circles.TryAdd(circle[0].Tid, circle);
        return wait;
    }

    // The descriptors in the set that a call waits on, which no argument of it says.
    private static int[] WatchedBy(scoped in StuckTask task)
    {
        if (!task.IsInCall || !TaskLook.ReadsArguments)
            return [];
        string name = Encoding.UTF8.GetString(SyscallTable.For(task.Arch).NameUtf8(task.Number));
        return name is "epoll_wait" or "epoll_pwait" or "epoll_pwait2" ? [.. DescriptorNames.WatchedBy(task.Tid, (int)task.Args[0])] : [];
    }

    private void AppendCall(ref LineWriter line, scoped in StuckTask task)
    {
        var call = _input.Read(task, options, _descriptors);
        CallText.AppendName(ref line, call);
        CallText.WriteArguments(ref line, call, options);
    }

    private static string Occupation(scoped in StuckTask task) => task switch
    {
        { IsOnCpu: true } => "runs",
        { IsKernelThread: true } => "kernel thread",
        { StateLetter: 'Z' } => Ended(task.Pid, task.Tid),
        { IsThrottled: true } => Throttled,
        { StateLetter: 'R' } => "waits for a CPU",
        _ => "in no system call",
    };

    // The parent can wait for a process only when all its threads have ended.
    private static string Ended(uint pid, uint tid)
    {
        int others = KernelFile.Folders($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/task").Length - 1;
        return pid != tid || others <= 0 ? "has ended; its parent has not waited for it"
            : $"its main thread has ended, {others} other thread{(others == 1 ? " runs" : "s run")}";
    }

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
            json.WriteBoolean("frozen", task.IsFrozen);
            json.WriteBoolean("throttled", task.IsThrottled);
            WriteCall(json, task);
            if (LockOf(task) is { } wait)
            {
                json.WriteStartObject("waits_for_lock");
                WriteLock(json, wait);
                json.WriteEndObject();
            }

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
        int[] watched = WatchedBy(task);
        if (watched.Length > 0)
        {
            json.WriteStartArray("waits_for");
            foreach (int fd in watched)
                json.WriteStringValue(_descriptors.TextOf(task.Tid, fd));
            json.WriteEndArray();
        }

        WriteOthers(json, task, watched);

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
