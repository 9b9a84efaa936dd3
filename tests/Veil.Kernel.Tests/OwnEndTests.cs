// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Traces that end by themselves, and files that they write.</summary>
public sealed class OwnEndTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-write-").FullName;

    private string File_ => Path.Combine(_folder, "events");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("-o", "json")]
    [InlineData("--count")]
    [InlineData("--count", "--interval", "0.2")]
    public void Duration_ThatIsOver_EndsTheTraceAsAStopDoes(params string[] flags)
    {
        var watch = Stopwatch.StartNew();
        using var veil = VeilRun.ToEnd(["-m", "syscall,scheduler", "--duration", "700ms", .. flags]);

        veil.ExitCode.ShouldBe(0);
        watch.ElapsedMilliseconds.ShouldBeGreaterThanOrEqualTo(700);
        veil.Lines.ShouldNotBeEmpty();
        string seconds = veil.Errors.Split(" in ")[1].Split(' ')[0];
        double.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(0.69, 5);
    }

    /// <summary>A reader that takes nothing does not keep the end from coming.</summary>
    [Fact]
    public void Duration_OutputThatNobodyReads_IsOverAllTheSame()
    {
        using var burst = Workload.Waiting("burst", "200000");
        using var veil = VeilRun.AttachUnread("-m", "syscall", "-p", burst.Pid, "--duration", "2s");
        burst.Go();

        veil.WaitForExit().ShouldBe(1);
        veil.Errors.ShouldContain("its reader took nothing after the stop");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(12_345)]
    public void MaxEvents_OfABurst_AreDeliveredExactly(int events)
    {
        // All of them fit into the ring: a reader that gets no CPU meanwhile, as in an emulated guest, loses none.
        using var burst = Workload.Waiting("burst", "200000");
        using var veil =
            VeilRun.Attach(
            "-m", "syscall", "-p", burst.Pid, "-s", "getppid", "--max-events", events.ToString(), "-o", "json", "--fail-on-loss");
        burst.Go();

        veil.WaitForExit().ShouldBe(veil.LossCode, veil.Errors);
        veil.ShouldHaveLostNothing();
        veil.Events.Length.ShouldBe(events);
        veil.Errors.ShouldContain($"veil: {events} event{(events == 1 ? "" : "s")} delivered in ");
    }

    /// <summary>Modules, several rings and a filter in userspace: what is delivered is counted, and nothing else is.</summary>
    [Fact]
    public void MaxEvents_OfSeveralModules_AreThoseThatWereDelivered()
    {
        string[] rings = Environment.ProcessorCount > 1 ? ["--rings", "2"] : [];
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var veil = VeilRun.ToEnd(["-m", "syscall,files", "-u", "0", "--file", "/nonexistent/", "--max-events", "200", .. rings]);

        veil.ExitCode.ShouldBe(0);
        veil.Lines.Length.ShouldBe(200);
        veil.Errors.ShouldContain("veil: 200 events delivered in ");
    }

    [Fact]
    public void Write_ToAFile_HasTheEventsAndTheScreenTheRest()
    {
        File.WriteAllText(File_, new string('x', 1_000_000));
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var veil = VeilRun.ToEnd("-m", "syscall", "-p", hold.Pid, "-w", File_, "--max-events", "100", "-o", "json");

        veil.ExitCode.ShouldBe(0);
        veil.RawOutput.ShouldBeEmpty();
        veil.Errors.ShouldContain("veil: 100 events delivered in ");
        string[] lines = File.ReadAllText(File_).Split('\n');
        lines.Length.ShouldBe(101);
        lines[..100]
            .ShouldAllBe(line => JsonDocument.Parse(line, default).RootElement.GetProperty("pid").GetInt32() == int.Parse(hold.Pid));
    }

    /// <summary>As `>` makes it.</summary>
    [Fact]
    public void Write_ToANewFile_HasTheModeOfTheUmask()
    {
        using var veil = VeilRun.ToEndWith("bash", "-c", $"umask 027; {Repository.Veil} -m scheduler --max-events 1 -w {File_}");

        veil.ExitCode.ShouldBe(0);
        if (OperatingSystem.IsLinux())
            ((int)File.GetUnixFileMode(File_)).ShouldBe(Convert.ToInt32("640", 8));
    }

    [Fact]
    public void Write_OfCounts_HasTheTable()
    {
        using var veil = VeilRun.ToEnd("-m", "scheduler", "--count", "--duration", "300ms", "--write", File_);

        veil.ExitCode.ShouldBe(0);
        veil.RawOutput.ShouldBeEmpty();
        File.ReadAllText(File_).ShouldStartWith("scheduler by next_comm: ");
    }

    [Fact]
    public void Write_ToADirectoryOrAPlaceThatIsNone_IsOneLine()
    {
        using var directory = VeilRun.ToEnd("-m", "syscall", "-w", _folder);
        using var nowhere = VeilRun.ToEnd("-m", "syscall", "-w", _folder + "/no/such");

        (directory.ExitCode, nowhere.ExitCode).ShouldBe((1, 1));
        directory.Errors.ShouldBe($"veil: opening {_folder} for writing: it is a directory; give the name of a file\n");
        nowhere.Errors.ShouldBe($"veil: opening {_folder}/no/such for writing: No such file or directory\n");
    }

    [Fact]
    public void Write_ToAFullDisk_IsAnErrorThatSaysWhy()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var veil = VeilRun.ToEnd("-m", "syscall", "-p", hold.Pid, "-w", "/dev/full", "--duration", "20s");

        veil.ExitCode.ShouldBe(1);
        veil.Errors.ShouldContain("veil: writing the output: No space left on device");
        veil.Errors.ShouldContain("not_written");
    }

    /// <summary>What does not start leaves the file of the last trace as it was.</summary>
    [Fact]
    public void Write_OfATraceThatDoesNotStart_LeavesTheFile()
    {
        File.WriteAllText(File_, "kept");
        using var veil = VeilRun.ToEnd("-m", "syscall", "--fields", "nonsense", "-w", File_);

        veil.ExitCode.ShouldBe(2);
        File.ReadAllText(File_).ShouldBe("kept");
    }

    /// <summary>The shipped program on a terminal of a given width: its rows fit, and follow when the window is made wider. --wide does
    /// neither.</summary>
    [Fact]
    public void Screen_OfATerminal_IsLaidOutForItsWidth()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        string trace = $"{Repository.Veil} -q -m syscall --returns -p {hold.Pid} -s getppid --max-events 3";
        using var terminal =
            new Terminal(
            $"stty cols 80 rows 24; {trace}; stty cols 66; {trace}; {trace} --wide; stty cols 80; {trace} -w {File_}; echo the end");
        terminal.WaitFor("the end");
        string[] rows = [.. terminal.End().Split('\n').Select(static row => row.TrimEnd('\r')).Where(static row => row.Length > 0)];

        rows = [.. rows.Select(
            static row => row.Replace("\e[1m", "", StringComparison.Ordinal).Replace("\e[36m", "", StringComparison.Ordinal)
            .Replace("\e[0m", "", StringComparison.Ordinal))];
        rows[0].ShouldStartWith("COMM ");
        rows[..4].ShouldAllBe(static row => row.Length <= 80);
        rows[1].ShouldContain("getppid ");
        rows[4].ShouldStartWith("COMM ");
        rows[4..8].ShouldAllBe(static row => row.Length <= 66);
        rows[8..11].ShouldAllBe(static row => row.Contains("  syscall=getppid(110) ", StringComparison.Ordinal) && row.Length > 100);
        rows[^1].ShouldBe("the end");
        rows.Length.ShouldBe(12);
        File.ReadLines(File_).ShouldAllBe(static row => row.Contains("  syscall=getppid(110) ", StringComparison.Ordinal));
    }
}
