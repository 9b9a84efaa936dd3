// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>Numbers that are added up in the kernel, by one key or several, against what a program knows of itself, and strace.</summary>
public sealed partial class CountSumsTests : IDisposable
{
    private const long Rounds = 200_000;
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-sums-").FullName;

    public static TheoryData<string> SyscallHooks => [.. Rungs.Exact("syscall")];

    public static TheoryData<string> FilesHooks => [.. Rungs.Exact("files")];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The addresses of so many maps are more than 64 bits together.</summary>
    [Theory]
    [MemberData(nameof(SyscallHooks))]
    public void Sum_OfResults_IsExactBeyond64Bits(string hook)
    {
        using var totals = Workload.Waiting("totals", Rounds.ToString(CultureInfo.InvariantCulture));
        using var veil = VeilRun.Attach(
            "-m", "syscall", "--returns", "--hook", hook, "-p", totals.Pid, "-s", "mmap,pread64,close,openat,clock_nanosleep", "--sum", "ret",
            "--count-by", "syscall", "-o", "json");
        totals.Go();
        veil.Stop().ShouldBe(0);

        if (veil.HasSkippedNothing)
            ShouldHaveCountedAll(veil, totals);
    }

    private static void ShouldHaveCountedAll(VeilRun veil, Workload totals)
    {
        var maps = Row(veil, ("syscall", "mmap"));
        UInt128 addresses = ((UInt128)ulong.Parse(totals["addresses_high"], CultureInfo.InvariantCulture) << 64)
            + ulong.Parse(totals["addresses_low"], CultureInfo.InvariantCulture);
        addresses.ShouldBeGreaterThan(ulong.MaxValue);
        Sum(maps).ShouldBe(addresses);
        maps.GetProperty("max").GetUInt64().ShouldBe((ulong)totals.Number("highest"));
        maps.GetProperty("count").GetInt64().ShouldBe(Rounds);
        Errors(maps).ShouldBe(0);
        var reads = Row(veil, ("syscall", "pread64"));
        Sum(reads).ShouldBe((UInt128)(Rounds / 4 * (1 + 100 + 4096 + 65536)));
        reads.GetProperty("max").GetUInt64().ShouldBe(65536ul);
        reads.GetProperty("avg").GetDouble().ShouldBe((1 + 100 + 4096 + 65536) / 4.0);
        var closes = Row(veil, ("syscall", "close"));
        (Sum(closes), Errors(closes), closes.GetProperty("unknown").GetInt64()).ShouldBe(((UInt128)0, Rounds, Rounds));
        closes.GetProperty("max").ValueKind.ShouldBe(JsonValueKind.Null);
        Errors(Row(veil, ("syscall", "openat"))).ShouldBe(Rounds);
    }

    /// <summary>The first key is the one that took longest, and not the one that was counted most.</summary>
    [Theory]
    [InlineData]
    [InlineData("--interval", "0.1")]
    public void Sum_OfDurations_IsWhatTheProgramMeasured(params string[] interval)
    {
        using var totals = Workload.Waiting("totals", "1000");
        using var veil = VeilRun.Attach(["-m", "syscall", "--returns", "-p", totals.Pid, "--sum", "duration_ns", "-o", "json", .. interval]);
        totals.Go();
        veil.Stop().ShouldBe(0);

        var naps = veil.Events.Where(static row => Is(row, "syscall", "clock_nanosleep")).ToList();
        naps.Sum(static row => row.GetProperty("count").GetInt64()).ShouldBe(5);
        ((long)naps.Aggregate((UInt128)0, static (sum, row) => sum + Sum(row))).ShouldBeInRange(5 * 20_000_000, totals.Number("slept"));
        naps.Max(static row => row.GetProperty("max").GetInt64()).ShouldBeInRange(20_000_000, totals.Number("longest"));
        if (interval.Length == 0)
            veil.Events[0].GetProperty("syscall").GetString().ShouldBe("clock_nanosleep");
    }

