// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using Veil.Bench.Processes;

namespace Veil.Bench.Scenarios;

/// <summary>A table for each module but syscall: its own work, nothing and an empty program on the same hook, veil, and the nearest
/// peer.</summary>
internal sealed class ModuleScenarios(Programs programs, IReadOnlyList<string> cgroups)
{
    internal const string VeilRow = "veil";
    internal const string LatencyRow = "veil, --latency";
    internal const string EmptyRow = "empty program";
    internal const string BpftraceRow = "bpftrace, printf";
    internal const string Arguments = "arguments";
    internal const string Spawns = "process";
    internal const string WithoutDescriptors = "veil, --args, --fds none";
    internal const string WithDescriptors = "veil, --args";
    internal const string WithDescriptorsAsJson = "veil, --args, JSON";
    internal const string Scope = "scope";
    internal const string OutsideScope = "veil, 100 other cgroups allowed";
    internal const string InsideScope = "veil, 100 cgroups denied, inside of one";
    internal const string TextRow = "veil, text";
    internal const string ContainerRow = "veil, text, --enrich container";
    internal const string AllModules = "veil, all modules";

    // What costs ten microseconds and more a call.
    private const int SlowCalls = 20_000;
    private const int PeerRounds = 3;

    /// <summary>The tables: a title, and the rows.</summary>
    internal IReadOnlyList<(string Module, string Title, IReadOnlyList<Scenario> Rows)> All() =>
    [
        (Arguments, "syscall --args, ns per openat, read and close",
        [
            Nothing("open", 1_000_000 / 3),
            EmptyPair("open", 1_000_000 / 3),
            Opens("veil, --returns", "--returns"),
            Opens(WithoutDescriptors, "--args", "--fds", "none"),
            Opens(WithDescriptors, "--args"),
            Opens(WithDescriptorsAsJson, "--args", "--output", "json"),
            Opens("veil, --args, another call allowed", "--args", "--syscall", "getppid") with { EventMark = null },
            Bpftrace(
                "open", 1_000_000 / 3, 1, "opens ", pid =>
                $"tracepoint:syscalls:sys_enter_openat /pid == {pid}/ {{ printf(\"opens %s %d %s\\n\", comm, pid, str(args->filename)); " +
                $"}}") with { Name = "bpftrace, printf of openat alone" },
            Peer("perf trace", "perf", "open", SlowCalls, 3, ") = ", Attachment.PerfEvent, (path, pid) =>
                [path, "trace", "-o", programs.OutputFile, "-p", pid]),
            Peer("strace -yy -T", "strace", "open", SlowCalls / 4, 3, ") = ", Attachment.Ptrace, (path, pid) =>
                [path, "-f", "-yy", "-T", "-o", programs.OutputFile, "-p", pid]),
        ]),
        (Scope, "scope of 100 cgroups, ns per getppid",
        [
            new() { Name = ScenarioCatalog.Nothing, Calls = 1_000_000 },
            Empty("", 1_000_000, "enter") with { Load = null },
            InScope(OutsideScope, ["--cgroup", .. cgroups], null),
            InScope(InsideScope, ["--cgroup", .. cgroups.Select(static folder => "!" + folder)], null) with
            {
                Cgroup = cgroups.Count > 0 ? cgroups[^1] : null,
            },
            InScope(TextRow, [], "getppid"),
            InScope(ContainerRow, ["--enrich", "container"], "getppid"),
        ]),
        ("scheduler", "scheduler, ns per round of a ping-pong (2 switches)",
        [
            Nothing("ping-pong", 200_000),
            Empty("ping-pong", 200_000, "switch"),
            // Everything, without a filter. Each switch to the workload has its name once behind next_comm=.
            Veil("scheduler", "ping-pong", 200_000, 2, "next_comm=loads", (_, _) => []),
            Bpftrace(
                "ping-pong", SlowCalls, 2, "next=loads", _ =>
                "tracepoint:sched:sched_switch { printf(\"%s %d next=%s\\n\", comm, pid, args->next_comm); }"),
        ]),
        ("files", "files, ns per byte copied (a read, a write)",
        [
            Nothing("bytes", 1_048_576),
            Empty("bytes", 1_048_576, "exit"),
            Veil("files", "bytes", 1_048_576, 2, "veil-loads-", (pid, _) => ["--pid", pid, "--op", "read,write"]),
            Peer("strace -e read,write", "strace", "bytes", SlowCalls / 4, 2, "1) ", Attachment.Ptrace,
                (path, pid) => [path, "-f", "-e", "trace=read,write", "-o", programs.OutputFile, "-p", pid]),
            Bpftrace(
                "bytes", SlowCalls, 2, "bytes=1\n", pid =>
                $"tracepoint:syscalls:sys_exit_read,tracepoint:syscalls:sys_exit_write /pid == {pid}/ {{ printf(\"%s %d bytes=%d\\n\", " +
                $"comm, pid, args->ret); }}"),
        ]),
        ("memory", "memory, ns per page touched",
        [
            Nothing("touch", 262_144),
            Veil("memory", "touch", 262_144, 1, "evt_type=minor", (pid, _) => ["--pid", pid]),
            Bpftrace(
                "touch", SlowCalls, 1, "fault ", pid =>
                $"software:page-faults:1 /pid == {pid}/ {{ printf(\"fault %s %d\\n\", comm, pid); }}"),
        ]),
        ("network", "network, ns per connection (both ends)",
        [
            Nothing("connect", 50_000) with { MostRounds = 2 },
            Empty("connect", 50_000, "state") with { MostRounds = 2 },
            Veil("network", "connect", 50_000, 10, "evt_type=", (pid, _) => ["--pid", pid]) with { MostRounds = 2 },
        ]),
        ("uprobe", "uprobe, ns per call of a function",
        [
            Nothing("call", 200_000),
            Veil("uprobe", "call", 200_000, 1, "loads_target", (pid, _) => ["--pid", pid, "--uprobe", programs.Loads + ":loads_target"]),
            Veil("uprobe", "call", 200_000, 1, "loads_target", (pid, _) =>
                ["--pid", pid, "--latency", "--uprobe", programs.Loads + ":loads_target"]) with { Name = LatencyRow },
            Bpftrace(
                "call", SlowCalls, 1, "call ", pid =>
                $"uprobe:{programs.Loads}:loads_target /pid == {pid}/ {{ printf(\"call %s %d\\n\", comm, pid); }}"),
            Bpftrace(
                "call", SlowCalls, 1, "took ", pid =>
                $"uprobe:{programs.Loads}:loads_target /pid == {pid}/ {{ @s[tid] = nsecs; }} uretprobe:{programs.Loads}:loads_target " +
                $"/@s[tid]/ {{ printf(\"took %s %d %d\\n\", comm, pid, nsecs - @s[tid]); }}")
                with { Name = "bpftrace, entry and return" },
        ]),
        (Spawns, "process, ns per fork, exec and exit",
        [
            Nothing("spawn", 10_000),
            Veil("process", "spawn", 10_000, 3, "evt_type=", (pid, _) => ["--follow", "--pid", pid]),
            Peer("strace -f -e execve,exit_group", "strace", "spawn", SlowCalls / 20, 2, ") ", Attachment.Ptrace,
                (path, pid) => [path, "-f", "-e", "trace=execve,exit_group", "-o", programs.OutputFile, "-p", pid]),
        ]),
        ("all", "all modules at once, ns per page touched",
        [
            Nothing("touch", 50_000),
            Veil("syscall,files,network,scheduler,memory,uprobe,process", "touch", 50_000, 1, "evt_type=minor", (pid, _) =>
                ["--pid", pid, "--uprobe", programs.Loads + ":loads_target"]) with { Name = AllModules },
        ]),
    ];

