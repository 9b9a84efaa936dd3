// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>Counting in the kernel: exact at any rate, by any field, on every hook.</summary>
public sealed partial class CountTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-count-").FullName;

    public static TheoryData<string> SyscallHooks => [.. Rungs.Exact("syscall")];

    public static TheoryData<string> FilesHooks => [.. Rungs.Exact("files")];

    public static TheoryData<string> MemoryHooks => [.. Rungs.Exact("memory")];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(SyscallHooks))]
    public void Syscall_AtFullSpeed_IsExact(string hook)
    {
        const ulong calls = 1_000_000;
        using var burst = Workload.Waiting("burst", calls.ToString());
        using var veil = VeilRun.Attach("-m", "syscall", "--hook", hook, "-p", burst.Pid, "--count", "-o", "json");
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.ShouldAccountFor((long)Count(veil, "syscall", "getppid"), (long)calls);
        if (veil.HasSkippedNothing)
            SumIsTotal(veil).ShouldBeInRange(calls + 1, calls + 5);
        veil.Errors.ShouldContain(" events counted in ");
        veil.ShouldHaveLostNothing();
    }

    [Theory]
    [InlineData("pid")]
    [InlineData("tid")]
    [InlineData("uid")]
    [InlineData("gid")]
    [InlineData("comm")]
    [InlineData("syscall")]
    [InlineData("syscall_nr")]
    [InlineData("arch")]
    [InlineData("timestamp")]
    [InlineData("ret")]
    [InlineData("errno")]
    [InlineData("errno_nr")]
    [InlineData("duration_ns")]
    public void Syscall_ByEveryField_LosesNone(string field)
    {
        using var burst = Workload.Waiting("burst", "2000");
        string[] returns = field is "ret" or "errno" or "errno_nr" or "duration_ns" ? ["--returns"] : [];
        using var veil = VeilRun.Attach(["-m", "syscall", "-p", burst.Pid, "-s", "getppid", "--count-by", field, "-o", "json", .. returns]);
        burst.Go();
        veil.Stop().ShouldBe(0);

        SumIsTotal(veil).ShouldBe(2_000ul);
        string? expected = field switch
        {
            "pid" or "tid" => burst.Pid,
            "uid" or "gid" => "0",
            "comm" => "burst",
            "syscall" => "getppid",
            "errno_nr" => "0",
            _ => null,
        };
        if (expected is not null)
            Count(veil, field, expected).ShouldBe(2_000ul);
        if (field == "errno")
            veil.Events[0].GetProperty("errno").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [MemberData(nameof(SyscallHooks))]
    public void Syscall_ByAnArgument_CountsStringsNumbersAndWhatCannotBeRead(string hook)
    {
        using var descriptors = Workload.Waiting("descriptors", _folder);
        using var veil = VeilRun.Attach(
            "-m", "syscall", "--hook", hook, "-p", descriptors.Pid, "-s", "open,openat,close", "--count-by", "args.filename", "-o", "json");
        descriptors.Go();
        veil.Stop().ShouldBe(0);

        Count(veil, "args.filename", "/dev/null").ShouldBe(1ul);
        Count(veil, "args.filename", "/no/such/file").ShouldBe(1ul); // read at the end
        Count(veil, "args.filename", "0x1").ShouldBe(1ul);
        veil.Events[^1].GetProperty("no_field").GetInt64().ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Syscall_ByADescriptor_CountsIt()
    {
        using var returns = Workload.Waiting("returns", "close");
        using var veil = VeilRun.Attach("-m", "syscall", "-p", returns.Pid, "-s", "close", "--count-by", "args.fd", "-o", "json");
        returns.Go();
        veil.Stop().ShouldBe(0);

        Count(veil, "args.fd", "-1").ShouldBe(1ul);
    }

    [Theory]
    [InlineData("--count-by args.filenam", "--count-by: no call has an argument 'filenam'; did you mean 'args.filename'?")]
    [InlineData("--count-by args.argv", "--count-by: 'args.argv' is no number and no string: it points to something larger")]
    public void Arguments_ThatAreNoKey_AreRefused(string flags, string expected)
    {
        var veil = VeilRun.ToEnd(["-m", "syscall", "-p", "1", .. flags.Split(' ')]);

        veil.ExitCode.ShouldBe(2);
        veil.Errors.Trim().ShouldBe("veil: " + expected);
    }

    /// <summary>An event that comes when counts have ended cannot be counted by itself.</summary>
    [Fact]
    public void Count_OfWhatComesAtTheEndAlone_IsRefused()
    {
        var veil = VeilRun.ToEnd("-m", "network", "-p", "1", "--event", "OPEN", "--count");

        veil.ExitCode.ShouldBe(2);
        veil.Errors.Trim().ShouldBe(
            "veil: --event: what is asked for comes as the trace ends, when counts have ended; with --record FILE it is counted, or leave " +
            "the count out");
    }

    /// <summary>A filter that changes, threads on all CPUs, and tables that take turns: each call is in one of them.</summary>
    [Fact]
    public void Interval_WhileTwoProcessesRun_EveryCallIsInOneTable()
    {
        const ulong calls = 2_000_000;
        using var one = Workload.Waiting("burst", calls.ToString());
        using var other = Workload.Waiting("burst", calls.ToString());
        using var veil =
            VeilRun.Attach(
            "-m", "syscall", "-p", one.Pid, other.Pid, "-s", "getppid", "--count-by", "pid", "--interval", "0.1", "-o", "json");
        one.Begin();
        other.Begin();
        one.Finish();
        other.Finish();
        veil.Stop().ShouldBe(0);

        veil.Events.Count(static record => record.TryGetProperty("total", out _)).ShouldBeGreaterThan(3);
        veil.Events.ShouldAllBe(static record => record.GetProperty("time").GetString()!.EndsWith('Z'));
        veil.ShouldAccountFor((long)Count(veil, "pid", one.Pid), (long)calls);
        veil.ShouldAccountFor((long)Count(veil, "pid", other.Pid), (long)calls);
        veil.ShouldAccountFor((long)SumIsTotal(veil), 2 * (long)calls);
    }

    /// <summary>The moment between the last interval and the end is no interval.</summary>
    [Fact]
    public void Interval_ThatTheEndFallsOn_HasNoEmptyTableBehindIt()
    {
        using var burst = Workload.Waiting("burst", "100");
        using var veil =
            VeilRun.Attach(
            "-m", "syscall", "-p", burst.Pid, "-s", "getppid", "--count", "--interval", "1s", "--duration", "2s", "-o", "json");
        burst.Go();
        veil.WaitForExit().ShouldBe(0);

        var totals = veil.Events.Where(static e => e.TryGetProperty("total", out _)).ToList();
        totals.Sum(static e => e.GetProperty("total").GetInt64()).ShouldBe(100);
        totals.Count.ShouldBe(2);
    }

    /// <summary>On a machine that has no CPU to spare: a table's time and seconds are those of the switch, and intervals keep to the first
    /// one's beat.</summary>
    [Fact]
    public void Interval_OnABusyMachine_TablesFollowEachOtherWithoutGapOrDrift()
    {
        const double interval = 0.2;
        using var load = Workload.Waiting("switches", "crowd", "3000");
        using var veil = VeilRun.Attach("-m", "syscall,scheduler", "-p", load.Pid, "--count-by", "pid", "--interval", "0.2", "-o", "json");
        load.Go();
        veil.Stop().ShouldBe(0);

        foreach (string module in new[] { "syscall", "scheduler" })
        {
            var tables =
                veil.Events.Where(record => record.TryGetProperty("total", out _) && record.GetProperty("module").ValueEquals(module))
                .Select(static record =>
                    (At: Seconds(record.GetProperty("time").GetString()!), Length: record.GetProperty("seconds").GetDouble())).ToList();
            tables.Count.ShouldBeGreaterThan(10);
            for (int i = 1; i < tables.Count; i++)
                tables[i].Length.ShouldBe(tables[i].At - tables[i - 1].At, 0.002);
            // The reader may get its CPU late, but what comes late once is not late for ever: most are on the beat.
            var offBeat = tables[1..^1]
                .ConvertAll(table => Math.Abs(table.At - tables[0].At - Math.Round((table.At - tables[0].At) / interval) * interval))
                .Order().ToList();
            offBeat[offBeat.Count / 2].ShouldBeLessThan(0.03);
        }

        // Several modules are switched together.
        veil.Events.Where(static record => record.TryGetProperty("total", out _))
            .GroupBy(static record => record.GetProperty("time").GetString()).ShouldAllBe(static group => group.Count() == 2);
    }

    [Fact]
    public void Interval_Text_SaysWhenAndHowLong()
    {
        using var burst = Workload.Waiting("burst", "100");
        using var veil = VeilRun.Attach("-m", "syscall", "-p", burst.Pid, "-s", "getppid", "--count", "--interval", "86400");
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines[0].ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+[+-]\d\d:\d\d  \d+\.\d{3} s$");
        veil.Lines[1].ShouldBe("syscall by syscall: 100 events, 1 key");
    }

    /// <summary>At the prompt no table appears; after it they go on, with what the pause dropped.</summary>
    [Fact]
    public void Prompt_WithInterval_PrintsNoTable()
    {
        using var hold = Workload.Waiting("hold", "0");
        hold.Begin();
        using var terminal = new Terminal($"{Repository.Veil} -m syscall -p {hold.Pid} -s getppid --count --interval 0.1; echo code=$?");
        terminal.WaitFor("events, 1 key");
        terminal.WaitFor("events, 1 key");
        terminal.Type("\u0003");
        terminal.WaitFor("veil $ ");
        int before = terminal.Screen.Length;
        terminal.Type("status");
        Thread.Sleep(1_000); // Ten tables' time: what must not come cannot be waited for.
        terminal.Screen[before..].ShouldNotContain("syscall by syscall");
        terminal.Type("\nresume\n");
        // The prompt's answer and the first table come from two threads: after the third table both are there.
        for (int table = 0; table < 3; table++)
            terminal.WaitFor("events, 1 key");
        terminal.Screen[before..].ShouldMatch(@"resumed; [1-9]\d* events dropped while paused");
        terminal.Screen[before..].ShouldMatch(@" [1-9]\d* +\(dropped while paused\)");
        terminal.Type("\u0003");
        terminal.WaitFor("veil $ ");
        terminal.Type("quit\n");
        terminal.WaitFor("code=0");
    }

    /// <summary>Few keys or many, small numbers or not: no more are kept than was asked for, and the rest is counted.</summary>
    [Theory]
    [InlineData("syscall_nr", "3")]
    [InlineData("syscall", "2")]
    [InlineData("ret", "1")]
    public void Keys_Few_NoMoreAreKept(string field, string keys)
    {
        using var mix = Workload.Waiting("mix", "1000");
        using var veil =
            VeilRun.Attach(
            "-m", "syscall", "--returns", "-p", mix.Pid, "-s", "getppid,getuid,close,openat", "--count-by", field, "--keys", keys, "-o",
            "json");
        mix.Go();
        veil.Stop().ShouldBe(0);

        SumIsTotal(veil).ShouldBe(10_000ul);
        var total = veil.Events.Single(static record => record.TryGetProperty("total", out _));
        total.GetProperty("keys").GetInt32().ShouldBe(int.Parse(keys));
        veil.Events.Count(static record => record.TryGetProperty("count", out _)).ShouldBe(int.Parse(keys));
        if (field == "syscall_nr")
            total.GetProperty("map_full").GetUInt64().ShouldBe(1_000ul); // the rarest of the four
    }

    [Fact]
    public void Keys_MoreThanThereIsRoomFor_AreALineOfTheirOwn()
    {
        using var spawner = Workload.Waiting("spawner", "200", "crowd");
        using var veil = VeilRun.Attach("-m", "syscall", "--name", "crowd", "-s", "getppid", "--count-by", "timestamp", "--keys", "50");
        spawner.Go();
        veil.Stop().ShouldBe(0);

        var counted = Counted().Matches(string.Join('\n', veil.Lines))
            .Select(static match => (Count: ulong.Parse(match.Groups["count"].Value), Key: match.Groups["key"].Value)).ToList();
        veil.ShouldAccountFor((long)counted.Aggregate(0ul, static (sum, line) => sum + line.Count), 200);
        counted.Single(static line => line.Key.StartsWith("(other: 50 keys", StringComparison.Ordinal)).Count.ShouldBeGreaterThan(100ul);
        counted.ShouldContain(static line => line.Key.EndsWith("more keys; --top shows them)", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_ByPath_CountsEachAndCutsLongOnes()
    {
        string plain = Path.Combine(_folder, "plain"), folder = Path.Combine(_folder, new string('d', 200)),
        deep = Path.Combine(folder, new string('f', 200)), odd = Path.Combine(_folder, "o\u0001d\"d");
        Directory.CreateDirectory(folder);
        string script =
            $"dd if=/dev/zero of='{plain}' bs=1 count=20000 status=none; dd if=/dev/zero of='{deep}' bs=1 count=300 status=none; dd " +
            $"if=/dev/zero of='{odd}' bs=1 count=200 status=none";
        using var veil = VeilRun.Attach("-m", "files", "--name", "dd", "--op", "write", "--count", "-o", "json");
        using (var run = VeilRun.ToEndWith("bash", "-c", script))
            run.ExitCode.ShouldBe(0);
        veil.Stop().ShouldBe(0);

        Count(veil, "filename", plain).ShouldBe(20_000ul);
        Count(veil, "filename", deep[..256]).ShouldBe(300ul);
        Count(veil, "filename", odd).ShouldBe(200ul);
        SumIsTotal(veil).ShouldBe(20_500ul);
    }

    [Theory]
    [MemberData(nameof(FilesHooks))]
    public void Files_HistogramOfBytes_IsExactOnEveryHook(string hook)
    {
        using var veil = VeilRun.Attach("-m", "files", "--hook", hook, "--name", "dd", "--op", "write", "--hist", "bytes", "-o", "json");
        using (var run = VeilRun.ToEndWith(
            "bash", "-c",
            $"dd if=/dev/zero of={_folder}/a bs=1 count=700 status=none; dd if=/dev/zero of={_folder}/b bs=4096 count=30 status=none"))
            run.ExitCode.ShouldBe(0);
        veil.Stop().ShouldBe(0);

        var buckets = veil.Events[0].GetProperty("buckets").EnumerateArray()
            .ToDictionary(
            static bucket => bucket.GetProperty("from").GetUInt64(), static bucket => bucket.GetProperty("count").GetUInt64());
        buckets.ShouldBe(new Dictionary<ulong, ulong> { [1] = 700, [4096] = 30 }, ignoreOrder: true);
        SumIsTotal(veil).ShouldBe(730ul);
    }

    [Fact]
    public void Histogram_OfDurations_ByKey_HasEveryCallAndItsUnit()
    {
        using var burst = Workload.Waiting("burst", "50000");
        using var veil = VeilRun.Attach("-m", "syscall", "--returns", "-p", burst.Pid, "--hist", "duration_ns", "--count-by", "syscall");
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines[0].ShouldStartWith("syscall by syscall, duration_ns: ");
        veil.Lines[1].ShouldStartWith("  syscall=getppid: 50000, ");
        veil.Lines.ShouldContain(static line => Bar().IsMatch(line));
    }

    [Theory]
    [InlineData("dport")]
    [InlineData("saddr")]
    [InlineData("newstate")]
    [InlineData("duration_ns")]
    public void Network_ByAnyField_CountsEveryChange(string field)
    {
        using var workload = Workload.Waiting("net", "client-closes", "ipv6");
        string server = workload.ReadAhead("server_pid");
        using var events = VeilRun.Attach("-m", "network", "-p", workload.Pid, server, "-o", "json");
        using var veil = VeilRun.Attach("-m", "network", "-p", workload.Pid, server, "--count-by", field, "-o", "json");
        workload.Go();
        events.Stop().ShouldBe(0);
        veil.Stop().ShouldBe(0);

        SumIsTotal(veil).ShouldBe((ulong)events.Events.Length);
        var total = veil.Events.Single(static record => record.TryGetProperty("total", out _));
        total.GetProperty("no_field").GetUInt64()
            .ShouldBe(
            field == "duration_ns" ? (ulong)events.Events.Count(static record => !record.TryGetProperty("duration_ns", out _)) : 0);
        if (field == "saddr")
            veil.Events.Where(static record => record.TryGetProperty("saddr", out _))
                .Select(static record => record.GetProperty("saddr").GetString()).ShouldContain("::1");
    }

    [Theory]
    [InlineData("scheduler", "prev_state")]
    [InlineData("scheduler", "next_comm")]
    [InlineData("scheduler", "cpu")]
    public void Scheduler_ByField_CountsEverySwitch(string module, string field)
    {
        using var workload = Workload.Waiting("switches", "sleep", "100");
        using var events = VeilRun.Attach("-m", module, "-p", workload.Pid, "-o", "json");
        using var veil = VeilRun.Attach("-m", module, "-p", workload.Pid, "--count-by", field, "-o", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);
        events.Stop().ShouldBe(0);

        // What is of one side is counted where that side is the one that was asked for.
        string? side = field switch { "prev_state" => "prev_pid", "next_comm" => "next_pid", _ => null };
        ulong expected = (ulong)events.Events.Count(record => side is null || record.GetProperty(side).GetRawText() == workload.Pid);
        // The two ended one after the other, and the workload's last switch may lie between.
        SumIsTotal(veil).ShouldBeInRange(expected - 2, expected + 2);
    }

    [Theory]
    [MemberData(nameof(MemoryHooks))]
    public void Memory_ByKind_CountsEveryFault(string hook)
    {
        using var workload = Workload.Waiting("faults", "write", "1000");
        using var veil = VeilRun.Attach("-m", "memory", "--hook", hook, "-p", workload.Pid, "--count", "-o", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        Count(veil, "evt_type", "minor").ShouldBeGreaterThanOrEqualTo(1_000ul);
        SumIsTotal(veil).ShouldBe(Count(veil, "evt_type", "minor") + Count(veil, "evt_type", "major"));
    }

    [Fact]
    public void Uprobe_TwoFunctions_AreOneTable()
    {
        using var workload = Workload.Waiting("uprobe", "calls");
        using var veil =
            VeilRun.Attach(
            "-m", "uprobe", "-p", workload.Pid, "--uprobe", Repository.Workload("uprobe") + ":traced_call", "--uprobe",
            Repository.Workload("uprobe") + ":traced_other", "--count", "-o", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        Count(veil, "symbol", "traced_call").ShouldBe(1_000ul);
        veil.Events.Count(static record => record.TryGetProperty("total", out _)).ShouldBe(1);
    }

    [Fact]
    public void Modules_Several_AreATableEach()
    {
        using var burst = Workload.Waiting("burst", "1000");
        using var veil = VeilRun.Attach("-m", "syscall,files", "-p", burst.Pid, "--count-by", "comm");
        burst.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.Where(static line => !line.StartsWith(' ')).Select(static line => line.Split(':')[0])
            .ShouldBe(["syscall by comm", "files by comm"]);
    }

    [Fact]
    public void Pause_KeepsEventsOutOfTheCounts()
    {
        using var burst = Workload.Waiting("burst", "5000");
        string path = Path.Combine(_folder, "v.sock");
        using var veil = VeilRun.Attach("-m", "syscall", "-p", burst.Pid, "-s", "getppid", "--count", "-o", "json", "--control", path);
        using var client = new SocketClient(path);
        client.Ask("status").ShouldNotBeNull().ShouldContain("syscall  by tp_btf, counting in the kernel by syscall, 0 lost");
        client.Do("pause");
        burst.Go();
        client.Ask("resume").ShouldBe("OK resumed; 5000 events dropped while paused");
        veil.Stop().ShouldBe(0);

        SumIsTotal(veil).ShouldBe(0ul);
        veil.Events.ShouldHaveSingleItem().GetProperty("dropped_paused").GetUInt64().ShouldBe(5_000ul);
        veil.Errors.ShouldContain("5000 dropped while paused");
    }

    private static double Seconds(string time) =>
        (DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture) - DateTimeOffset.UnixEpoch).TotalSeconds;

    // The counts of a key, in all tables.
    private static ulong Count(VeilRun veil, string field, string key) => veil.Events
        .Where(record => record.TryGetProperty("count", out _) && record.TryGetProperty(field, out var value) && value.ToString() == key)
        .Aggregate(0ul, static (sum, record) => sum + record.GetProperty("count").GetUInt64());

    private static ulong SumIsTotal(VeilRun veil)
    {
        ulong counted = 0, total = 0;
        foreach (var record in veil.Events)
        {
            if (record.TryGetProperty("count", out var count))
                counted += count.GetUInt64();
            else
                total += record.GetProperty("total").GetUInt64() - record.GetProperty("map_full")
                    .GetUInt64() - record.GetProperty("no_field").GetUInt64();
        }

        counted.ShouldBe(total);
        return veil.Events.Where(static record => record.TryGetProperty("total", out _))
            .Aggregate(0ul, static (sum, record) => sum + record.GetProperty("total").GetUInt64());
    }

    [GeneratedRegex(@"^ +(?<count>[0-9]+) +[0-9.]+%  (?<key>.*)$", RegexOptions.Multiline, 1_000)]
    private static partial Regex Counted();

    [GeneratedRegex(@"^ +\[[0-9.]+(?:ns|us|ms), [0-9.]+(?:ns|us|ms)\) +[0-9]+ \|@+ *\|$", RegexOptions.None, 1_000)]
    private static partial Regex Bar();
}
