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
    public void Replay_WithTheSameFlags_IsWhatTheTraceShowed(string workload, string flags)
    {
        string[] words = flags.Split(' '), run = workload.Replace("FOLDER", _folder, StringComparison.Ordinal).Split(' ');
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
    [InlineData("--enrich all", "--enrich all: proc, parent, cgroup, container were not recorded; record with --enrich proc,parent,cgroup,container")]
    [InlineData("--module files", "--module: files was not recorded; what was: syscall")]
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