    private static Scenario Nothing(string load, int calls) => new() { Name = ScenarioCatalog.Nothing, Load = load, Calls = calls };

    private Scenario Empty(string load, int calls, string end) => new()
    {
        Name = EmptyRow,
        Load = load,
        Calls = calls,
        Command = (_, _) => [programs.Empty, "tp_btf", end],
        EmptyRow = EmptyRow,
        Missing = File.Exists(programs.Empty) ? null : "empty is not built",
    };

    private Scenario EmptyPair(string load, int calls) => Empty(load, calls, "both");

    // Events of the workload alone, where any are asked for.
    private Scenario InScope(string name, string[] flags, string? mark) => new()
    {
        Name = name,
        Calls = 1_000_000,
        Command = (pid, _) => [programs.Veil, "--module", "syscall", .. flags, .. mark is null ? [] : (string[])["--pid", Text(pid)]],
        Attachment = Attachment.VeilLine,
        EventMark = mark,
        EmptyRow = EmptyRow,
        Missing = cgroups.Count == 0 ? "no cgroup can be made" : File.Exists(programs.Veil) ? null : "bin/veil is not built",
    };

    // Each line has its duration once.
    private Scenario Opens(string name, params string[] flags) =>
        Veil("syscall", "open", 1_000_000 / 3, 3, flags.Contains("json") ? "\"duration_ns\":" : "duration=", (pid, _) =>
            ["--pid", pid, .. flags]) with
        { Name = name };

    private Scenario Veil(
        string module, string load, int calls, int eventsPerCall, string mark, Func<string, string, IReadOnlyList<string>> flags) => new()
        {
            Name = VeilRow,
            Load = load,
            Calls = calls,
            EventsPerCall = eventsPerCall,
            Command = (pid, idle) => [programs.Veil, "--module", module, .. flags(Text(pid), Text(idle))],
            Attachment = Attachment.VeilLine,
            EventMark = mark,
            EmptyRow = EmptyRow,
            Missing = File.Exists(programs.Veil) ? null : "bin/veil is not built",
        };

    private static Scenario Bpftrace(string load, int calls, int eventsPerCall, string mark, Func<string, string> program) =>
        Peer(BpftraceRow, "bpftrace", load, calls, eventsPerCall, mark, Attachment.PerfEvent, (path, pid) => [path, "-e", program(pid)]);

    private static Scenario Peer(
        string name, string program, string load, int calls, int eventsPerCall, string mark, Attachment attachment, Func<string, string,
        IReadOnlyList<string>> command)
    {
        string? path = Programs.FindInPath(program);
        return new()
        {
            Name = name,
            Load = load,
            Calls = calls,
            EventsPerCall = eventsPerCall,
            MostRounds = PeerRounds,
            Command = (pid, _) => command(path!, Text(pid)),
            Attachment = attachment,
            StopSignal = Native.Sigint,
            EventMark = mark,
            EmptyRow = EmptyRow,
            Missing = path is null ? $"{program} is not installed" : null,
        };
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
