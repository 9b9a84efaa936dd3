// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Runtime.InteropServices;
using Veil.Bench.Processes;

namespace Veil.Bench.Scenarios;

/// <summary>The rows of the table, in the order in which they are run and printed.</summary>
internal sealed class ScenarioCatalog(Programs programs, int calls)
{
    internal const string Nothing = "nothing attached";
    internal const string Floor = "C floor";
    internal const string EmptyTpBtf = "empty tp_btf";
    internal const string EmptyRawTp = "empty raw_tp";
    internal const string EmptyTracepoint = "empty tracepoint";
    internal const string EmptyBothEnds = "empty tp_btf, enter and exit";
    internal const string VeilOtherPid = "veil, other PID allowed";
    internal const string VeilOwnPidDenied = "veil, own PID denied";
    internal const string VeilOtherSyscall = "veil, other syscall allowed";
    internal const string VeilText = "veil, text";
    internal const string VeilEnriched = "veil, text, --enrich all";
    internal const string VeilJson = "veil, JSON";
    internal const string VeilOtherUid = "veil, other user allowed";
    internal const string VeilOtherName = "veil, other name allowed";
    internal const string VeilCount = "veil, --count";
    internal const string VeilHistogram = "veil, --hist duration_ns";
    internal const string VeilSlower = "veil, --slower 10ms";
    internal const string BpftraceOtherPid = "bpftrace, other PID allowed";
    internal const string BpftraceCountById = "bpftrace, count by call";
    internal const string BpftraceHistogram = "bpftrace, hist of durations";
    internal const string BpftracePrintf = "bpftrace, printf";

    // In veil's text `syscall=getppid(110)`, in its JSON "getppid", in perf's and strace's getppid().
    private const string Getppid = "getppid";

    // A run of a slow tracer should not take longer than one of the others.
    private const int PerfCalls = 20_000;
    private const int StraceCalls = 5_000;
    private const int PeerRounds = 5;

    private readonly string? _veilMissing = File.Exists(programs.Veil) ? null : "bin/veil is not built";

    internal IReadOnlyList<Scenario> All() =>
    [
        new() { Name = Nothing, Calls = calls },
        Empty(EmptyTpBtf, "tp_btf", "enter"),
        Empty(EmptyRawTp, "raw_tp", "enter"),
        Empty(EmptyTracepoint, "tracepoint", "enter"),
        Empty(EmptyBothEnds, "tp_btf", "both"),
        Empty("the same, with a look at the clock", "tp_btf_clock", "both") with { EmptyRow = EmptyBothEnds },

        Veil(VeilOtherPid, EmptyTpBtf, null, (_, idle) => ["--pid", idle]),
        Veil($"{VeilOtherPid}, --follow", EmptyTpBtf, null, (_, idle) => ["--pid", idle, "--follow"]),
        Veil($"{VeilOtherPid}, raw_tp", EmptyRawTp, null, (_, idle) => ["--pid", idle, "--hook", "raw_tp"]),
        Veil($"{VeilOtherPid}, tracepoint", EmptyTracepoint, null, (_, idle) => ["--pid", idle, "--hook", "tracepoint"]),
        Veil(VeilOwnPidDenied, EmptyTpBtf, null, (pid, _) => ["--pid", "!" + pid]),
        Veil(VeilOtherSyscall, EmptyTpBtf, null, (_, _) => ["--syscall", "kexec_load"]),

        TextOf(VeilText, calls),
        JsonOf(VeilJson, calls),
        Veil(VeilEnriched, EmptyTpBtf, Getppid, static (pid, _) => ["--pid", pid, "--enrich", "all"]),
        Veil("veil, text, --returns", EmptyBothEnds, Getppid, (pid, _) => ["--pid", pid, "--returns"]),
        Veil("veil, text, raw_tp", EmptyRawTp, Getppid, (pid, _) => ["--pid", pid, "--hook", "raw_tp"]),
        Veil("veil, text, tracepoint", EmptyTracepoint, Getppid, (pid, _) => ["--pid", pid, "--hook", "tracepoint"]),

        Veil(VeilOtherUid, EmptyTpBtf, null, static (_, _) => ["--uid", "65533"]),
        Veil(VeilOtherName, EmptyTpBtf, null, static (_, _) => ["--name", "no-such-name"]),
        Veil(VeilCount, EmptyTpBtf, null, static (_, _) => ["--count"]),
        Veil(VeilHistogram, EmptyBothEnds, null, static (_, _) => ["--returns", "--hist", "duration_ns"]),
        Veil(VeilSlower, EmptyBothEnds, null, static (_, _) => ["--slower", "10ms"]),

        new()
        {
            Name = Floor,
            Calls = calls,
            Command = (pid, _) => [programs.Floor, Text(pid)],
            CountsByItself = true,
            EmptyRow = EmptyTpBtf,
            Missing = MissingFile(programs.Floor),
        },

        Bpftrace("bpftrace, count", calls / 2, null, _ => "{ @ = count(); }"),
        Bpftrace(BpftraceCountById, calls / 2, null, static _ => "{ @[args->id] = count(); }"),
        Bpftrace(
            BpftraceHistogram, calls / 2, null, static _ =>
            "{ @s[tid] = nsecs; } tracepoint:raw_syscalls:sys_exit /@s[tid]/ { @ = hist(nsecs - @s[tid]); delete(@s[tid]); }"),
        Bpftrace(BpftraceOtherPid, calls / 2, null, idle => $"/pid == {idle}/ {{ @ = count(); }}"),
        Bpftrace(
            "bpftrace, other call's tracepoint", calls / 2, null, static (_, _) =>
            "{ @ = count(); }", hook: "tracepoint:syscalls:sys_enter_sethostname"),
        BpftraceOfWorkload(),
        Peer("perf trace", "perf", PerfCalls, Attachment.PerfEvent, (path, pid) => [path, "trace", "-o", programs.OutputFile, "-p", pid]),
        Peer("strace -f", "strace", StraceCalls, Attachment.Ptrace, (path, pid) => [path, "-f", "-o", programs.OutputFile, "-p", pid]),
    ];