    /// <summary>Who asks for the sum need not say that durations shall be measured.</summary>
    [Fact]
    public void Sum_OfDurationsOfFiles_NeedsNoOtherFlag()
    {
        string file = Path.GetTempFileName();
        try
        {
            var run = VeilRun.ToEnd(
                "-m", "files", "--op", "sync", "--sum", "duration_ns", "--count-by", "filename", "-o", "json", "--", "sh", "-c",
                $"for i in 1 2 3; do sync {file}; done");
            run.ExitCode.ShouldBe(0, run.Errors);

            // Events of a program that is started go to standard error.
            var row = run.Errors.Split('\n').Where(static line => line.StartsWith('{')).Select(static line => JsonDocument.Parse(line).RootElement)
                .Single(row => Is(row, "filename", file));
            row.GetProperty("count").GetInt64().ShouldBe(3);
            Sum(row).ShouldBeGreaterThan((UInt128)0);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void CountBy_FourFields_IsAKeyEach()
    {
        using var totals = Workload.Waiting("totals", "1000");
        using var veil = VeilRun.Attach(
            "-m", "syscall", "-p", totals.Pid, "-s", "openat", "--count-by", "args.filename,args.flags,errno,ppid", "--sort", "errors", "-o", "json");
        totals.Go();
        veil.Stop().ShouldBe(0);

        string parent = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        foreach (string flags in new[] { "O_RDONLY", "O_RDONLY|O_PATH" })
        {
            var none = Row(veil, ("args.filename", "/veil/none"), ("args.flags", flags), ("errno", "ENOENT"), ("ppid", parent));
            var file = Row(veil, ("args.filename", "/dev/null/none"), ("args.flags", flags), ("errno", "ENOTDIR"), ("ppid", parent));
            (none.GetProperty("count").GetInt64(), Errors(none), file.GetProperty("count").GetInt64()).ShouldBe((250, 250, 250));
        }

        veil.Events.Count(static row => row.TryGetProperty("count", out _)).ShouldBe(5); // and the one of /dev/zero, without an error
    }

    /// <summary>Of more keys than there is room for the totals are still those of all.</summary>
    [Fact]
    public void Keys_TooFew_TotalsAreThoseOfAll()
    {
        using var totals = Workload.Waiting("totals", "4000");
        using var veil = VeilRun.Attach(
            "-m", "syscall", "--returns", "-p", totals.Pid, "-s", "pread64,mmap", "--sum", "ret", "--count-by", "syscall,ret", "--keys", "2", "-o", "json");
        totals.Go();
        veil.Stop().ShouldBe(0);

        var closing = veil.Events.Single(static row => row.TryGetProperty("total", out _));
        var addresses = (UInt128)ulong.Parse(totals["addresses_low"], CultureInfo.InvariantCulture);
        Sum(closing.GetProperty("all")).ShouldBe(addresses + (1000 * (1 + 100 + 4096 + 65536)));
        var shown = veil.Events.Where(static row => row.TryGetProperty("count", out _)).ToList();
        shown.Count.ShouldBe(2);
        shown.Aggregate(Sum(closing.GetProperty("other")), static (sum, row) => sum + Sum(row)).ShouldBe(Sum(closing.GetProperty("all")));
        closing.GetProperty("total").GetInt64().ShouldBe(8_000);
    }

    [Theory]
    [MemberData(nameof(FilesHooks))]
    public void Files_BytesByTwoTexts_AreExact(string hook)
    {
        string plain = Path.Combine(_folder, "plain"), deep = Path.Combine(_folder, new string('d', 250));
        using var veil = VeilRun.Attach(
            "-m", "files", "--hook", hook, "--name", "dd", "--op", "write", "--sum", "bytes", "--count-by", "filename,comm,op", "-o", "json");
        using (var run = VeilRun.ToEndWith(
            "bash", "-c", $"dd if=/dev/zero of={plain} bs=4096 count=300 status=none; dd if=/dev/zero of={deep} bs=10 count=7 status=none"))
            run.ExitCode.ShouldBe(0);
        veil.Stop().ShouldBe(0);

        var row = Row(veil, ("filename", plain), ("comm", "dd"), ("op", "write"));
        (Sum(row), row.GetProperty("count").GetInt64(), row.GetProperty("max").GetInt64()).ShouldBe(((UInt128)(300 * 4096), 300, 4096));
        Sum(Row(veil, ("filename", deep[..256]))).ShouldBe((UInt128)70);
    }

    [Fact]
    public void Scheduler_KeysOfBothSides_CountEverySwitch()
    {
        using var workload = Workload.Waiting("switches", "sleep", "100");
        using var events = VeilRun.Attach("-m", "scheduler", "-p", workload.Pid, "-o", "json");
        using var veil = VeilRun.Attach("-m", "scheduler", "-p", workload.Pid, "--count-by", "prev_pid,next_pid", "-o", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);
        events.Stop().ShouldBe(0);

        // The two ended one after the other, and the workload's last switch may lie between.
        long counted = veil.Events.Single(static row => row.TryGetProperty("total", out _)).GetProperty("total").GetInt64();
        counted.ShouldBeInRange(events.Events.Length - 2, events.Events.Length + 2);
    }

    /// <summary>Calls and errors are those of <c>strace -c</c>.</summary>
    [Fact]
    public void Count_OfACommand_IsThatOfStrace()
    {
        string table = Path.Combine(_folder, "strace"), counts = Path.Combine(_folder, "veil");
        using (var strace = VeilRun.ToEndWith("strace", "-f", "-c", "-o", table, Repository.Workload("mix"), "1000"))
            strace.ExitCode.ShouldBe(0);
        VeilRun.ToEnd("--count", "-o", "json", "-w", counts, "--", Repository.Workload("mix"), "1000").ExitCode.ShouldBe(0);

        var rows = File.ReadLines(counts).Select(static line => JsonDocument.Parse(line).RootElement)
            .Where(static row => row.TryGetProperty("count", out _)).ToDictionary(static row => row.GetProperty("syscall").GetString()!);
        var theirs = StraceRow().Matches(File.ReadAllText(table)).Select(static match => match.Groups)
            .Where(static row => row["call"].Value != "total").ToList();
        theirs.Count.ShouldBeGreaterThan(5);
        foreach (var row in theirs)
        {
            var own = rows[row["call"].Value];
            own.GetProperty("count").GetInt64().ShouldBe(long.Parse(row["calls"].Value, CultureInfo.InvariantCulture), row["call"].Value);
            Errors(own).ShouldBe(row["errors"].Success ? long.Parse(row["errors"].Value, CultureInfo.InvariantCulture) : 0, row["call"].Value);
        }
    }

    [Theory]
    [InlineData("-m scheduler --count --sort errors", "--sort errors: these events of module scheduler have none")]
    [InlineData("-m syscall --count --sort sum", "--sort sum: nothing of module syscall is added up; --sum FIELD does that")]
    [InlineData("-m syscall --sum duration_ns", "--sum: 'duration_ns': module syscall has it with --returns")]
    [InlineData("-m syscall --returns --sum comm", "--sum: 'comm' is not a quantity in module syscall; --count-by comm counts it")]
    public void Sums_ThatAreNot_AreRefused(string flags, string expected)
    {
        var veil = VeilRun.ToEnd([.. flags.Split(' '), "-p", "1"]);

        veil.ExitCode.ShouldBe(2);
        veil.Errors.ShouldStartWith("veil: " + expected);
    }

    private static JsonElement Row(VeilRun veil, params (string Field, string Value)[] key) =>
        veil.Events.Single(row => row.TryGetProperty("count", out _) && Array.TrueForAll(key, part => Is(row, part.Field, part.Value)));

    private static bool Is(JsonElement row, string field, string value) => row.TryGetProperty(field, out var found) && found.ToString() == value;

    private static UInt128 Sum(JsonElement row) => UInt128.Parse(row.GetProperty("sum").GetRawText(), CultureInfo.InvariantCulture);

    private static long Errors(JsonElement row) => row.GetProperty("errors").GetInt64();

    [GeneratedRegex(@"^ *[0-9.]+ +[0-9.]+ +[0-9]+ +(?<calls>[0-9]+) +(?:(?<errors>[0-9]+) +)?(?<call>[a-z_0-9]+)$", RegexOptions.Multiline, 1_000)]
    private static partial Regex StraceRow();

    /// <summary>Two of the events are of processes that begin: they have not ended with anything.</summary>
    [Fact]
    public void Hist_OfANumberThatSomeEventsLack_CountsThemApart()
    {
        var run = VeilRun.ToEnd(
            "--module", "process", "--event", "EXEC,EXIT", "--hist", "exit_code", "-o", "json", "-w", "-", "--", "sh", "-c", "/usr/bin/false; exit 3");

        run.ExitCode.ShouldBe(3);
        var counted = JsonDocument.Parse(run.Lines[0]).RootElement;
        counted.GetProperty("unknown").GetInt32().ShouldBe(2); // sh and false are executed
        counted.GetProperty("buckets").EnumerateArray().Sum(static bucket => bucket.GetProperty("count").GetInt32()).ShouldBe(2);
        counted.GetProperty("max").GetInt32().ShouldBe(3);
    }
}
