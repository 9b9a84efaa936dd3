// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>The process module on this kernel, against what parents know of their children.</summary>
public sealed partial class ProcessTests
{
    private const int Many = 2_000;

    public static TheoryData<string> Hooks => [.. Rungs.Possible("process")];

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Events_OfAScript_AreItsProcesses(string hook)
    {
        var events = Trace("/bin/sh -c 'exit 3'; /nosuch/program 'a b'; (exec -a sleeper sleep 100) & kill -9 $!; wait", hook);

        var exec = Of(events, "EXEC").Single(static e => Argv(e).SequenceEqual(["/bin/sh", "-c", "exit 3"]));
        exec.GetProperty("filename").GetString().ShouldBe("/bin/sh");
        exec.GetProperty("exe").GetString().ShouldBe(Output("readlink", "-f", "/bin/sh"));
        exec.GetProperty("cwd").GetString().ShouldBe(Directory.GetCurrentDirectory());
        exec.GetProperty("parent_comm").GetString().ShouldBe("bash");
        exec.GetProperty("ret").GetInt64().ShouldBe(0);

        var exit = Of(events, "EXIT").Single(e => Pid(e) == Pid(exec));
        exit.GetProperty("exit_code").GetInt32().ShouldBe(3);
        exit.GetProperty("exit_signal").ValueKind.ShouldBe(JsonValueKind.Null);
        exit.GetProperty("core_dumped").GetBoolean().ShouldBeFalse();
        Argv(exit).ShouldBe(Argv(exec));
        foreach (string same in (string[])["filename", "exe", "ppid", "parent_comm", "comm"])
            exit.GetProperty(same).GetRawText().ShouldBe(exec.GetProperty(same).GetRawText(), same);

        var refused = Of(events, "EXEC").Single(static e => e.GetProperty("ret").GetInt64() != 0);
        refused.GetProperty("errno").GetString().ShouldBe("ENOENT");
        refused.GetProperty("filename").GetString().ShouldBe("/nosuch/program");
        Argv(refused).ShouldBe(["/nosuch/program", "a b"]);

        var killed = Of(events, "EXIT").Single(static e => e.GetProperty("exit_signal").GetString() == "SIGKILL");
        killed.GetProperty("exit_code").ValueKind.ShouldBe(JsonValueKind.Null);

        Of(events, "FORK").Select(static e => e.GetProperty("child_pid").GetInt64()).Order()
            .ShouldBe(Of(events, "EXIT").Select(Pid).Where(pid => pid != Pid(Of(events, "FORK")[0])).Order());
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Failed_OfAScript_IsWhatEndedBadly(string hook)
    {
        var events = Trace("true; sh -c 'exit 3'; /nosuch/program; sh -c 'kill -9 $$'; exit 0", hook, "--failed");

        events.Select(static e => (
            e.GetProperty("evt_type").GetString(), e.GetProperty("exit_code").ToString(), e.GetProperty("exit_signal").GetString(),
            e.GetProperty("errno").GetString())).ShouldBe(
        [
            ("EXIT", "3", null, null), ("EXEC", "", null, "ENOENT"), ("EXIT", "127", null, null), ("EXIT", "", "SIGKILL", null),
        ]);
        events.ShouldAllBe(static e => e.GetProperty("ppid").ValueKind == JsonValueKind.Number);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Exit_OfManyChildren_IsWhatTheirParentWasTold(string hook)
    {
        using var workload = Workload.Waiting("processes", "many", Many.ToString());
        using var veil = VeilRun.Attach("--module", "process", "--hook", hook, "-f", "-p", workload.Pid, "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.ShouldHaveLostNothing();
        var execs = Of(veil.Events, "EXEC").ToDictionary(Pid);
        var exits = Of(veil.Events, "EXIT").Where(e => Pid(e).ToString() != workload.Pid).ToList();
        execs.Count.ShouldBe(Many);
        exits.Count.ShouldBe(Many);
        foreach (var exit in exits)
        {
            long[] said = [.. workload["child." + Pid(exit)].Split(' ').Select(long.Parse)];
            exit.GetProperty("exit_code").GetInt64().ShouldBe(said[0] >> 8);
            exit.GetProperty("max_rss_bytes").GetInt64().ShouldBe(said[1] * 1024);
            Argv(exit).ShouldBe(["child", "end", (said[0] >> 8).ToString()]);
            Argv(execs[Pid(exit)]).ShouldBe(Argv(exit));
            exit.GetProperty("ppid").ToString().ShouldBe(workload.Pid);
        }
    }

    [Theory]
    [InlineData("burn", "40", "1")]
    [InlineData("burn", "300", "100")]
    [InlineData("threads", "4", "200")]
    public void Exit_OfAChild_HasItsTimeAndMemory(string what, string first, string second)
    {
        using var workload = Workload.Waiting("processes", what, first, second);
        using var veil =
            VeilRun.Attach("--module", "process", "-f", "-p", workload.Pid, "--event", "EXIT", "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var exit = veil.Events.Single(e => Pid(e).ToString() != workload.Pid);
        long[] said = [.. workload["child." + Pid(exit)].Split(' ').Select(long.Parse)];
        exit.GetProperty("max_rss_bytes").GetInt64().ShouldBe(said[1] * 1024);
        double cpuMs = exit.GetProperty("cpu_ns").GetInt64() / 1e6, saidMs = said[2] / 1e3;
        Math.Abs(cpuMs - saidMs).ShouldBeLessThan(1 + (saidMs / 100), $"{cpuMs} ms, and wait4 has {saidMs} ms");
    }

    [Theory]
    [InlineData(1_000, false)]
    [InlineData(4_000, false)]
    [InlineData(4_200, true)]
    [InlineData(100_000, true)]
    public void Argv_OfAnyLength_IsAsLongAsThereIsRoom(int bytes, bool truncated)
    {
        using var workload = Workload.Waiting("processes", "long", bytes.ToString());
        using var veil = VeilRun.Attach("--module", "process", "-f", "-p", workload.Pid, "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        int room = 4096 - "child\0end\00\0".Length;
        foreach (var shown in veil.Events.Where(static e => e.GetProperty("comm").GetString() == "exe"))
        {
            Argv(shown).ShouldBe(["child", "end", "0", new string('x', Math.Min(bytes, room))]);
            shown.GetProperty("argv_truncated").GetBoolean().ShouldBe(truncated);
        }

        veil.Events.Count(static e => e.GetProperty("comm").GetString() == "exe").ShouldBe(2);
    }

    [Fact]
    public void Exec_OfAScript_HasItsInterpreter()
    {
        string script = Path.Combine(Path.GetTempPath(), "veil-script-" + Guid.NewGuid().ToString("N"));
        File.WriteAllText(script, "#!/bin/bash\nexit 0\n");
        Process.Start("chmod", ["500", script]).WaitForExit();
        try
        {
            var exec = Of(Trace(script + " x; true", null), "EXEC").Single(e => e.GetProperty("filename").GetString() == script);
            Argv(exec).ShouldBe([script, "x"]);
            exec.GetProperty("exe").GetString().ShouldEndWith("/bin/bash");
        }
        finally
        {
            File.Delete(script);
        }
    }

    /// <summary>Without the interpreter, whether the name that it was given can be read or not.</summary>
    [Theory]
    [MemberData(nameof(Hooks))]
    public void Exec_OfAScriptWithConstants_HasWhatItWasGiven(string hook)
    {
        string script = Path.Combine(Path.GetTempPath(), "veil-script-" + Guid.NewGuid().ToString("N"));
        File.WriteAllText(script, "#!/usr/bin/env -S sh -e\nexit 0\n");
        Process.Start("chmod", ["500", script]).WaitForExit();
        try
        {
            using var workload = Workload.Waiting("processes", "script", script);
            using var veil = VeilRun.Attach("--module", "process", "--hook", hook, "-f", "-p", workload.Pid, "--output", "json");
            workload.Go();
            veil.Stop().ShouldBe(0);

            var argv = Argv(Of(veil.Events, "EXEC").First());
            argv[1..].ShouldBe(["first"]);
            argv[0].ShouldBeOneOf("constant", script);
        }
        finally
        {
            File.Delete(script);
        }
    }

    [Fact]
    public void Exit_OfTheCommand_IsCountedFromItsExecve()
    {
        var veil = VeilRun.ToEnd("-q", "--module", "process", "--output", "json", "-w", "-", "--", "sleep", "0.1");
        var (exec, exit) = (Of(veil.Events, "EXEC").Single(), Of(veil.Events, "EXIT").Single());

        long between = exit.GetProperty("timestamp").GetInt64() - exec.GetProperty("timestamp").GetInt64();
        exit.GetProperty("duration_ns").GetInt64().ShouldBeInRange(between - 20_000_000, between + 20_000_000);
    }

    [Fact]
    public void EnrichWhy_OfAProgram_IsWhatRefusedIt()
    {
        var events = Trace("/etc/passwd; true", null, "--failed", "--enrich", "why");
        Of(events, "EXEC").Single(static e => e.GetProperty("errno").ValueEquals("EACCES")).GetProperty("why").GetString()!
            .ShouldStartWith("/etc/passwd is 0644 root");
    }

    [Theory]
    [InlineData("EXEC", new[] { "EXEC" })]
    [InlineData("!EXEC", new[] { "EXIT", "FORK" })]
    [InlineData("FORK,EXIT", new[] { "EXIT", "FORK" })]
    public void Event_AllowsAndDenies(string filter, string[] expected) =>
        Trace("sh -c 'exit 3'; /bin/true", null, "--event", filter).Select(static e => e.GetProperty("evt_type").GetString()!)
            .Distinct().Order().ShouldBe(expected);

    [Theory]
    [InlineData("argv", "[\"sh\",\"-c\",\"exit 3\"]")]
    [InlineData("filename", "\"/bin/true\"")]
    [InlineData("exit_code", "3")]
    public void CountBy_AField_CountsIt(string field, string key)
    {
        var counts = Trace("for i in 1 2 3; do sh -c 'exit 3'; /bin/true; done; exit 0", null, "--count-by", field);

        counts.Single(e => e.TryGetProperty(field, out var value) && value.GetRawText() == key).GetProperty("count").GetInt64()
            .ShouldBe(field == "exit_code" ? 3 : 6);
    }

    /// <summary>What has no such number is not one of its bits.</summary>
    [Theory]
    [InlineData("exit_code")]
    [InlineData("child_pid")]
    public void Hist_OfAFieldThatFewHave_CountsTheOthersApart(string field)
    {
        var shown = Trace("sh -c 'exit 3'; /bin/true; exit 0", null, "--hist", field).First(static e => e.TryGetProperty("buckets", out _));
        shown.GetProperty("unknown").GetInt64().ShouldBeGreaterThan(0);
        shown.GetProperty("buckets").EnumerateArray().ShouldAllBe(static bucket => bucket.GetProperty("from").GetInt64() < 1L << 30);
    }

    [Fact]
    public void Threads_AreShownOnlyWhereAskedFor()
    {
        using var workload = Workload.Waiting("processes", "threads", "3", "1");
        using var veil = VeilRun.Attach("--module", "process", "--threads", "-f", "-p", workload.Pid, "--output", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var child = Of(veil.Events, "EXEC").Single();
        var forks = Of(veil.Events, "FORK").Where(e => Pid(e) == Pid(child)).ToList();
        forks.Count.ShouldBe(3);
        forks.ShouldAllBe(e => e.GetProperty("thread").GetBoolean() && e.GetProperty("child_pid").GetInt64() == Pid(child));
        var exits = Of(veil.Events, "EXIT").Where(e => Pid(e) == Pid(child)).ToList();
        exits.Count(static e => e.GetProperty("thread").GetBoolean()).ShouldBe(3);
        exits.Count.ShouldBe(4);
    }

    [MemoryCgroupTheory]
    [MemberData(nameof(Hooks))]
    public void Oom_OfAProcess_IsShownBeforeItsEnd(string hook)
    {
        using var group = new MemoryCgroup(32);
        using var workload = Workload.Waiting("processes", "hog", "100");
        File.WriteAllText(group.Folder + "/cgroup.procs", workload.Pid);
        using var veil = VeilRun.Attach("--module", "process", "--hook", hook, "-p", workload.Pid, "--failed", "--output", "json");
        Should.Throw<Exception>(() => workload.Go());
        veil.Stop().ShouldBe(0);

        veil.Events.Select(static e => e.GetProperty("evt_type").GetString()).ShouldBe(["OOM", "EXIT"]);
        veil.Events[1].GetProperty("exit_signal").GetString().ShouldBe("SIGKILL");
        veil.Events[0].GetProperty("comm").GetString().ShouldBe("processes");
        veil.Events[0].GetProperty("anon_rss_bytes").GetInt64().ShouldBeGreaterThan(16 << 20);
        veil.Events[0].GetProperty("oom_pid").ToString().ShouldBe(workload.Pid);
    }

    [Fact]
    public void Tree_OfACommand_HasWhatBecameOfEach()
    {
        const string script = "sh -c 'exit 3'; /bin/true; (exec cat /dev/null); (/nosuch/program 'a b'); exit 0";
        var veil = VeilRun.ToEnd("--module", "process", "--output", "tree", "--", "sh", "-c", script);

        veil.ExitCode.ShouldBe(0);
        veil.Errors.Split('\n').Where(static line => line.Contains('[', StringComparison.Ordinal)).Select(Masked).ShouldBe(
        [
            $"PID sh -c \"{script}\"  [exit 0, at T for T, cpu T]",
            "|-- PID sh -c 'exit 3'  [FAILED: exit 3, at T for T, cpu T]",
            "|-- PID /bin/true  [exit 0, at T for T, cpu T]",
            "|-- PID cat /dev/null  [exit 0, at T for T, cpu T]",
            "`-- PID (sh)  [FAILED: exit 127, at T for T, cpu T]",
            "        cannot execute /nosuch/program 'a b'  [FAILED: ENOENT]",
        ]);
    }

    /// <summary>Arguments begin with a name that the caller chooses.</summary>
    [Fact]
    public void Tree_OfOtherNames_SaysWhatWasExecuted()
    {
        const string script = "(exec -a fake /bin/false); (exec -a fake /etc/passwd); exit 0";
        var veil = VeilRun.ToEnd("--module", "process", "--output", "tree", "--", "bash", "-c", script);
        veil.Errors.ShouldContain(" /bin/false (as fake)  [FAILED: exit 1, at ");
        veil.Errors.ShouldContain("cannot execute /etc/passwd (as fake)  [FAILED: EACCES]");
    }

    [Fact]
    public void Tree_OfFailures_HasChildrenBelowTheirParents()
    {
        var veil = VeilRun.ToEnd("--module", "process", "--failed", "--output", "tree", "--", "sh", "-c", "sh -c 'exit 3'; exit 4");
        veil.Errors.Split('\n').Where(static line => line.Contains("FAILED", StringComparison.Ordinal)).Select(Masked)
            .Select(static line => line[..line.IndexOf("sh", StringComparison.Ordinal)]).ShouldBe(["PID ", "`-- PID "]);
    }

    /// <summary>Every program that is executed, and every end, as strace has them.</summary>
    [StraceTheory]
    [InlineData("/usr/bin/make -C /tmp -f /dev/stdin")]
    [InlineData("/usr/bin/gcc -x c -o /dev/null -")]
    [InlineData("/bin/bash -s")]
    [InlineData("/usr/bin/env python3 -")]
    [InlineData("/usr/bin/unshare -fp --mount-proc /bin/sh -s")]
    public void Events_OfAProgram_AreWhatStraceSees(string command)
    {
        string input = command switch
        {
            _ when command.Contains("make", StringComparison.Ordinal) =>
                "all:\n\t@true\n\t@sh -c 'exit 0'; /bin/echo 'a  b' >/dev/null\n\t-@false\n",
            _ when command.Contains("gcc", StringComparison.Ordinal) => "int main(void) { return 0; }\n",
            _ when command.Contains("python", StringComparison.Ordinal) =>
                "import subprocess, threading\nt = threading.Thread(target=lambda: None)\nt.start()\nt.join()\n"
                + "subprocess.run(['sh', '-c', 'true | cat; exit 4'])\nsubprocess.run('false', shell=True)\n",
            _ => "ls / | sort | head -1 >/dev/null; (exit 5); /nosuch 'x\"y'; for i in 1 2 3; do /bin/true $i; done; "
                + "sh -c 'kill -15 $$'; exit 2\n",
        };
        string folder = Directory.CreateTempSubdirectory("veil-oracle-").FullName;
        try
        {
            string file = Path.Combine(folder, "input"), under = Path.Combine(folder, "strace"), traced = Path.Combine(folder, "veil");
            File.WriteAllText(file, input);
            string[] run = ["sh", "-c", $"exec {command} <{file} 2>/dev/null"];
            StraceFile.Run(["-f", "-s", "4096", "-e", "trace=execve,execveat", "-o", under, .. run]);
            var veil = VeilRun.ToEnd(["--module", "process", "--threads", "--output", "json", "--write", traced, "--", .. run]);

            veil.Errors.ShouldContain(", 0 lost");
            OfVeil(traced).Order(StringComparer.Ordinal).ShouldBe(OfStrace(under).Order(StringComparer.Ordinal));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<string> OfStrace(string file)
    {
        var unfinished = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in File.ReadLines(file))
        {
            string pid = line.Split(' ')[0], text = line[pid.Length..].Trim();
            if (text.EndsWith(" <unfinished ...>", StringComparison.Ordinal))
            {
                unfinished[pid] = text[..^" <unfinished ...>".Length];
                continue;
            }

            if (text.StartsWith("<... exec", StringComparison.Ordinal) && unfinished.Remove(pid, out string? head))
                text = head + text[text.IndexOf('>', StringComparison.Ordinal)..][1..];
            if (Executed().Match(text) is { Success: true } exec)
                yield return MaskedName($"{exec.Groups["argv"].Value} = {exec.Groups["errno"].Value}");
            else if (text.StartsWith("+++ exited with", StringComparison.Ordinal)
                || text.StartsWith("+++ killed by", StringComparison.Ordinal))
                yield return text;
        }
    }

    private static IEnumerable<string> OfVeil(string file)
    {
        foreach (var shown in File.ReadLines(file).Select(static line => JsonDocument.Parse(line).RootElement))
        {
            if (shown.GetProperty("evt_type").ValueEquals("EXEC"))
            {
                string argv = string.Join(", ", Argv(shown).Select(Quoted));
                yield return MaskedName($"{Quoted(shown.GetProperty("filename").GetString()!)}, [{argv}] = {shown.GetProperty("errno")}");
            }
            else if (shown.GetProperty("evt_type").ValueEquals("EXIT"))
                yield return shown.GetProperty("exit_signal").GetString() is { } signal ? $"+++ killed by {signal} +++"
                    : $"+++ exited with {shown.GetProperty("exit_code")} +++";
        }
    }

    private static string Quoted(string text) => '"' + text.Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)
        .Replace("\t", "\\t", StringComparison.Ordinal) + '"';

    // What the compiler calls its files.
    private static string MaskedName(string text) => Temporary().Replace(text, "/tmp/cc");

    [GeneratedRegex(@"/tmp/cc\w+", RegexOptions.None, 10_000)]
    private static partial Regex Temporary();

    [GeneratedRegex(@"^exec\w+\((?<argv>"".*"", \[.*\]), .*\) += (?:0|-1 (?<errno>E\w+).*)$", RegexOptions.None, 10_000)]
    private static partial Regex Executed();

    private static string Output(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd().TrimEnd('\n');
        process.WaitForExit();
        return output;
    }

    private static string Masked(string line) =>
        Times().Replace(Pids().Replace(line, "PID "), "at T for T, cpu T]");

    [GeneratedRegex(@"(?<=^[ |`-]*)\d+ ", RegexOptions.None, 10_000)]
    private static partial Regex Pids();

    [GeneratedRegex(@"at [0-9.]+[nmu]?s for [0-9.]+[nmu]?s, cpu [0-9.]+[nmu]?s\]", RegexOptions.None, 10_000)]
    private static partial Regex Times();

    private static JsonElement[] Trace(string script, string? hook, params string[] more)
    {
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", "read -r _; " + script])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        using var veil = VeilRun.Attach(
            ["--module", "process", "--output", "json", "-f", "-p", shell.Id.ToString(),
                .. hook is null ? [] : (string[])["--hook", hook], .. more]);
        shell.StandardInput.WriteLine();
        shell.WaitForExit();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        return veil.Events;
    }

    private static List<JsonElement> Of(IEnumerable<JsonElement> events, string type) =>
        [.. events.Where(e => e.GetProperty("evt_type").GetString() == type)];

    private static long Pid(JsonElement shown) => shown.GetProperty("pid").GetInt64();

    private static string[] Argv(JsonElement shown) =>
        [.. shown.GetProperty("argv").EnumerateArray().Select(static one => one.GetString()!)];
}