    internal Scenario TextOf(string name, int calls) => Veil(name, EmptyTpBtf, Getppid, (pid, _) => ["--pid", pid]) with { Calls = calls };

    internal Scenario JsonOf(string name, int calls) =>
        Veil(name, EmptyTpBtf, Getppid, (pid, _) => ["--pid", pid, "--output", "json"]) with { Calls = calls };

    private Scenario Empty(string name, string hook, string end) => new()
    {
        Name = name,
        Calls = calls,
        Command = (_, _) => [programs.Empty, hook, end],
        EmptyRow = name,
        Missing = MissingFile(programs.Empty),
    };

    private Scenario Veil(string name, string emptyRow, string? mark, Func<string, string, IReadOnlyList<string>> flags) => new()
    {
        Name = name,
        Calls = calls,
        Command = (pid, idle) => [programs.Veil, "--module", "syscall", .. flags(Text(pid), Text(idle))],
        Attachment = Attachment.VeilLine,
        EventMark = mark,
        EmptyRow = emptyRow,
        Missing = _veilMissing,
    };

    private static Scenario Bpftrace(string name, int calls, string? mark, Func<string, string> program) => Bpftrace(
        name, calls, mark, (_, idle) => program(idle));

    private Scenario BpftraceOfWorkload() => Bpftrace(
        BpftracePrintf,
        calls,
        // bpftrace has no names for the numbers; the line ends with that of getppid.
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? " 173\n" : " 110\n",
        (pid, _) => $"/pid == {pid}/ {{ printf(\"%s %d %d %d %lld %d\\n\", comm, pid, tid, uid, nsecs, args->id); }}");

    private static Scenario Bpftrace(
        string name, int calls, string? mark, Func<string, string, string> program, string hook = "tracepoint:raw_syscalls:sys_enter")
    {
        string? path = Programs.FindInPath("bpftrace");
        return new()
        {
            Name = name,
            Calls = calls,
            Command = (pid, idle) => [path!, "-e", hook + " " + program(Text(pid), Text(idle))],
            MostRounds = PeerRounds,
            Attachment = Attachment.PerfEvent,
            StopSignal = Native.Sigint,
            EventMark = mark,
            EmptyRow = EmptyTracepoint,
            Missing = path is null ? "bpftrace is not installed" : null,
        };
    }

    private static Scenario Peer(
        string name, string program, int calls, Attachment attachment, Func<string, string, IReadOnlyList<string>> command)
    {
        string? path = Programs.FindInPath(program);
        return new()
        {
            Name = name,
            Calls = calls,
            Command = (pid, _) => command(path!, Text(pid)),
            MostRounds = PeerRounds,
            Attachment = attachment,
            StopSignal = Native.Sigint,
            EventMark = Getppid,
            Missing = path is null ? $"{program} is not installed" : null,
        };
    }

    private static string? MissingFile(string path) => File.Exists(path) ? null : $"{Path.GetFileName(path)} is not built";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
