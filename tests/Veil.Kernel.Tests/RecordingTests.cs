// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>A recording beside each form of output: what is shown of it is, byte for byte, what the trace showed.</summary>
public sealed class RecordingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-recording").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string File => Path.Combine(_folder, "a");

    [Theory]
    [InlineData("mix 50", "--module syscall")]
    [InlineData("mix 50", "--module syscall --output json --enrich all")]
    [InlineData("mix 50", "--module syscall --returns --enrich time,user,proc")]
    [InlineData("mix 50", "--module syscall --args --output json")]
    [InlineData("mix 50", "--module syscall --args --string-size 100 --fds path")]
    [InlineData("mix 50", "--module syscall --output strace --enrich time --fields duration_ns")]
    [InlineData("mix 50", "--module syscall --fields syscall,pid,time --enrich time")]
    [InlineData("files FOLDER", "--module files --enrich all --output json")]
    [InlineData("opens FOLDER", "--module files,syscall --enrich all")]
    [InlineData("faults write 500", "--module memory --output json --enrich all")]
    [InlineData("switches sleep 50", "--module scheduler --enrich time")]
    [InlineData("processes threads 3 1", "--module process --follow --output json --enrich all")]
    [InlineData("processes threads 3 1", "--module process --follow --output tree")]
    [InlineData("signals sent", "--module signal --output json")]
    [InlineData("net client-closes ipv4", "--module network --output json --enrich all")]
    [InlineData("net client-closes ipv4", "--module network,syscall,memory")]
    [InlineData("uprobe two", "--module uprobe --uprobe PROGRAM:traced_call,PROGRAM:traced_other --latency --output json --yes")]
    public void Replay_WithTheSameFlags_IsWhatTheTraceShowed(string workload, string flags)
    {
        string[] words = flags.Split(' '), run = workload.Replace("FOLDER", _folder, StringComparison.Ordinal).Split(' ');
        words = [.. words.Select(word => word.Replace("PROGRAM", Repository.Workload(run[0]), StringComparison.Ordinal))];
        using var program = Workload.Waiting(run[0], run[1..]);
        using var veil = VeilRun.Attach(["-p", program.Pid, "--record", File, .. words]);
        program.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        veil.RawOutput.ShouldNotBeEmpty();

        // What was traced and how is in the recording; what is shown is asked for again.
        string[] shown = [.. Shown(words)];
        using var replay = VeilRun.ToEnd(["replay", File, .. shown]);
        replay.ExitCode.ShouldBe(0, replay.Errors);
        replay.Lines.ShouldBe(veil.Lines);
        replay.RawOutput.ShouldBe(veil.RawOutput);
    }

    /// <summary>A filter of a replay leaves the lines that the same filter would have let through.</summary>
    [Theory]
    [InlineData("--syscall getppid,close", "\"syscall\":\"(getppid|close)\"")]
    [InlineData("--syscall !getppid", "\"syscall\":\"(?!getppid\")")]
    [InlineData("--syscall getppid --syscall !getppid", "nothing")]
    [InlineData("--name mi --uid root", "\"comm\":\"mix\".*\"uid\":0")]
    [InlineData("--name nobody", "nothing")]
    [InlineData("--uid !0", "nothing")]
    [InlineData("--failed", "\"errno\":\"E")]
    [InlineData("--errno EBADF", "\"errno\":\"EBADF\"")]
    [InlineData("--syscall %desc", "\"syscall\":\"(close|read|write|fstat|openat|mmap)\"")]
    [InlineData("--slower 1d", "nothing")]
    public void Replay_WithAFilter_LeavesWhatItAllows(string flags, string pattern)
    {
        using var mix = Workload.Waiting("mix", "50");
        using var veil = VeilRun.Attach("--module", "syscall", "--returns", "-p", mix.Pid, "--record", File, "--output", "json");
        mix.Go();
        veil.Stop().ShouldBe(0);

        using var replay = VeilRun.ToEnd(["replay", File, "--output", "json", .. flags.Split(' ')]);
        replay.ExitCode.ShouldBe(0, replay.Errors);
        replay.Lines.ShouldBe(veil.Lines.Where(line => System.Text.RegularExpressions.Regex.IsMatch(
            line, pattern, System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1))));
    }

    /// <summary>What the kernel counts of a workload is what is counted of its recording.</summary>
    [Theory]
    [InlineData("--module syscall", "--count")]
    [InlineData("--module syscall", "--count-by comm,syscall --top 3")]
    [InlineData("--module syscall --returns", "--count-by errno --sort errors")]
    [InlineData("--module syscall --returns", "--hist ret --count-by syscall")]
    [InlineData("--module syscall --args", "--count-by args.fd")]
    [InlineData("--module syscall --args", "--count-by syscall,args.filename")]
    public void Replay_ThatCounts_HasTheTableOfTheKernel(string traced, string counted)
    {
        using var mix = Workload.Waiting("mix", "50");
        using var kernel = VeilRun.Attach([.. traced.Split(' '), "-p", mix.Pid, "--output", "json", .. counted.Split(' ')]);
        using var veil = VeilRun.Attach([.. traced.Split(' '), "-p", mix.Pid, "--record", File, "--output", "none"]);
        mix.Go();
        veil.Stop().ShouldBe(0);
        kernel.Stop().ShouldBe(0);

        using var replay = VeilRun.ToEnd(["replay", File, "--output", "json", .. counted.Split(' ')]);
        replay.ExitCode.ShouldBe(0, replay.Errors);
        replay.Events.Select(WithoutTimes).ShouldBe(kernel.Events.Select(WithoutTimes));
    }

    /// <summary>All that are delivered live are recorded, in few bytes.</summary>
    [Fact]
    public void Record_Alone_HasEveryCallInFewBytes()
    {
        const int calls = 1_000_000;
        using var burst = Workload.Waiting("burst", calls.ToString());
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "--output", "none", "--record", File, "--buffer", "256M");
        burst.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        veil.RawOutput.ShouldBeEmpty();

        using var replay = VeilRun.ToEnd("replay", File, "--fields", "syscall", "--quiet");
        replay.ExitCode.ShouldBe(0, replay.Errors);
        replay.Lines.Count(static line => line == "syscall=getppid").ShouldBe(calls);
        new FileInfo(File).Length.ShouldBeLessThan(10 * calls);
    }

    [Fact]
    public void Replay_AfterSigkill_HasAllButTheLastSecondAndSaysSo()
    {
        using var burst = Workload.Waiting("burst", "200000");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "--output", "none", "--record", File);
        burst.Go();
        Thread.Sleep(2_000);
        veil.Signal("KILL");
        veil.WaitForExit();

        using var replay = VeilRun.ToEnd("replay", File, "--fields", "syscall");
        replay.ExitCode.ShouldBe(1);
        replay.Lines.Length.ShouldBeGreaterThan(100_000);
        replay.Errors.ShouldContain(" was not ended: its recorder was killed, had no room on the disk, or still runs; what came after ");
    }

    [Theory]
    [InlineData("--fields ret", "--fields: 'ret': was not recorded: module syscall has it with --returns")]
    [InlineData("--enrich all", "--enrich all: proc, parent, cgroup, container, exe were not recorded; record with --enrich proc,parent,cgroup,container,exe")]
    [InlineData("--module files", "--module: files was not recorded; what was: syscall")]
    [InlineData("--follow", "--follow: a recording has the children that were followed then, and of others it cannot tell whose they are; " +
        "record with --follow, and choose by --pid, --name or --ppid here")]
    [InlineData("--output strace", "--output strace: was not recorded; record with --output strace")]
    public void Replay_OfWhatWasNotRecorded_NamesTheFlag(string flags, string why)
    {
        using var burst = Workload.Waiting("burst", "10");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "--record", File);
        burst.Go();
        veil.Stop().ShouldBe(0);

        using var replay = VeilRun.ToEnd(["replay", File, .. flags.Split(' ')]);
        replay.ExitCode.ShouldBe(2);
        replay.Errors.Trim().ShouldBe($"veil: {why}");
    }

    /// <summary>What is read is never written to, by whatever name it is called.</summary>
    [Theory]
    [InlineData("replay FILE --write FILE", "--write: FILE is the recording that is read; give another name")]
    [InlineData("replay FILE --write FILE.link", "--write: FILE.link is the recording that is read; give another name")]
    [InlineData("replay FILE --write FILE.hard", "--write: FILE.hard is the recording that is read; give another name")]
    [InlineData("export FILE --to chrome --force --out FILE", "--out: FILE is the recording that is read; give another name")]
    [InlineData("export FILE --to chrome --force --out FILE.hard", "--out: FILE.hard is the recording that is read; give another name")]
    public void Replay_OntoTheRecordingItself_IsRefused(string words, string why)
    {
        using var veil = VeilRun.ToEnd("--module", "syscall", "--record", File, "--output", "none", "--", "/bin/true");
        veil.ExitCode.ShouldBe(0, veil.Errors);
        System.IO.File.CreateSymbolicLink(File + ".link", File);
        using var link = VeilRun.ToEndWith("ln", File, File + ".hard");
        byte[] before = System.IO.File.ReadAllBytes(File);

        using var refused = VeilRun.ToEnd(words.Replace("FILE", File, StringComparison.Ordinal).Split(' '));
        refused.ExitCode.ShouldBe(2);
        refused.Errors.Trim().ShouldBe($"veil: {why.Replace("FILE", File, StringComparison.Ordinal)}");
        System.IO.File.ReadAllBytes(File).ShouldBe(before);
    }

    [Fact]
    public void Trace_ThatWritesOntoItsRecording_IsRefused()
    {
        using var veil = VeilRun.ToEnd("--module", "syscall", "--record", File, "--write", _folder + "/./a", "--", "/bin/true");
        veil.ExitCode.ShouldBe(2);
        veil.Errors.Trim().ShouldBe($"veil: --write: {_folder}/./a is the file of --record too; give another name");
        Directory.GetFiles(_folder).ShouldBeEmpty();
    }

    /// <summary>That no event of a kind is there which was never traced says nothing, and is said.</summary>
    [Theory]
    [InlineData("network", "--event DNS", "--event DNS: was not recorded; record with --event DNS")]
    [InlineData("network", "--event RETRANSMIT", "--event RETRANSMIT: was not recorded; record with --event RETRANSMIT")]
    [InlineData("network --event CLOSE", "--event CONNECT", "--event CONNECT: was not recorded; record with --event CONNECT")]
    [InlineData("network", "--event CLOSE", null)]
    [InlineData("files", "--op sync", "--op sync: was not recorded; record with --op sync")]
    [InlineData("files --op sync,unlink", "--op rename", "--op rename: was not recorded; record with --op rename")]
    [InlineData("files --op sync,unlink", "--op unlink", null)]
    [InlineData("signal", "--signal SIGCHLD", "--signal SIGCHLD: was not recorded; record with --signal SIGCHLD")]
    [InlineData("signal --signal SIGCHLD,SIGTERM", "--signal SIGCHLD", null)]
    [InlineData("syscall --syscall openat", "--syscall close", "--syscall close: was not recorded; record with --syscall close")]
    [InlineData("syscall --syscall !openat", "--syscall close", null)]
    [InlineData("syscall --returns", "--args", "--args: was not recorded; record with --args")]
    [InlineData("syscall --slower 1s", "--slower 1ms", "--slower: of module syscall only what took 1s was recorded; record with --slower 1ms")]
    [InlineData("syscall --returns", "--fields comm,kstack", "--fields: 'kstack': was not recorded; record with --stack kernel")]
    public void Replay_OfKindsThatWereNotTraced_NamesTheFlag(string traced, string flags, string? why)
    {
        using var veil = VeilRun.ToEnd(["--module", .. traced.Split(' '), "--record", File, "--output", "none", "--", "/bin/true"]);
        veil.ExitCode.ShouldBe(0, veil.Errors);

        using var replay = VeilRun.ToEnd(["replay", File, "--quiet", .. flags.Split(' ')]);
        replay.Errors.Trim().ShouldBe(why is null ? "" : $"veil: {why}");
        replay.ExitCode.ShouldBe(why is null ? 0 : 2);
    }

    [Theory]
    [InlineData("replay FILE --quiet", "--to")]
    [InlineData("export FILE --quiet --to folded --count-by comm --out -", "--until")]
    public void Replay_OfAnotherTime_SaysWhenTheRecordingWas(string words, string until)
    {
        using var veil = VeilRun.ToEnd("--module", "syscall", "--record", File, "--output", "none", "--", "/bin/true");
        string[] command = words.Replace("FILE", File, StringComparison.Ordinal).Split(' ');

        using var later = VeilRun.ToEnd([.. command, "--from", "10m"]);
        later.Errors.ShouldContain("veil: nothing was recorded at the time that was asked for: the events are of 20");
        using var before = VeilRun.ToEnd([.. command, "--from", "2001-01-01T09:00Z", until, "2001-01-01T10:00Z"]);
        before.Errors.ShouldContain("veil: nothing was recorded at the time that was asked for: the events are of 20");
        using var backwards = VeilRun.ToEnd([.. command, "--from", "2001-01-01T10:00Z", until, "2001-01-01T09:00Z"]);
        backwards.ExitCode.ShouldBe(2);
        backwards.Errors.Trim().ShouldBe($"veil: --from: is later than {until}");
        using var all = VeilRun.ToEnd([.. command, "--from", "0s"]);
        all.Errors.ShouldBeEmpty();
    }

    [Fact]
    public void RecordInfo_AsJson_IsAnObjectALine()
    {
        using var veil = VeilRun.ToEnd("--module", "syscall", "--record", File, "--output", "none", "--", "/bin/true");
        using var info = VeilRun.ToEnd("record-info", File, "-o", "json");
        info.ExitCode.ShouldBe(0, info.Errors);
        var said = info.Events.ShouldHaveSingleItem();
        said.GetProperty("whole").GetBoolean().ShouldBeTrue();
        said.GetProperty("lost").GetInt64().ShouldBe(0);
        using var replay = VeilRun.ToEnd("replay", File, "--fields", "comm");
        said.GetProperty("events").GetInt64().ShouldBe(replay.Lines.Length);
        said.GetProperty("processes").EnumerateArray().Sum(static process => process.GetProperty("events").GetInt64()).ShouldBe(replay.Lines.Length);

        using var unknown = VeilRun.ToEnd("record-info", File, "--pid");
        unknown.ExitCode.ShouldBe(2);
    }

    /// <summary>A flame graph of an export is that of a trace: the outermost frame first.</summary>
    [Fact]
    public void Export_OfStacks_HasTheFramesOfTheReplay()
    {
        using var veil = VeilRun.ToEnd("--module", "syscall", "--stack", "user,kernel", "--record", File, "--output", "none", "--", "/bin/ls");
        veil.ExitCode.ShouldBe(0, veil.Errors);
        using var replay = VeilRun.ToEnd("replay", File, "--count-by", "comm,ustack", "--output", "folded", "--quiet");
        using var export = VeilRun.ToEnd("export", File, "--to", "folded", "--count-by", "comm,ustack", "--out", "-", "--quiet");
        replay.Lines.Length.ShouldBeGreaterThan(3);
        replay.Lines.ShouldContain(static line => line.Count(static letter => letter == ';') > 1);
        export.Lines.Order(StringComparer.Ordinal).ShouldBe(replay.Lines.Order(StringComparer.Ordinal));

        using var speedscope = VeilRun.ToEnd("export", File, "--to", "speedscope", "--count-by", "comm,ustack", "--out", "-", "--quiet");
        speedscope.Events.ShouldHaveSingleItem().GetProperty("shared").GetProperty("frames").EnumerateArray()
            .ShouldAllBe(static frame => !frame.GetProperty("name").GetString()!.Contains(';'));

        // All fields: also the stacks, and only those that are asked for.
        using var whole = VeilRun.ToEnd("export", File, "--to", "chrome", "--out", "-", "--quiet");
        string text = string.Join('\n', whole.Lines);
        text.ShouldContain("\"ustack\":[");
        text.ShouldContain("\"kstack\":[");
        using var user = VeilRun.ToEnd("export", File, "--to", "chrome", "--stack", "user", "--out", "-", "--quiet");
        text = string.Join('\n', user.Lines);
        text.ShouldContain("\"ustack\":[");
        text.ShouldNotContain("\"kstack\"");
    }

    /// <summary>The moment before and the time after are in the file, and what came later is not.</summary>
    [Fact]
    public void Flight_OfAFailedExit_HasWhatWasBeforeAndAfter()
    {
        using var veil = VeilRun.ToEnd(
            "--module", "process", "--record", File, "--flight", "1M", "--trigger", "exit!=0", "--after", "300ms", "--", "bash", "-c",
            "/bin/true; sleep 0.2; bash -c 'exit 3'; /bin/echo; sleep 1; /bin/ls >/dev/null");
        veil.ExitCode.ShouldBe(0);
        string written = Directory.GetFiles(_folder).ShouldHaveSingleItem();
        written.ShouldStartWith(File + "-2");
        veil.Errors.ShouldContain($"veil: wrote {written}: ");
        veil.Errors.ShouldContain("(exit!=0)");

        using var replay = VeilRun.ToEnd("replay", written, "--output", "json");
        replay.ExitCode.ShouldBe(0, replay.Errors);
        var programs = replay.Events.Where(static e => e.GetProperty("evt_type").ValueEquals("EXEC"))
            .Select(static e => Path.GetFileName(e.GetProperty("filename").GetString())).ToList();
        programs.ShouldContain("true");
        programs.ShouldContain("echo");
        programs.ShouldNotContain("ls");
        replay.Events.Count(static e => e.GetProperty("exit_code") is { ValueKind: System.Text.Json.JsonValueKind.Number } code && code.GetInt32() == 3)
            .ShouldBe(1);
    }

    [Fact]
    public void Flight_AskedForByControlAndSignal_WritesEachTimeAndGoesOn()
    {
        string socket = Path.Combine(_folder, "socket"), own = Path.Combine(_folder, "own");
        using var burst = Workload.Waiting("burst", "100000");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "--record", File, "--flight", "1M", "--control", socket);
        burst.Go();
        using var first = VeilRun.ToEnd("control", socket, "dump");
        first.ExitCode.ShouldBe(0, first.Errors);
        using var second = VeilRun.ToEnd("control", socket, "dump", own);
        second.ExitCode.ShouldBe(0, second.Errors);
        using var third = VeilRun.ToEnd("control", socket, "dump", own);
        third.ExitCode.ShouldBe(1);
        third.Errors.ShouldContain("File exists");
        veil.Signal("USR2");
        Thread.Sleep(500);
        veil.Stop().ShouldBe(0);
        veil.RawOutput.ShouldBeEmpty();

        string[] written = Directory.GetFiles(_folder, "a-*");
        written.Length.ShouldBe(2, veil.Errors);
        foreach (string file in written.Append(own))
        {
            using var replay = VeilRun.ToEnd("replay", file, "--syscall", "getppid", "--fields", "syscall");
            replay.ExitCode.ShouldBe(0, replay.Errors);
            replay.Lines.Length.ShouldBe(100_000);
        }
    }

    [Theory]
    [InlineData("--trigger exit!=0", "--trigger exit!=0: no event of this trace says that; trace it too, as by --module process")]
    [InlineData("--trigger exti!=0", "--trigger: 'exti!=0': is none of exit!=0, signal=SEGV, slower=1s, errno=ENOSPC; did you mean 'exit'?")]
    [InlineData("--trigger errno=ENOPSC", "--trigger: 'errno=ENOPSC': unknown error 'ENOPSC'; did you mean 'ENOSPC'?")]
    [InlineData("--after 5s", "--after: there is nothing to wait after without --trigger")]
    [InlineData("--flight 3", "--flight: given more than once, but it takes one value")]
    [InlineData("--record-size 1M", "--flight: makes a new file each time; leave --record-size, --record-keep and --force out")]
    public void Flight_OfWhatCannotBe_IsRefused(string flags, string why)
    {
        using var veil = VeilRun.ToEnd(["--module", "syscall", "--record", File, "--flight", "1M", .. flags.Split(' '), "--", "/bin/true"]);
        veil.ExitCode.ShouldBe(2);
        veil.Errors.Trim().ShouldBe($"veil: {why}");
        Directory.GetFiles(_folder).ShouldBeEmpty();
    }

    /// <summary>Each file stands alone, the oldest go, and the name of the first stands for all.</summary>
    [Fact]
    public void Record_InSeveralFiles_KeepsTheNewest()
    {
        using var burst = Workload.Waiting("burst", "1500000");
        using var veil = VeilRun.Attach(
            "--module", "syscall", "-p", burst.Pid, "--record", File, "--record-size", "64K", "--record-keep", "3", "--output", "none",
            "--buffer", "256M");
        burst.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        string[] files = Directory.GetFiles(_folder);
        files.Length.ShouldBe(3);

        using var all = VeilRun.ToEnd("replay", File, "--fields", "timestamp");
        all.ExitCode.ShouldBe(0, all.Errors);
        var each = files.OrderBy(static file => int.Parse(file.Split('.')[^1])).SelectMany(static file =>
        {
            new FileInfo(file).Length.ShouldBeLessThanOrEqualTo(64 * 1024);
            using var one = VeilRun.ToEnd("replay", file, "--fields", "timestamp");
            one.ExitCode.ShouldBe(0, one.Errors);
            return one.Lines;
        }).ToList();
        all.Lines.ShouldBe(each);
        each.Count.ShouldBeGreaterThan(100_000);
    }

    /// <summary>What was recorded for strace's form alone is no event of another, and is not counted.</summary>
    [Fact]
    public void Replay_OfStraceInAnotherForm_HasTheCallsAlone()
    {
        using var veil = VeilRun.ToEnd("--module", "syscall", "--output", "strace", "--record", File, "--", "sh", "-c", "kill -USR1 $$");
        veil.Errors.ShouldContain("+++ killed by SIGUSR1 +++");

        using var calls = VeilRun.ToEnd("replay", File, "--output", "json");
        calls.ExitCode.ShouldBe(0, calls.Errors);
        calls.Events.Length.ShouldBe(veil.Errors.Split('\n').Count(static line => char.IsAsciiDigit(line.FirstOrDefault())
            && !line.Contains(" +++ ", StringComparison.Ordinal) && !line.Contains(" --- ", StringComparison.Ordinal)));
        calls.Events.Count(static call => call.TryGetProperty("syscall", out _)).ShouldBe(calls.Events.Length);
    }

    /// <summary>A recording may be of a machine with more CPUs than this one.</summary>
    [Fact]
    public void Replay_OfACpuThatThisMachineDoesNotHave_IsNoError()
    {
        using var veil = VeilRun.ToEnd("--module", "scheduler", "--record", File, "--", "/bin/true");
        veil.ExitCode.ShouldBe(0, veil.Errors);

        using var none = VeilRun.ToEnd("replay", File, "--cpu", "8191");
        none.ExitCode.ShouldBe(0, none.Errors);
        none.Lines.ShouldBeEmpty();
        using var all = VeilRun.ToEnd("replay", File, "--cpu", "0-8191", "--quiet");
        all.Lines.ShouldNotBeEmpty();
        all.Lines.ShouldBe(veil.Errors.Split('\n').Where(static line => line.Length > 0 && !line.StartsWith("veil: ", StringComparison.Ordinal)));
    }

    /// <summary>The files that a recording is missing are said, each kind by a line of its own; those that are there are shown.</summary>
    [Fact]
    public void Replay_OfASetWithAGap_SaysSo()
    {
        using var burst = Workload.Waiting("burst", "1500000");
        using var veil = VeilRun.Attach(
            "--module", "syscall", "-p", burst.Pid, "--record", File, "--record-size", "64K", "--output", "none", "--buffer", "256M");
        burst.Go();
        veil.Stop().ShouldBe(0);
        string[] files = [.. Directory.GetFiles(_folder).OrderBy(static file => file.Length).ThenBy(static file => file)];
        files.Length.ShouldBeGreaterThan(4);
        Lines(0, "");

        System.IO.File.Delete(files[^1]);
        Lines(1, "the recording goes on in a next file, which is not there; what came after ");
        System.IO.File.Delete(files[2]);
        Lines(1, $"veil: the recording is not whole: a file is missing between {files[1]} and {files[3]}\n");
        System.IO.File.WriteAllText(files[2], "");
        Lines(1, $"veil: reading {files[2]}: it is empty\n");

        void Lines(int code, string said)
        {
            using var replay = VeilRun.ToEnd("replay", File, "--fields", "timestamp", "--quiet");
            replay.ExitCode.ShouldBe(code, replay.Errors);
            replay.Errors.ShouldContain(said);
            replay.Lines.Length.ShouldBeGreaterThan(1_000);
        }
    }

    /// <summary>A disk that is full as the next file is begun, and has room later: no file is left that cannot be read.</summary>
    [Fact]
    public void Record_DiskFullAsAFileBegins_LeavesNoneThatCannotBeRead()
    {
        // A block of these calls, a MiB before it is compressed, takes 26 pages: the disk has no more when the next file begins.
        const string script = """
            mount -t tmpfs -o size=104k none "$2" || exit 100
            "$1" --module syscall --args --record "$2/a" --record-size 64K --output none --quiet -- \
                timeout 2.5 dd if=/dev/urandom of=/dev/null bs=64 status=none &
            sleep 1.2
            mount -o remount,size=4m "$2" && wait $!
            for file in "$2"/a*; do "$1" record-info "$file" > /dev/null; done
            "$1" replay "$2/a" --count --output json --quiet
            """;
        using var shell = VeilRun.ToEndWith("unshare", "-m", "bash", "-c", script, "bash", Repository.Veil, _folder);

        shell.Errors.ShouldContain("No space left on device: the trace goes on; what cannot be written is counted");
        shell.Errors.ShouldNotContain("it is no recording");
        shell.Errors.ShouldNotContain("damaged");
        shell.Events[^1].GetProperty("total").GetInt64().ShouldBeGreaterThan(20_000, shell.Errors);
    }

    /// <summary>What the disk did not take is missing in the file, and whoever reads that hears how much it is: no event is in neither number.</summary>
    [Theory]
    [InlineData("60k", "")]
    [InlineData("60k", "--args")]
    [InlineData("200k", "--args")]
    public void Record_DiskFull_IsNotWholeForAnyReader(string size, string flags)
    {
        const string script = """
            mount -t tmpfs -o size="$3" none "$2" || exit 100
            "$1" --module syscall $4 --record "$2/a" --output none -- dd if=/dev/zero of=/dev/null bs=16 count=60000 status=none
            "$1" replay "$2/a" --count --output json > "$2.count"; echo "replay $?"
            "$1" record-info "$2/a" | grep ^events; echo "info ${PIPESTATUS[0]}"
            "$1" export "$2/a" --to folded --count-by comm --out - > /dev/null; echo "export $?"
            "$1" diff "$2/a" "$2/a" > /dev/null; echo "diff $?"
            """;
        using var shell = VeilRun.ToEndWith("unshare", "-m", "bash", "-c", script, "bash", Repository.Veil, _folder, size, flags);
        string counted = System.IO.File.ReadAllText(_folder + ".count");
        System.IO.File.Delete(_folder + ".count");

        shell.Errors.ShouldContain("No space left on device: the trace goes on; what cannot be written is counted");
        var lost = System.Text.RegularExpressions.Regex.Matches(
            shell.Errors, @"\d+ events delivered in .* (?<lost>\d+) lost", System.Text.RegularExpressions.RegexOptions.NonBacktracking);
        lost[0].Groups["lost"].Value.ShouldNotBe("0");
        shell.Lines.Where(static line => !line.StartsWith("events", StringComparison.Ordinal)).ShouldBe(["replay 1", "info 1", "export 1", "diff 2"]);
        shell.Lines.ShouldContain(line => line.StartsWith("events", StringComparison.Ordinal) && line.EndsWith($", {lost[0].Groups["lost"].Value} lost", StringComparison.Ordinal));
        shell.Errors.ShouldContain($"{File} is not whole: {lost[0].Groups["lost"].Value} events that were to be in it could not be written");
        counted.ShouldContain("\"total\"");
    }

    /// <summary>A full disk has all the lines that were delivered, none by half, and the rest is counted.</summary>
    [Fact]
    public void Write_DiskFull_HasTheLinesThatFitAndCountsTheRest()
    {
        const string script = """
            mount -t tmpfs -o size=64k none "$2" || exit 100
            "$1" --module files --output json --write "$2/a" -- find /etc /usr/include > /dev/null
            cat "$2/a"
            """;
        using var shell = VeilRun.ToEndWith("unshare", "-m", "bash", "-c", script, "bash", Repository.Veil, _folder);

        shell.Errors.ShouldContain("veil: writing the output: No space left on device\n");
        shell.Errors.ShouldContain($"veil: {shell.Events.Length} events delivered in ");
        shell.RawOutput.Length.ShouldBeGreaterThan(65_536 - 2_000);
        shell.RawOutput[^1].ShouldBe((byte)'\n');
    }

    /// <summary>It needs no rights but to the file.</summary>
    [Fact]
    public void Replay_AsNobody_IsTheSame()
    {
        using var burst = Workload.Waiting("burst", "100");
        using var veil = VeilRun.Attach("--module", "syscall", "-p", burst.Pid, "--record", File, "--enrich", "all");
        burst.Go();
        veil.Stop().ShouldBe(0);

        using var replay = VeilRun.ToEndWith(
            "bash", "-c",
            "exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --no-new-privs \"$1\" replay - --enrich all <\"$2\"",
            "bash", Repository.Veil, File);
        replay.ExitCode.ShouldBe(0, replay.Errors);
        replay.Lines.ShouldBe(veil.Lines);
    }

    // How long a call took is not the same for two tracers.
    private static string WithoutTimes(System.Text.Json.JsonElement row)
    {
        string[] times = ["seconds", "sum", "avg", "max", "all", "other"];
        return string.Join(' ', row.EnumerateObject().Where(field => !times.Contains(field.Name)).Select(static field => $"{field.Name}={field.Value}"));
    }

    private static IEnumerable<string> Shown(string[] words)
    {
        for (int i = 0; i < words.Length; i++)
        {
            if (words[i] is "--output" or "--enrich" or "--fields")
            {
                yield return words[i];
                yield return words[++i];
            }
        }
    }
}
