// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Veil.Core.Kernel;
using Veil.Core.Text;

namespace Veil.Core.Why;

/// <summary>Writes what was measured: a page of text, or one JSON object.</summary>
public static class WhyReport
{
    private const int RowsMax = 20;
    private const int ThreadsMax = 8;

    /// <summary>The page. Its shares are of the time of all threads.</summary>
    public static string Text(WhyFound found)
    {
        var text = new StringBuilder();
        ulong all = Total(found.Rows);
        int threads = found.Rows.Select(static row => row.Key.Tid).Distinct().Count();
        text.Append(CultureInfo.InvariantCulture, $"process {found.Pid}: {Seconds(found.DurationNs)}, {threads} thread");
        text.Append(threads == 1 ? "" : "s").Append(CultureInfo.InvariantCulture, $", {Seconds(all)} of thread time\n");
        AppendShares(text, found.Rows, found, "");
        AppendThreads(text, found.Rows, all);
        foreach (var peer in found.Peers.GroupBy(static row => row.Key.Pid).OrderBy(static peer => peer.Key))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{PeerName(found, peer.Key)} meanwhile ({Seconds(Total(peer))} of thread time):\n");
            AppendShares(text, [.. peer], found, "  ");
        }

        text.Append('\n').Append(Conclusion(found, all)).Append('\n');
        return text.ToString();
    }

    /// <summary>The object, with a newline.</summary>
    public static string Json(WhyFound found)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("pid", found.Pid);
            json.WriteNumber("duration_ns", found.DurationNs);
            json.WriteNumber("thread_time_ns", Total(found.Rows));
            json.WriteBoolean("ended", found.HasEnded);
            json.WriteNumber("lost_ns", found.LostNs);
            json.WriteNumber("lost_threads", found.LostTasks);
            WriteRows(json, "rows", found.Rows, found);
            WriteRows(json, "peers", found.Peers, found);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan) + "\n";
    }

    private static void WriteRows(Utf8JsonWriter json, string name, IReadOnlyList<WhyRow> rows, WhyFound found)
    {
        json.WriteStartArray(name);
        foreach (var row in rows.OrderByDescending(static row => row.Ns))
        {
            json.WriteStartObject();
            json.WriteNumber("pid", row.Key.Pid);
            json.WriteNumber("tid", row.Key.Tid);
            json.WriteString("state", StateName(row.Key.State));
            json.WriteNumber("ns", row.Ns);
            if (row.Key.Number >= 0)
                json.WriteString("syscall", CallName(row.Key));
            if (row.Object is { } what)
                json.WriteString("object", what);
            if (PeerOf(found, row) is { } peer)
                json.WriteNumber("peer_pid", peer);
            if (row.Key.State == WhyState.Runnable && row.Name.Length > 0)
            {
                json.WriteNumber("cpu_had_pid", row.Key.Other);
                json.WriteString("cpu_had_comm", row.Name);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static ulong Total(IEnumerable<WhyRow> rows) => rows.Aggregate(0UL, static (sum, row) => sum + row.Ns);

    private static void AppendShares(StringBuilder text, IReadOnlyList<WhyRow> rows, WhyFound found, string indent)
    {
        var lines = rows.GroupBy(row => Label(row, found), static row => row.Ns, StringComparer.Ordinal)
            .Select(static group => (Label: group.Key, Ns: group.Aggregate(0UL, static (sum, ns) => sum + ns)))
            .OrderByDescending(static line => line.Ns).ThenBy(static line => line.Label, StringComparer.Ordinal).ToList();
        if (lines.Count > RowsMax)
        {
            var rest = lines[(RowsMax - 1)..];
            lines.RemoveRange(RowsMax - 1, rest.Count);
            lines.Add(($"{rest.Count} others, each less", rest.Aggregate(0UL, static (sum, line) => sum + line.Ns)));
        }

        int[] tenths = Shares.Tenths([.. lines.Select(static line => line.Ns)]);
        for (int i = 0; i < lines.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"{indent}{tenths[i] / 10,5}.{tenths[i] % 10}%  {lines[i].Label}\n");
    }

    private static void AppendThreads(StringBuilder text, IReadOnlyList<WhyRow> rows, ulong all)
    {
        var threads = rows.GroupBy(static row => row.Key.Tid)
            .Select(static thread => (Tid: thread.Key, Ns: Total(thread), Cpu: Total(thread.Where(static row => row.Key.State <= WhyState.Kernel)),
                Name: thread.FirstOrDefault(static row => row.Key.State != WhyState.Runnable).Name ?? "?"))
            .OrderByDescending(static thread => thread.Cpu).ToList();
        if (threads.Count < 2 || all == 0)
            return;
        text.Append("\nthreads, the busiest first:\n");
        foreach (var thread in threads.Take(ThreadsMax))
            text.Append(
                CultureInfo.InvariantCulture,
                $"{100.0 * thread.Cpu / Math.Max(thread.Ns, 1),7:0.0}% of {Seconds(thread.Ns)} on CPU  {Escaping.ForColumn(thread.Name)} TID={thread.Tid}\n");
        if (threads.Count > ThreadsMax)
            text.Append(
                CultureInfo.InvariantCulture,
                $"and {threads.Count - ThreadsMax} more, together {Seconds(threads.Skip(ThreadsMax).Aggregate(0UL, static (sum, thread) => sum + thread.Cpu))} on CPU\n");
    }

    private static string Conclusion(WhyFound found, ulong all)
    {
        if (all == 0)
            return "Nothing was measured.";
        // The state that has most, then the largest line in it: a state of many small lines can be ahead of the largest line.
        var text = new StringBuilder();
        var state = found.Rows.GroupBy(static row => row.Key.State).MaxBy(static group => Total(group))!;
        var most = state.GroupBy(row => Label(row, found), StringComparer.Ordinal).MaxBy(static group => Total(group))!;
        text.Append(CultureInfo.InvariantCulture, $"Largest share: {StateText(state.Key)}, {100.0 * Total(state) / all:0.0}%");
        text.Append(CultureInfo.InvariantCulture, $"; its largest part, {100.0 * Total(most) / all:0.0}%: {most.Key}.");
        if (PeerOf(found, most.First()) is { } peer)
        {
            var rows = found.Peers.Where(row => row.Key.Pid == peer).ToList();
            if (rows.GroupBy(row => Label(row, found), StringComparer.Ordinal).MaxBy(static group => Total(group)) is { } other)
                text.Append(
                    CultureInfo.InvariantCulture,
                    $" {PeerName(found, peer)} was meanwhile, {100.0 * Total(other) / Total(rows):0.0}% of its time: {other.Key}.");
        }

        if (found.HasEnded)
            text.Append(" The process has ended.");
        if (found.LostNs + found.LostTasks > 0)
            text.Append(
                CultureInfo.InvariantCulture,
                $" Incomplete: {Seconds(found.LostNs)} and {found.LostTasks} threads found no room in the kernel's tables.");
        return text.ToString();
    }

    private static uint? PeerOf(WhyFound found, in WhyRow row) =>
        row.Object is { } what && what.IndexOf('<', StringComparison.Ordinal) is var at and >= 0 && found.PeerOf.TryGetValue(what[(at + 1)..^1], out uint peer)
            ? peer : null;

    private static string PeerName(WhyFound found, uint pid) =>
        found.Peers.FirstOrDefault(row => row.Key.Pid == pid && row.Key.State != WhyState.Runnable).Name is { } name
            ? $"{Escaping.ForColumn(name)} {pid}" : $"process {pid}";

    private static string Label(WhyRow row, WhyFound found) => row.Key.State switch
    {
        WhyState.User => "on CPU, in its own code",
        WhyState.Kernel => $"on CPU, in the kernel: {CallName(row.Key)}",
        WhyState.Runnable when row.Name.Length == 0 => "waiting for a CPU at the end: who has it is not known",
        WhyState.Runnable when row.Key.Other == 0 => "waiting for a CPU that was idle before: waking up",
        WhyState.Runnable => $"waiting for a CPU: {Escaping.ForColumn(row.Name)} {row.Key.Other} had it last",
        WhyState.Fault => "waiting uninterruptibly outside of calls: a page fault, as a rule",
        WhyState.Stopped => "stopped by a signal or a debugger",
        WhyState.Other => "waiting outside of calls: for what is not known",
        _ => Blocked(row, found),
    };

    private static string Blocked(in WhyRow row, WhyFound found)
    {
        string call = CallName(row.Key);
        string what = row.Object is { } name ? $"{call}({Escaping.ForColumn(name)})" : call;
        return call switch
        {
            _ when call.StartsWith("futex", StringComparison.Ordinal) =>
                $"waiting for a lock or condition: {call}(0x{row.Key.Argument.ToString("x", CultureInfo.InvariantCulture)})",
            "nanosleep" or "clock_nanosleep" or "pause" or "rt_sigsuspend" or "rt_sigtimedwait" => $"sleeping by its own wish: {call}",
            "epoll_wait" or "epoll_pwait" or "epoll_pwait2" or "poll" or "ppoll" or "select" or "pselect6" or "accept" or "accept4" =>
                $"idle, or waiting for others: {what}",
            _ when PeerOf(found, row) is { } peer => $"waiting in {what} for {PeerName(found, peer)}",
            _ => $"waiting in {what}",
        };
    }

    private static string CallName(in WhyKey key) => SyscallTable.For(key.Arch).NameUtf8(key.Number) is { Length: > 0 } name
        ? Encoding.UTF8.GetString(name) : key.Number < 0 ? "not in a call" : $"syscall_{key.Number.ToString(CultureInfo.InvariantCulture)}";

    private static string StateText(WhyState state) => state switch
    {
        WhyState.User => "on CPU in its own code",
        WhyState.Kernel => "on CPU in the kernel",
        WhyState.Runnable => "waiting for a CPU",
        WhyState.Blocked => "waiting in system calls",
        WhyState.Fault => "waiting uninterruptibly outside of calls",
        WhyState.Stopped => "stopped",
        _ => "waiting outside of calls",
    };

    private static string StateName(WhyState state) => state switch
    {
        WhyState.User => "user",
        WhyState.Kernel => "kernel",
        WhyState.Runnable => "runnable",
        WhyState.Blocked => "blocked",
        WhyState.Fault => "fault",
        WhyState.Stopped => "stopped",
        _ => "other",
    };

    private static string Seconds(ulong ns) => (ns / 1e9).ToString("0.000", CultureInfo.InvariantCulture) + " s";
}
