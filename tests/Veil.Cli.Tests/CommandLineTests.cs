// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Bpf;
using Veil.Core;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Core.Options;
using Veil.Core.Sinks;
using Veil.Modules;

namespace Veil.Cli.Tests;

/// <summary>From words to options, and every mistake as one clear line before anything starts.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("-p 10 11 12")]
    [InlineData("-p 10,11,12")]
    [InlineData("-p 10 --pid 11 -p 12")]
    [InlineData("--pid=10,11 --pid=12")]
    public void Pid_HoweverItIsWritten_IsOneList(string flags) =>
        Read("--module syscall " + flags).Filters.ShouldHaveSingleItem().Bits.Keys.Select(static key => (int)key.Bits).Order()
            .ShouldBe([10, 11, 12]);

    [Theory]
    [InlineData("10s", 10_000)]
    [InlineData("10", 10_000)]
    [InlineData("1.5", 1_500)]
    [InlineData("250ms", 250)]
    [InlineData("2h", 7_200_000)]
    public void Duration_HoweverItIsWritten_IsATime(string text, int milliseconds)
    {
        Read("--module syscall --duration " + text).Duration.ShouldBe(TimeSpan.FromMilliseconds(milliseconds));
        Read("--module syscall --count --duration " + text).Duration.ShouldBe(TimeSpan.FromMilliseconds(milliseconds));
    }

    [Theory]
    [InlineData("1", 1_000)]
    [InlineData("1s", 1_000)]
    [InlineData("250ms", 250)]
    [InlineData("1d", 86_400_000)]
    public void Interval_HoweverItIsWritten_IsATime(string text, int milliseconds) =>
        Read("--module syscall --count --interval " + text).Counting!.Interval.ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Theory]
    [InlineData("2%", 0.02)]
    [InlineData("2", 0.02)]
    [InlineData("0.5%", 0.005)]
    [InlineData("100%", 1)]
    public void Budget_HoweverItIsWritten_IsAPartOfOneCpu(string text, double part)
    {
        Read("--module syscall --budget " + text).Budget!.Value.ShouldBe(part, 1e-9);
        Read("--module syscall --budget " + text).Samples.ShouldBeTrue();
        Read("--module syscall --count --budget " + text).Samples.ShouldBeFalse();
    }

    [Fact]
    public void Ends_OfATraceAndItsFile_AreTaken()
    {
        var options = Read("--module syscall,files --max-events 7 -w /tmp/x");

        (options.EventsMax, options.WriteTo, options.Duration).ShouldBe((7UL, "/tmp/x", null));
        options.Output.Screen.ShouldBeNull();
        Read("--module syscall -w -").WriteTo.ShouldBeNull();
    }

    [Fact]
    public void Errno_AllowedAndDenied_IsAFilterByNumber()
    {
        var options = Read("--module syscall --errno ENOENT !EAGAIN,110");

        options.Filters.ShouldHaveSingleItem().Bits.ToDictionary(static key => (int)key.Key.Bits, static key => key.Value)
            .ShouldBe(
                new Dictionary<int, FilterBits> { [2] = FilterBits.Allow, [11] = FilterBits.Deny, [110] = FilterBits.Allow },
                ignoreOrder: true);
        // What failed is known when a call ends.
        options.Modules[0].ChosenEvent(options.ArgumentsOf(options.Modules[0]))!.Struct.ShouldBe("syscall_return_event");
        options.Modules[0].ChosenEvent(Read("--module syscall").Arguments).ShouldBeNull();
    }

    [Fact]
    public void Module_NamedTwice_IsTracedOnce() => Read("--module syscall,syscall -m syscall").Modules.Count.ShouldBe(1);

    [Fact]
    public void Defaults_AreWhatTheHelpSays()
    {
        var options = Read("--module syscall");

        options.RingBytes.ShouldBe(16 * 1024 * 1024);
        options.Output.Format.ShouldBe(OutputFormat.Text);
        options.Output.Enrichments.ShouldBe(Enrichments.None);
        options.Hook.ShouldBeNull();
        options.Filters.ShouldBeEmpty();
        (options.IncludeSelf || options.FailOnLoss || options.Quiet || options.Verbose).ShouldBeFalse();
    }

    [Fact]
    public void Everything_Given_IsTaken()
    {
        var options =
            Read("-m syscall --returns -o json --fields pid,ret,time,username --enrich time,user --buffer 1MiB --hook raw_tp " +
            "--include-self --fail-on-loss -q -v");

        options.Arguments.Switches.ShouldBe(["returns"]);
        options.Output.ShouldBe(options.Output with { Format = OutputFormat.Json, Enrichments = Enrichments.Time | Enrichments.User });
        options.Output.Fields.ShouldBe(["pid", "ret", "time", "username"]);
        options.RingBytes.ShouldBe(1024 * 1024);
        options.Hook.ShouldBe("raw_tp");
        (options.IncludeSelf && options.FailOnLoss && options.Quiet && options.Verbose).ShouldBeTrue();
    }

    [Theory]
    [InlineData("", "--module: say what to trace, such as --module syscall (available: {modules}); see veil --help")]
    [InlineData("--module filez", "--module: unknown module 'filez'; did you mean 'files'? (available: {modules})")]
    [InlineData("--module sycsall", "--module: unknown module 'sycsall'; did you mean 'syscall'? (available: {modules})")]
    [InlineData("--module syscall,", "--module: an entry of 'syscall,' is empty")]
    [InlineData(
        "--module syscall --output none",
        "--output none: nothing would come of the trace; record it with --record FILE, or send its events with --otlp URL")]
    [InlineData("--module syscall --output none --count --otlp http://[::1]:1", "--output none: leaves out what is counted; leave one of them out")]
    [InlineData("--module syscall --output none --write x --otlp http://[::1]:1", "--write: --output none writes nothing; leave one of them out")]
    [InlineData("--module syscall --output xml", "--output: unknown format 'xml' (available: text, json, folded, strace, tree, none)")]
    [InlineData("--module syscall --output jsn", "--output: unknown format 'jsn'; did you mean 'json'? (available: text, json, folded, strace, tree, none)")]
    [InlineData(
        "--module syscall -o out.txt",
        "--output: unknown format 'out.txt'; to write to a file: --write out.txt (available: text, json, folded, strace, tree, none)")]
    [InlineData(
        "--module exec",
        "--module: unknown module 'exec'; for programs that start: --module syscall --syscall execve,execveat (available: {modules})")]
    [InlineData("--module syscall --stack usr", "--stack: 'usr' is no kind of stack; did you mean 'user'? (available: user, kernel)")]
    [InlineData("--module syscall --lines", "--lines: it is for frames of user space, and none are asked for; add --stack user, or --count-by ustack")]
    [InlineData(
        "--module syscall --stack kernel --jit ask",
        "--jit: it is for frames of user space, and none are asked for; add --stack user, or --count-by ustack")]
    [InlineData("--module syscall --stack user --jit asks", "--jit: 'asks' is no way to name compiled code (available: ask)")]
    [InlineData("--module syscall --stack user --count", "--stack: counts have the stacks that they are counted by; --count-by ustack counts by them")]
    [InlineData("--module profile --unwind x", "--unwind: 'x' is no way to unwind (available: fp, dwarf, auto)")]
    [InlineData("--module profile --unwind dwraf", "--unwind: 'dwraf' is no way to unwind; did you mean 'dwarf'? (available: fp, dwarf, auto)")]
    [InlineData("--module profile --unwind dwarf --stack-copy 0", "--stack-copy: '0' is not a size from 4K to 64K in steps of 4K, such as 16K")]
    [InlineData("--module profile --unwind dwarf --stack-copy 1G", "--stack-copy: '1G' is not a size from 4K to 64K in steps of 4K, such as 16K")]
    [InlineData("--module profile --unwind dwarf --stack-copy 5000", "--stack-copy: '5000' is not a size from 4K to 64K in steps of 4K, such as 16K")]
    [InlineData("--module profile --stack-copy 8K", "--stack-copy: nothing is copied without --unwind dwarf or auto; add one of them")]
    [InlineData("--module syscall --unwind dwarf", "--unwind: no stack in user space is asked for; add --stack user, or count by ustack")]
    [InlineData("--module syscall --unwind auto --stack kernel", "--unwind: no stack in user space is asked for; add --stack user, or count by ustack")]
    [InlineData("--module profile --unwind dwarf --count-by comm", "--unwind: no stack in user space is asked for; add --stack user, or count by ustack")]
    [InlineData("--module profile --unwind dwarf --count-by ustack --metrics 9100",
        "--unwind: what is unwound is counted behind the kernel, and what is exported would be empty; leave --metrics and --otlp out, or --unwind")]
    [InlineData("--module syscall --output folded", "--output folded: its lines are counts by a stack; add --count-by comm,stack")]
    [InlineData("--module syscall --output folded --count-by comm", "--output folded: its lines are counts by a stack; add --count-by comm,stack")]
    [InlineData("--module profile --hz 0", "--hz: '0' is not a number of samples a second from 1 to 999, such as 99")]
    [InlineData("--module profile --hz 100000", "--hz: '100000' is not a number of samples a second from 1 to 999, such as 99")]
    [InlineData("--module syscall --hz 99", "--hz: no chosen module has it (syscall); profile would")]
    [InlineData("--module syscall -p nginx", "--pid: 'nginx' is not a process id from 1 to 4194304; for a process's name: -n nginx")]
    [InlineData("--module syscall --tid nginx", "--tid: 'nginx' is not a thread id from 1 to 4194304; for a thread's name: -n nginx")]
    [InlineData(
        "--module syscall -s %nosuch",
        "--syscall: unknown class '%nosuch' (available: %file, %desc, %network, %process, %signal, %memory, %ipc, %creds, %clock, %stat, " +
        "%lstat, %fstat, %%stat, %statfs, %fstatfs, %%statfs, %pure)")]
    [InlineData(
        "--module files --output strace", "--output strace: is for system calls, and --module files shows others; leave one of them out")]
    [InlineData(
        "--module syscall,files --output strace",
        "--output strace: is for system calls, and --module files shows others; leave one of them out")]
    [InlineData(
        "--module syscall --output strace --count", "--output strace: is for events, and counting shows none; leave one of them out")]
    [InlineData(
        "--module syscall --output strace --fields pid", "--fields: a line of strace has room for duration_ns alone (as strace -T)")]
    [InlineData("--module syscall --output strace --enrich all", "--enrich: a line of strace has room for time alone (as strace -ttt)")]
    [InlineData("--module syscall --output strace --wide", "--wide: is for columns, and --output strace has none; leave one of them out")]
    [InlineData("--module network --enrich why", "--enrich why: no chosen module has paths (network); files, process would")]
    [InlineData(
        "--module syscall --enrich tme",
        "--enrich: unknown enrichment 'tme'; did you mean 'time'? (available: time, user, proc, parent, cgroup, container, exe, why, all)")]
    [InlineData("--module syscall --buffer 10M", "--buffer: '10M' is not a power of two from 64K to 1G, such as 32M")]
    [InlineData("--module syscall --buffer 16MBB", "--buffer: '16MBB' is not a power of two from 64K to 1G, such as 32M")]
    [InlineData("--module syscall --buffer 32K", "--buffer: '32K' is not a power of two from 64K to 1G, such as 32M")]
    [InlineData(
        "--module syscall --buffer 99999999999999G", "--buffer: '99999999999999G' is not a power of two from 64K to 1G, such as 32M")]
    [InlineData("--module syscall --hook kprobe", "--hook: module syscall has no hook 'kprobe' (available: tp_btf, raw_tp, tracepoint)")]
    [InlineData(
        "--module files --op delete",
        "--op: unknown file operation 'delete' (available: open, read, write, copy, sync, truncate, stat, unlink, rename, mkdir, rmdir, " +
        "link, symlink, chmod, chown, mmap, close)")]
    [InlineData(
        "--module files --op raed",
        "--op: unknown file operation 'raed'; did you mean 'read'? (available: open, read, write, copy, sync, truncate, stat, unlink, " +
        "rename, mkdir, rmdir, link, symlink, chmod, chown, mmap, close)")]
    [InlineData(
        "--module files --file !",
        "--file: the value '!' is empty; give a path (/etc/hosts), a folder (/etc), the end of a path (etc/hosts), a part of one (hosts) " +
        "or a pattern (*.log), '!' before it denies")]
    [InlineData("--module syscall --op read", "--op: no chosen module has it (syscall); files would")]
    [InlineData("--module memory --fault huge", "--fault: unknown page fault 'huge' (available: minor, major)")]
    [InlineData(
        "--module syscall --enrich time --fields pid",
        "--enrich: --fields leaves out what it adds (time, username, proc_name, ppid, parent_comm, cgroup, container, pod, pod_namespace, image, exe, why): name it there too")]
    [InlineData("--module syscall --count --fields pid", "--fields: is for events, and counting shows none; leave one of them out")]
    [InlineData("--module syscall --count --enrich time", "--enrich: is for events, and counting shows none; leave one of them out")]
    [InlineData("--module syscall --top 5", "--top: nothing is counted without --count, --count-by, --hist or --sum")]
    [InlineData("--module syscall --sort sum", "--sort: nothing is counted without --count, --count-by, --hist or --sum")]
    [InlineData("--module syscall --count --sort summ", "--sort: 'summ' is none of count, sum, max, errors; did you mean 'sum'?")]
    [InlineData("--module syscall --count-by comm,pid,tid,uid,gid", "--count-by: takes up to 4 fields, and these are 5")]
    [InlineData("--module syscall --count-by comm,,pid", "--count-by: an entry of 'comm,,pid' is empty")]
    [InlineData(
        "--module syscall --returns --hist ret --sum duration_ns",
        "--sum: beside --hist it takes the same field; leave one of them out")]
    [InlineData("--module syscall --count --top 0", "--top: '0' is not a number from 1 to 1000000")]
    [InlineData("--module syscall --count --keys x", "--keys: 'x' is not a number from 1 to 1000000")]
    [InlineData("--module syscall --count --keys 200000 --metrics 9435", "--keys: beside --metrics at most 100000")]
    [InlineData("--module syscall --count --keys 200000 --otlp http://127.0.0.1:4318", "--keys: beside --otlp at most 100000")]
    [InlineData("--module syscall --count --interval 0", "--interval: '0' is not a time from 0.1s to 1d, such as 1s or 5m")]
    [InlineData("--module syscall --count --interval 1e9", "--interval: '1e9' is not a time from 0.1s to 1d, such as 1s or 5m")]
    [InlineData("--module syscall --slower 10", "--slower: '10' is not a duration from 1ns to 86400s with its unit, such as 10ms")]
    [InlineData("--module syscall --slower 0ms", "--slower: '0ms' is not a duration from 1ns to 86400s with its unit, such as 10ms")]
    [InlineData("--module memory --slower 1ms 2ms", "--slower: given more than once, but it takes one value")]
    [InlineData("--module files --errno ENOET", "--errno: unknown error 'ENOET'; did you mean 'ENOENT' or 'ENONET'?")]
    [InlineData(
        "--module files --errno !",
        "--errno: the value '!' is empty; give an error's name, such as ENOENT, or its number from 1 to 4095, '!' before it denies")]
    [InlineData("--module files --errno 0", "--errno: unknown error '0'")]
    [InlineData("--module memory --errno EPERM", "--errno: no chosen module has it (memory); syscall, files, network, lock would")]
    [InlineData("--module network --event DNS --protocol tcp", "--event: DNS is of udp; not beside --protocol tcp")]
    [InlineData("--module network --lifetimes --event SEND", "--lifetimes: shows CLOSE, FAILED, OPEN alone; choose by --event or by --lifetimes")]
    [InlineData("--module process --output tree --event EXEC", "--event: a tree is made of all events; leave it out, or take --output json")]
    [InlineData(
        "--module memory,process,network --event EXCE",
        "--event: unknown event 'EXCE'; did you mean 'EXEC'? (available: process: EXEC, EXIT, FORK, OOM; network: CONNECT, ESTABLISHED, ACCEPT, CLOSING, " +
        "CLOSE, FAILED, LISTEN, RETRANSMIT, RESET, DROP, OVERFLOW, OPEN, SEND, RECEIVE, DNS, TRAFFIC)")]
    [InlineData("--module network --protocol sctp", "--protocol: unknown protocol 'sctp' (available: tcp, udp)")]
    [InlineData("--module network --protocol udp --lifetimes", "--lifetimes: only TCP has connections; not beside --protocol udp")]
    [InlineData(
        "--module network --lifetimes --event RESET",
        "--lifetimes: shows CLOSE, FAILED, OPEN alone; choose by --event or by --lifetimes")]
    [InlineData(
        "--module network --netns 17", "--netns: '17' is not the inode number of a namespace; for a process's: pid:17")]
    [InlineData(
        "--module network --netns /etc/passwd", "--netns: '/etc/passwd' is not a namespace")]
    [InlineData("--module syscall --duration 0s", "--duration: '0s' is not a time from 1ms to 30d, such as 10s, 5m or 2h")]
    [InlineData("--module syscall --duration 10min", "--duration: '10min' is not a time from 1ms to 30d, such as 10s, 5m or 2h")]
    [InlineData("--module syscall --duration 31d", "--duration: '31d' is not a time from 1ms to 30d, such as 10s, 5m or 2h")]
    [InlineData("--module syscall --max-events 0", "--max-events: '0' is not a number from 1 to 18446744073709551615")]
    [InlineData("--module syscall --max-events 1,5", "--max-events: '1,5' is not a number from 1 to 18446744073709551615")]
    [InlineData("--module syscall --budget 0", "--budget: '0' is not a part of one CPU from 0.1% to 100%, such as 2%")]
    [InlineData("--module syscall --budget 101%", "--budget: '101%' is not a part of one CPU from 0.1% to 100%, such as 2%")]
    [InlineData("--module syscall --budget -1%", "--budget: '-1%' is not a part of one CPU from 0.1% to 100%, such as 2%")]
    [InlineData("--module syscall --budget x", "--budget: 'x' is not a part of one CPU from 0.1% to 100%, such as 2%")]
    [InlineData("--module syscall --budget %", "--budget: '%' is not a part of one CPU from 0.1% to 100%, such as 2%")]
    [InlineData("--module syscall --budget 2%%", "--budget: '2%%' is not a part of one CPU from 0.1% to 100%, such as 2%")]
    [InlineData("--module syscall --count --max-events 5", "--max-events: is for events, and counting shows none; leave one of them out")]
    [InlineData("--module syscall --wide -o json", "--wide: is for columns, and --output json has none; leave one of them out")]
    [InlineData("--module syscall --wide --fields pid", "--wide: is for columns, and --fields makes none; leave one of them out")]
    [InlineData(
        "--module syscall --output tree", "--output tree: is for processes, and --module syscall shows others; take --module process alone")]
    [InlineData("--module process --output tree --count", "--output tree: is for events, and counting shows none; leave one of them out")]
    [InlineData(
        "--module process --output tree --fields pid", "--fields: a tree has no fields to choose; leave it out, or take --output json")]
    [InlineData(
        "--module process --output tree --enrich time", "--enrich: a tree has no room for it; leave it out, or take --output json")]
    [InlineData(
        "--module process --event EXCE", "--event: unknown event 'EXCE'; did you mean 'EXEC'? (available: EXEC, EXIT, FORK, OOM)")]
    [InlineData("--module memory --failed", "--failed: no chosen module has it (memory); syscall, files, network, process, lock would")]
    [InlineData("--module syscall --rings 0", "--rings: '0' is not a number from 1 to {cpucount}, the CPUs of this machine")]
    [InlineData("--module scheduler --cpu 0-1x", "--cpu: '0-1x' is not a CPU of this machine, from 0 to {cpus}, or a range of them")]
    [InlineData(
        "--module scheduler --cpu 99999", "--cpu: '99999' is out of range (a CPU of this machine, from 0 to {cpus}, or a range of them)")]
    public void Read_WrongValue_SaysWhatAndWhy(string line, string message) =>
        Should.Throw<UsageException>(() => Read(line)).Message.ShouldBe(message
            .Replace("{modules}", string.Join(", ", ModuleCatalog.All.Select(static module => module.Name)), StringComparison.Ordinal)
            .Replace("{cpucount}", $"{KernelFeatures.PossibleCpuCount}", StringComparison.Ordinal)
            .Replace("{cpus}", $"{KernelFeatures.PossibleCpuCount - 1}", StringComparison.Ordinal));

    [Theory]
    [InlineData("-- ls -l --help", "--module syscall --args")]
    [InlineData("-w FILE -- ls", "--module syscall --args -w FILE")]
    [InlineData("--count -- ls", "--module syscall --returns --count")]
    [InlineData("--count-by=tid -- ls", "--module syscall --returns --count-by=tid")]
    [InlineData("--returns -- ls", "--module syscall --returns")]
    [InlineData("--module files -- ls", "--module files")]
    [InlineData("-mfiles -- ls -- -m", "-mfiles")]
    [InlineData("--help -- ls", "--help")]
    [InlineData("--module syscall", "--module syscall")]
    [InlineData("help -- ls", "help -- ls")]
    public void Defaults_OfACommand_AreTheArgumentsOfItsCalls(string line, string flags) =>
        string.Join(' ', StartedCommand.AddDefaults(StartedCommand.TakeFrom(line.Split(' ')))).ShouldBe(flags);

    [Fact]
    public void Read_ModuleGivenTwice_IsThereOnce() => Read("--module files,files --module files").Modules.ShouldHaveSingleItem();

    [Theory]
    [InlineData("--foo", "unknown flag '--foo'; see veil --help (a value that begins with '-' is written --flag=--foo)")]
    [InlineData(
        "--module syscall --syscal read",
        "unknown flag '--syscal'; did you mean '--syscall'? (a value that begins with '-' is written --flag=--syscal)")]
    [InlineData("--module syscall -p", "-p: a value is missing (PID,…)")]
    [InlineData("--module syscall -n --fail-on-loss", "--name: a value is missing (TEXT,…)")]
    [InlineData("--module syscall --pid -q", "--pid: a value is missing (PID,…)")]
    [InlineData("--module syscall --buffer --quiet", "--buffer: a value is missing (SIZE)")]
    [InlineData("--module syscall doctor", "--module: is for tracing, and doctor traces nothing; leave one of them out")]
    [InlineData("--module syscall -p 5 -p", "-p: a value is missing (PID,…)")]
    [InlineData("--module syscall --top=5 --count --top", "--top: a value is missing (N)")]
    [InlineData("config", "config: usage: veil config validate FILE…; see veil help config")]
    [InlineData("config validate", "config validate: usage: veil config validate FILE…; see veil help config validate")]
    [InlineData("config validat", "unexpected word 'validat'; see veil help config; did you mean 'validate'?")]
    [InlineData("help config nix", "help: config: unknown command 'nix' (available: validate)")]
    [InlineData("help files more", "help: 'more' is one word too many after 'files'")]
    [InlineData("--", "--: say which command: veil -- CMD ARG…")]
    [InlineData("--module syscall --", "--: say which command: veil -- CMD ARG…")]
    [InlineData("--user nosuch -- ls", "--user: unknown user 'nosuch'")]
    [InlineData("--follow --no-follow -- ls", "--no-follow: not beside --follow; leave one of them out")]
    [InlineData("--module syscall --no-follow", "--no-follow: is for a command: veil [flags] -- CMD ARG…")]
    [InlineData("--module syscall --user root", "--user: is for a command: veil [flags] -- CMD ARG…")]
    [InlineData(
        "--module syscall -f",
        "--follow: everything is traced already; choose whose children to follow by -p, --tid, -u or -n, or run a command: " +
        "veil [flags] -- CMD ARG…")]
    [InlineData(
        "--module syscall -f -n !sh",
        "--follow: everything is traced already; choose whose children to follow by -p, --tid, -u or -n, or run a command: " +
        "veil [flags] -- CMD ARG…")]
    [InlineData(
        "ls -l",
        "'ls' is not a command of veil (doctor, stuck, why, top, control, replay, export, record-info, diff, config, completion, help); to run a program and trace it: veil -- ls -l")]
    [InlineData("export", "export: usage: veil export FILE…; see veil help export")]
    [InlineData("export a.veil", "export: --to says for which program: perfetto, chrome, html, folded, speedscope, parquet")]
    [InlineData(
        "export a.veil --to perfeto",
        "--to: unknown format 'perfeto'; did you mean 'perfetto'? (available: perfetto, chrome, html, folded, speedscope, parquet)")]
    [InlineData(
        "export a.veil --to folded", "--to folded: holds keys and weights: name them, as --count-by comm,syscall --sum duration_ns")]
    [InlineData(
        "export a.veil --to chrome --count-by comm",
        "--count-by: --to chrome holds events and no counts; those that do: folded, speedscope")]
    [InlineData("export a.veil --to folded --sum duration_ns --fields pid", "--fields: is for events, and counting shows none; leave one of them out")]
    [InlineData(
        "export a.veil --to chrome --record b",
        "--record: is for tracing, and export traces nothing; leave it out (a file of that name is ./--record)")]
    [InlineData("files", "'files' is a module; type: veil --module files")]
    [InlineData("docto", "unexpected word 'docto'; see veil --help; did you mean 'doctor'?")]
    [InlineData("-f ls", "unexpected word 'ls'; see veil --help; a program to run stands behind two dashes: veil [flags] -- ls")]
    [InlineData("-ff ls", "unknown flag '-ff'; children are followed by -f, --follow")]
    [InlineData("-c ls", "unknown flag '-c'; counting is --count: veil --count -- CMD")]
    [InlineData("-e trace=openat,read ls", "unknown flag '-e'; system calls are chosen by -s, --syscall: -s openat,read")]
    [InlineData("-e openat ls", "unknown flag '-e'; system calls are chosen by -s, --syscall: -s openat")]
    [InlineData("-e trace=%file ls", "unknown flag '-e'; system calls are chosen by -s, --syscall: -s %file")]
    [InlineData("-e", "unknown flag '-e'; system calls are chosen by -s, --syscall: -s openat,read")]
    [InlineData("--module syscall --comm nginx", "unknown flag '--comm'; names are filtered by -n, --name: -n nginx")]
    [InlineData("--module syscall --comm=nginx", "unknown flag '--comm'; names are filtered by -n, --name: -n nginx")]
    [InlineData("--all", "unknown flag '--all'; see veil --help (a value that begins with '-' is written --flag=--all)")]
    [InlineData(
        "help nosuch",
        "help: unknown topic 'nosuch' (available: syscall, files, network, scheduler, memory, signal, uprobe, process, lock, profile, doctor, stuck, why, top, control, replay, export, record-info, diff, config, " +
        "completion, help, filters, counting, losses, or a flag)")]
    [InlineData(
        "help --ernno",
        "help: unknown topic '--ernno'; did you mean '--errno'? (available: syscall, files, network, scheduler, memory, signal, uprobe, process, lock, profile, doctor, " +
        "stuck, why, top, control, replay, export, record-info, diff, config, completion, help, filters, counting, losses, or a flag)")]
    [InlineData(
        "--list-fields nosuch", "--list-fields: unknown module 'nosuch' (available: syscall, files, network, scheduler, memory, signal, uprobe, process, lock, profile)")]
    [InlineData("--version extra", "--version: stands alone; leave the rest out")]
    [InlineData("--version --pid 5", "--version: stands alone; leave the rest out")]
    [InlineData("control", "control: usage: veil control PATH [COMMAND…]; see veil help control")]
    [InlineData(
        "help fils",
        "help: unknown topic 'fils'; did you mean 'files'? (available: syscall, files, network, scheduler, memory, signal, uprobe, process, lock, profile, doctor, " +
        "stuck, why, top, control, replay, export, record-info, diff, config, completion, help, filters, counting, losses, or a flag)")]
    [InlineData("--module syscall --output json --output text", "--output: given more than once, but it takes one value")]
    public void Run_WrongFlag_SaysWhatAndWhy(string line, string message)
    {
        var error = Should.Throw<UsageException>(() => CommandLine.Run(line.Split(' ')));

        error.Message.ShouldBe(message);
        error.ExitCode.ShouldBe(2);
    }

    [Theory]
    [InlineData("--version --help")]
    [InlineData("--help --version")]
    [InlineData("help --version")]
    public void Run_HelpBesideTheVersion_IsHelp(string line) => CommandLine.Run(line.Split(' ')).ShouldBe(0);

    [Fact]
    public void Run_NoArgument_ShowsThreeStarters()
    {
        var error = Should.Throw<UsageException>(static () => CommandLine.Run([]));

        error.ExitCode.ShouldBe(2);
        error.Message.Split('\n').ShouldBe([
            "say what to trace, for instance:",
            "veil --module syscall -n nginx --slower 10ms  what is slow?",
            "veil --module files --op open --errno ENOENT  which file is missing?",
            "veil --module network                         who talks to whom?",
            "more questions: veil help; all flags: veil --help"], StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("memory", "ret", null)]
    [InlineData("syscall", "pid", null)]
    [InlineData("syscall", "ret", "module syscall has it with --returns")]
    [InlineData("memory,syscall", "errno_nr", "module syscall has it with --returns")]
    [InlineData("uprobe", "duration_ns", "module uprobe has it with --latency")]
    [InlineData("files", "duration_ns", "module files has it with --slower")]
    public void HintFor_Field_NamesTheFlagOfTheModuleThatHasIt(string modules, string field, string? hint) =>
        ModuleFields.HintFor(modules.Split(',').Select(TraceCommand.Module), field).ShouldBe(hint);

    [Fact]
    public void Run_AnyFlagAgainWithoutItsValue_SaysThatItIsMissing()
    {
        foreach (var option in new TraceFlags().All.Where(static option => option.Arity.MinimumNumberOfValues > 0))
        {
            foreach (string name in option.Aliases.Append(option.Name))
                Should.Throw<UsageException>(() => CommandLine.Run([option.Name, "1", name])).Message.ShouldBe(
                    $"{name}: a value is missing ({option.HelpName})");
        }
    }

    [Fact]
    public void Name_ThatLooksLikeAResponseFile_IsAName() =>
        Read("--module syscall --name @init").Filters.ShouldHaveSingleItem().Bits.Keys.ShouldHaveSingleItem().Text.ShouldBe("@init");

    [Fact]
    public void Enrich_MoreThanTheFieldsShow_IsOnlyWhatTheyShow() =>
        Read("--module syscall --enrich all --fields pid,time").Output.Enrichments.ShouldBe(Enrichments.Time);

    private static SessionOptions Read(string line)
    {
        var flags = new TraceFlags();
        var root = new RootCommand();
        foreach (var option in flags.All)
            root.Add(option);
        return TraceCommand.Read(
            root.Parse(
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries), new ParserConfiguration { ResponseFileTokenReplacer = null }), flags);
    }
}
