// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Commands that <c>veil -- CMD</c> runs.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-command-").FullName;

    private string Events => Path.Combine(_folder, "events");

    private static string[] Json => ["-q", "--module", "syscall", "--returns", "-o", "json"];

    [Fact]
    public void Command_AnyProgram_BeginsWithItsExecve()
    {
        var first = Traced([], "/bin/true")[0];

        Call(first).ShouldBe("execve");
        first.GetProperty("ret").GetInt64().ShouldBe(0);
        first.GetProperty("comm").GetString().ShouldBe("true");
    }

    /// <summary>What it does first and last, and nothing of what runs it.</summary>
    [Theory]
    [InlineData("files")]
    [InlineData("scheduler")]
    [InlineData("memory")]
    public void Command_ByOtherModules_ShowsItsProcessAlone(string module)
    {
        using var veil =
            Run(["-q", "--module", module, "-o", "json", "-w", Events], "/bin/sh", "-c", "echo $$; cat /etc/hostname >/dev/null");

        string shell = veil.Lines[0];
        var events = Read();
        events.ShouldNotBeEmpty();
        events.Where(e => e.GetProperty("pid").GetInt64().ToString() != shell && e.GetProperty("comm").GetString() is not ("cat" or "sh"))
            .ShouldAllBe(
                e => module == "scheduler"
                && (e.GetProperty("next_pid").GetInt64().ToString() == shell || e.GetProperty("next_comm").GetString() == "cat"
                || e.GetProperty("next_comm").GetString() == "sh"));
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("kill -TERM $$", 143)]
    public void Command_ThatEnds_GivesItsExitCode(string script, int exitCode)
    {
        using var veil = Run(["-q", "-w", Events], "sh", "-c", script);
        veil.ExitCode.ShouldBe(exitCode, veil.Errors);
        veil.Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("no-such-program-here", 127, "no-such-program-here: command not found")]
    [InlineData("./no-such-program-here", 127, "./no-such-program-here: No such file or directory")]
    [InlineData("/etc", 126, "/etc: Is a directory")]
    [InlineData("/etc/passwd", 126, "/etc/passwd: Permission denied")]
    [InlineData("/etc/passwd/x", 126, "/etc/passwd/x: Not a directory")]
    public void Command_ThatIsNone_IsAnsweredAsByAShell(string command, int exitCode, string message)
    {
        using var veil = Run([], command);
        veil.ExitCode.ShouldBe(exitCode);
        veil.Errors.Trim().ShouldBe("veil: " + message);
    }

    [Fact]
    public void Command_ThatTheKernelRefuses_IsAnsweredAsByAShell()
    {
        string program = Program("no-program", "\u007fELF\u0002\0");
        using var veil = Run(["-q", "-w", Events], program);
        veil.ExitCode.ShouldBe(126);
        veil.Errors.Trim().ShouldBe($"veil: {program}: Exec format error");
    }

    [Fact]
    public void Command_ScriptWithoutItsFirstLine_IsTheShells()
    {
        using var veil = Run(["-q", "-w", Events], Program("script", "echo $1\nexit 3\n"), "word");
        veil.ExitCode.ShouldBe(3);
        veil.Lines.ShouldBe(["word"]);
    }

    [Fact]
    public void Command_Streams_AreItsOwn()
    {
        using var veil = Shell($"echo hi | {{veil}} -q -w {Events} -- sh -c 'cat; echo no >&2'");
        veil.Lines.ShouldBe(["hi"]);
        veil.Errors.Trim().ShouldBe("no");
    }

    [Fact]
    public void Events_WithoutAFile_GoToStandardError()
    {
        using var veil = Run(["-q"], "/bin/echo", "hi");
        veil.Lines.ShouldBe(["hi"]);
        veil.Errors.Split('\n')[0].ShouldContain("execve(\"/bin/echo\"");
        using var there = Run(["-q", "-w", "-"], "/bin/echo", "hi");
        there.Errors.ShouldBeEmpty();
        there.Lines.ShouldContain("hi");
    }

    /// <summary>Signals, niceness and limits are compared as the kernel shows them, descriptors too.</summary>
    [Theory]
    [InlineData("grep ^Sig[PBIC] /proc/self/status")]
    [InlineData("cat /proc/self/limits")]
    [InlineData("nice; ulimit -a; umask; id; pwd; env | grep -v ^_= | sort")]
    [InlineData("grep -E ^Cap\\|^NoNew\\|^Seccomp\\|^Groups /proc/self/status")]
    public void Command_WhatItGets_IsWhatItWouldHaveHadWithoutUs(string script)
    {
        string prepared = $"trap '' HUP USR1; ulimit -n 500; exec 7</dev/null; nice -n 3 {{0}}sh -c 'exec 7<&-; {script}'";
        using var bare = Shell(string.Format(prepared, ""));
        using var traced = Shell(string.Format(prepared, $"{{veil}} -q -w {Events} -- "));

        traced.Errors.ShouldBeEmpty();
        traced.Lines.ShouldBe(bare.Lines);
        bare.Lines.ShouldNotBeEmpty();
    }

    [Fact]
    public void Command_Descriptors_AreTheStandardStreamsAlone()
    {
        using var traced =
            Shell($"exec 7</dev/null; {{veil}} -q -w {Events} -- sh -c 'for fd in /proc/$$/fd/*; do echo ${{fd##*/}}; done'");
        traced.Lines.ShouldBe(["0", "1", "2", "3"]); // the last is the folder's
        using var closed =
            Shell($"{{veil}} -q -w {Events} -- sh -c '[ -e /proc/$$/fd/0 ] || [ -e /proc/$$/fd/2 ] || echo closed' <&- 2>&-");
        closed.Lines.ShouldBe(["closed"]);
    }

    [Fact]
    public void Command_User_HasTheUsersIdsAndGroups()
    {
        using var bare = Shell("setpriv --reuid=daemon --regid=daemon --init-groups id");
        using var veil = Run(["-q", "-w", Events, "--user", "daemon"], "id");
        veil.Lines.ShouldBe(bare.Lines);
        Read(Events, json: false)[0].ShouldContain("execve");
    }

    [Fact]
    public void Command_SetUserIdProgram_BecomesThatUser()
    {
        string program = Path.Combine(_folder, "id");
        File.Copy("/usr/bin/id", program);
        SetMode(_folder, 0x1ed); // 0755
        SetMode(program, 0x9ed); // 04755
        using var veil = Run(["-q", "-w", Events, "--user", "daemon"], program, "-u");
        veil.ExitCode.ShouldBe(0, veil.Errors);
        veil.Lines.ShouldBe(["0"]);
    }

    [Fact]
    public void Command_WhereNothingCanAttach_IsNotRun()
    {
        string made = Path.Combine(_folder, "made");
        SetMode(_folder, 0x1ff); // 0777
        using var unprivileged = VeilRun.ToEndWith("setpriv", "--reuid=65534", "--clear-groups", Repository.Veil, "--", "touch", made);
        unprivileged.ExitCode.ShouldBe(1);
        unprivileged.Errors.ShouldContain("tracing needs root");
        File.Exists(made).ShouldBeFalse();
    }

    [Fact]
    public void Veil_Killed_LeavesTheCommandRunning()
    {
        string made = Path.Combine(_folder, "made");
        using var veil = VeilRun.Begin("-q", "-w", Events, "--", "sh", "-c", $"echo begun; sleep 1; touch {made}");
        SpinWait.SpinUntil(
            () => File.Exists(Events) && File.ReadAllText(Events).Contains("clock_nanosleep", StringComparison.Ordinal)
            || CommandSleeps(veil.Pid), TimeSpan.FromSeconds(20)).ShouldBeTrue();
        veil.Signal("KILL");
        SpinWait.SpinUntil(() => File.Exists(made), TimeSpan.FromSeconds(20)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    [InlineData("HUP", 129)]
    public void Signal_ToVeilAlone_ReachesTheCommand(string signal, int exitCode)
    {
        using var veil = VeilRun.Begin("-q", "-w", Events, "--", "sleep", "1000");
        SpinWait.SpinUntil(() => CommandSleeps(veil.Pid), TimeSpan.FromSeconds(20)).ShouldBeTrue();
        veil.Signal(signal);
        veil.WaitForExit().ShouldBe(exitCode);
    }

    [Fact]
    public void Signal_OfTheTerminal_IsTheCommands()
    {
        using var terminal =
            new Terminal(
            $"{Repository.Veil} -q -w {Events} -- bash -c \"trap \\\"echo caught; exit 5\\\" INT; echo ready; while :; do sleep " +
            $"0.1; done\"; echo code $?");
        terminal.WaitFor("ready");
        terminal.Type("\u0003");
        terminal.WaitFor("caught");
        terminal.WaitFor("code 5");
    }

    [Fact]
    public void Command_ThatLeavesChildren_IsTracedUntilTheyHaveEnded()
    {
        var calls = Traced(["-f"], "sh", "-c", "(sleep 0.3; kill -0 1; exit 5) & exit 4", exitCode: 4);
        calls.Count(e => Call(e) == "exit_group").ShouldBe(3);
        calls.Count(e => Call(e) == "clock_nanosleep").ShouldBe(1);
    }

    [Fact]
    public void Command_NoFollow_IsItsOwnProcessAlone()
    {
        var calls = Traced(["--no-follow"], "sh", "-c", "/bin/true; /bin/true; exit 4", exitCode: 4);
        calls.Select(static e => e.GetProperty("pid").GetInt64()).Distinct().Count().ShouldBe(1);
        calls.Count(e => Call(e) == "exit_group").ShouldBe(1);
    }

    [Fact]
    public void Trace_ThatEndsBefore_SaysThatTheCommandGoesOn()
    {
        using var veil = Run(["-w", Events, "--duration", "200ms"], "sleep", "1");
        veil.ExitCode.ShouldBe(0);
        veil.Errors.ShouldContain("sleep goes on, untraced, as process ");
    }

    [Fact]
    public void Output_ThatFails_CostsNobodyTheExitCode()
    {
        using var veil = Run(["-q", "-w", "/dev/full"], "sh", "-c", "sleep 0.3; exit 6");
        veil.Errors.ShouldContain("No space left on device");
        veil.ExitCode.ShouldBe(6);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Call(JsonElement record) => record.GetProperty("syscall").GetString()!;

    private static VeilRun Run(string[] flags, params string[] command) => VeilRun.ToEnd([.. flags, "--", .. command]);

    private static VeilRun Shell(string script) =>
        VeilRun.ToEndWith("bash", "-c", script.Replace("{veil}", Repository.Veil, StringComparison.Ordinal));

    private JsonElement[] Traced(string[] flags, string program, string first = "", string second = "", int exitCode = 0)
    {
        using var veil =
            Run([.. Json, "-w", Events, .. flags], [program, .. new[] { first, second }.Where(static word => word.Length > 0)]);
        veil.ExitCode.ShouldBe(exitCode, veil.Errors);
        return Read();
    }

    private JsonElement[] Read() => [.. Read(Events, json: true).Select(static line => JsonDocument.Parse(line).RootElement)];

    private static string[] Read(string file, bool json) => [.. File.ReadAllLines(file).Where(line => !json || line.StartsWith('{'))];

    private string Program(string name, string content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, content, Encoding.Latin1);
        SetMode(path, 0x1ed);
        return path;
    }

    /// <summary>As <c>suspend</c> of a shell does: whoever started Veil waits for Veil.</summary>
    [Fact]
    public void Command_ThatStopsItself_GivesTheTerminalBack()
    {
        using var terminal = new Terminal(
            $"{Repository.Veil} -s write -w {Path.Combine(_folder, "calls")} -- sh -c \"kill -STOP \\$\\$; echo back; exit 5\"; " +
            "echo stopped=$?; fg; echo code=$?");

        terminal.WaitFor("stopped=147");
        terminal.WaitFor("back\r");
        terminal.WaitFor("code=5");
    }

    private static void SetMode(string path, int mode)
    {
        if (OperatingSystem.IsLinux())
            File.SetUnixFileMode(path, (UnixFileMode)mode);
    }

    private static bool CommandSleeps(int veil) =>
        Directory.EnumerateDirectories("/proc").Where(static path => char.IsAsciiDigit(Path.GetFileName(path)[0]))
            .Any(path => Sleeps(path, veil));

    private static bool Sleeps(string process, int veil)
    {
        try
        {
            string stat = File.ReadAllText(process + "/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == veil.ToString() && File.ReadAllText(process + "/comm")
                .Trim() is "sleep" or "sh" && !stat.Contains("(veil)", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
