// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text;
using Veil.Bpf.Interop;
using Veil.Core.Kernel;

namespace Veil.Core.Stuck;

/// <summary>The children whose end a task waits for, by <c>/proc</c> (<c>CONFIG_PROC_CHILDREN</c>).</summary>
internal static class ChildWait
{
    /// <summary>The processes that it waits for, one of which is enough; empty where it waits for none.</summary>
    public static IReadOnlyList<uint> Of(scoped in StuckTask task)
    {
        if (!task.IsInCall)
            return [];
        string name = Encoding.UTF8.GetString(SyscallTable.For(task.Arch).NameUtf8(task.Number));
        long first = (int)task.Args[0], second = (int)task.Args[1];
        return name switch
        {
            "wait4" or "waitpid" => Of(task.Pid, first),
            "waitid" => first switch
            {
                0 => Of(task.Pid, -1), // P_ALL
                1 => Of(task.Pid, second), // P_PID
                2 => Of(task.Pid, -second), // P_PGID; 0 is its own
                _ => PidOf(task.Tid, (int)second), // P_PIDFD
            },
            // Who has made a child by vfork() sleeps in the call until the child has a memory of its own.
            "vfork" or "clone" or "clone3" => [.. Children(task.Pid, task.Tid).TakeLast(1)],
            _ => [],
        };
    }

    // As waitpid(2): -1 is any child, 0 one of its own group, else a process or, below 0, a group.
    private static IReadOnlyList<uint> Of(uint pid, long which)
    {
        string[] threads = KernelFile.Folders($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/task");
        var children = threads.SelectMany(thread => Children(pid, uint.Parse(thread, CultureInfo.InvariantCulture)));
        long group = which == 0 ? GroupOf(pid) : -which;
        return [.. which switch
        {
            > 0 => children.Where(child => child == which),
            -1 => children,
            _ => children.Where(child => GroupOf(child) == group),
        }];
    }

    private static IEnumerable<uint> Children(uint pid, uint tid)
    {
        string file = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task/{tid}/children");
        return (KernelFile.Text(file) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(static word => uint.Parse(word, CultureInfo.InvariantCulture));
    }

    // 812 (name) S ppid pgrp …; the name may have blanks and parentheses.
    private static long GroupOf(uint pid)
    {
        string stat = KernelFile.Text($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat") ?? "";
        string[] words = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 2 && long.TryParse(words[2], CultureInfo.InvariantCulture, out long group) ? group : -1;
    }

    // Pid:	7881
    private static IReadOnlyList<uint> PidOf(uint tid, int fd)
    {
        const string key = "Pid:";
        string? line = KernelFile.Lines(string.Create(CultureInfo.InvariantCulture, $"/proc/{tid}/fdinfo/{fd}"))
            .FirstOrDefault(static line => line.StartsWith(key, StringComparison.Ordinal));
        return line is not null && uint.TryParse(line.AsSpan(key.Length), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture,
            out uint pid) ? [pid] : [];
    }
}
