// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>What calls were asked: <c>--args</c>, by every hook.</summary>
public sealed class ArgumentsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-args-").FullName;

    public static TheoryData<string> Hooks => [.. Rungs.Possible("syscall")];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Args_OfAnOpenAReadAndAClose_AreWhatStraceShows(string hook)
    {
        string file = Path.Combine(_folder, "a file");
        File.WriteAllText(file, "line\tone\n");

        string[] calls = CallsOf(hook, $"exec 3<'{file}'; read -r line <&3; exec 3<&-");

        calls.ShouldContain(
            call => call.Contains($"openat(AT_FDCWD<", StringComparison.Ordinal)
            && call.EndsWith($">, \"{file}\", O_RDONLY) = 3<{file}>", StringComparison.Ordinal));
        calls.ShouldContain(
            call => call.Contains($"read(0<{file}>, \"l\", 1) = 1", StringComparison.Ordinal)
            || call.Contains($"read(0<{file}>, \"line\\tone\\n\", 4096) = 9", StringComparison.Ordinal), string.Join('\n', calls));
        calls.ShouldContain(call => call.EndsWith($"close(3<{file}>) = 0", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Args_OfWhatIsNotThere_HaveTheErrorInWords(string hook)
    {
        string missing = Path.Combine(_folder, "missing");

        CallsOf(hook, $"exec 2>/dev/null; read -r line <'{missing}'")
            .ShouldContain(
                call => call.EndsWith($">, \"{missing}\", O_RDONLY) = -1 ENOENT (No such file or directory)", StringComparison.Ordinal));
    }

    [Fact]
    public void Args_Json_AreAnObjectByTheKernelsNames()
    {
        string missing = Path.Combine(_folder, "missing\u001b");
        var open = Trace($"exec 2>/dev/null; read -r line <'{missing}'", "--output", "json")
            .Select(static line => JsonDocument.Parse(line).RootElement)
            .First(call => call.GetProperty("syscall").GetString() == "openat" && call.GetProperty("args").GetProperty("filename")
                .GetString() == missing);
        open.GetProperty("args").GetProperty("dfd").GetRawText().ShouldBe("\"AT_FDCWD\"");
        open.GetProperty("args").GetProperty("flags").GetString().ShouldBe("O_RDONLY");
        open.GetProperty("errno").GetString().ShouldBe("ENOENT");
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Args_OfDescriptors_SayWhatTheyAre(string hook)
    {
        var (workload, lines) = TraceDescriptors("--hook", hook);
        string[] calls =
            [.. lines.Where(static line => line.Contains(", F_GETFD)", StringComparison.Ordinal))
            .Select(static line => line[line.IndexOf("fcntl(", StringComparison.Ordinal)..])];

        calls.ShouldBe(Enumerable.Range(0, (int)workload.Number("calls")).Select(number => workload[$"call.{number}"]));
        lines.ShouldContain(line => line.EndsWith(workload["select"], StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Args_OfMemoryThatIsNotThere_AreReadAtTheEndOrNamed(string hook)
    {
        var opens = Json(TraceDescriptors("--hook", hook, "--output", "json", "--syscall", "open,openat").Lines);

        var late = opens.Single(static open => open.GetProperty("path").GetString() == "/no/such/file");
        late.GetProperty("args_late").GetRawText().ShouldBe("[\"filename\"]");
        late.GetProperty("args_unread").GetRawText().ShouldBe("[]");
        var unread = opens.Single(static open => open.GetProperty("errno").GetString() == "EFAULT");
        unread.GetProperty("args").GetProperty("filename").GetString().ShouldBe("0x1");
        unread.GetProperty("args_unread").GetRawText().ShouldBe("[\"filename\"]");
        unread.GetProperty("path").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public void Args_OfAnExecveFromMemoryThatIsNotThere_AreThoseOfTheNewProgram()
    {
        using var workload = Workload.Waiting("descriptors", _folder, "exec");
        using var veil = VeilRun.Attach("--module", "syscall", "--args", "--output", "json", "-p", workload.Pid, "--syscall", "execve");
        workload.Go();
        veil.Stop().ShouldBe(0);

        var call = Json(veil.Lines).ShouldHaveSingleItem();
        call.GetProperty("ret").GetInt64().ShouldBe(0);
        call.GetProperty("path").GetString().ShouldBe(Repository.Workload("descriptors"));
        call.GetProperty("args_unread").GetRawText().ShouldBe("[]");
        call.GetProperty("args_late").EnumerateArray().Select(static name => name.GetString()).ShouldContain("filename");
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Args_OfACallThatBeganBeforeTheTrace_AreThoseThatItHadThen(string hook)
    {
        using var waiters = StuckTests.StartWaiters(_folder);
        string pipe = new FileInfo($"/proc/{waiters.Pid}/fd/{waiters["pipe_fd"]}").LinkTarget!;
        using var veil = VeilRun.Attach("--module", "syscall", "--args", "--hook", hook, "--tid", $"{waiters["pipe"]},{waiters["fifo"]}");
        using (new FileStream(Path.Combine(_folder, "fifo"), FileMode.Open, FileAccess.Write))
        {
            SpinWait.SpinUntil(
                () => !Directory.Exists($"/proc/{waiters.Pid}/task/{waiters["fifo"]}"), TimeSpan.FromSeconds(10)).ShouldBeTrue();
        }

        veil.Stop().ShouldBe(0);

        // Who may not look into another process has the registers alone.
        bool looks = !VeilRun.HasCapabilitiesAlone;
        veil.Lines.ShouldContain(line => line.Contains(
            looks ? $"duration=?          openat(AT_FDCWD<{Directory.GetCurrentDirectory()}>, \"{_folder}/fifo\", O_RDONLY) = "
            : "duration=?          openat(AT_FDCWD",
            StringComparison.Ordinal));
        veil.Lines[^1].ShouldEndWith(looks ? $"duration=?          read({waiters["pipe_fd"]}<{pipe}> <unfinished ...>" : "<unfinished ...>");
    }

    [Fact]
    public void Args_OfACallThatBeganBeforeTheTrace_StayWhenItsThreadIsKilled()
    {
        using var waiters = StuckTests.StartWaiters(_folder);
        using var veil = VeilRun.Attach(
            "--module", "syscall", "--args", "--output", "json", "--tid", waiters["fifo"], "--syscall", "openat");
        waiters.End();
        veil.Stop().ShouldBe(0);

        var call = Json(veil.Lines).ShouldHaveSingleItem();
        call.GetProperty("path").GetString().ShouldBe(Path.Combine(_folder, "fifo"));
        call.GetProperty("duration_ns").ValueKind.ShouldBe(JsonValueKind.Null);
        call.GetProperty("fds").GetProperty("dfd").GetString().ShouldBe(Directory.GetCurrentDirectory());
    }

    /// <summary>The look says only since when a task has been off the CPU: the call has taken as long at least.</summary>
    [Fact]
    public void Args_OfASlowCallThatBeganBeforeTheTrace_AreShownWhileItIsUnderWay()
    {
        using var waiters = StuckTests.StartWaiters(_folder);
        using var veil = VeilRun.Attach("--module", "syscall", "--args", "--slower", "300ms", "--tid", waiters["fifo"]);
        Thread.Sleep(TimeSpan.FromSeconds(1)); // what is measured is the wait itself
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldHaveSingleItem().ShouldContain($"openat(AT_FDCWD<{Directory.GetCurrentDirectory()}>, \"{_folder}/fifo\"");
    }

    [Fact]
    public void Args_Json_SaysOfEachDescriptorWhatItIs()
    {
        var calls = Json(TraceDescriptors("--output", "json", "--syscall", "pipe,pipe2,openat,open").Lines);

        var pipe = calls.Single(static call => call.GetProperty("syscall").GetString()!.StartsWith("pipe", StringComparison.Ordinal));
        var ends = pipe.GetProperty("fds").GetProperty("fildes").EnumerateArray().Select(static end => end.GetString()!).ToArray();
        ends.Length.ShouldBe(2);
        ends[0].ShouldBe(ends[1]);
        ends[0].ShouldStartWith("pipe:[");
        pipe.GetProperty("args").GetProperty("fildes").EnumerateArray().ShouldAllBe(static fd => fd.ValueKind == JsonValueKind.Number);
        calls.Single(static call => call.GetProperty("path").GetString() == "/dev/null").GetProperty("fds").GetProperty("ret").GetString()
            .ShouldBe("/dev/null");
    }

    [Theory]
    [InlineData("none", "close(3) = 0")]
    [InlineData("path", "close(3</dev/null>) = 0")]
    [InlineData("all", "close(3</dev/null<char 1:3>>) = 0")]
    public void Fds_SayAsMuchAsIsAsked(string detail, string expected) =>
        Trace("exec 3</dev/null; exec 3<&-", "--fds", detail, "--syscall", "close")
            .ShouldContain(line => line.EndsWith(expected, StringComparison.Ordinal));

    [Theory]
    [InlineData(1, "\"a\"...")]
    [InlineData(4095, null)]
    [InlineData(4096, null)]
    public void StringSize_IsWhatIsShown(int size, string? expected)
    {
        string[] lines =
            Trace("printf '%04096d' 0 | tr 0 a >/dev/null; printf '%s' \"$(printf 'a%.0s' {1..4096})\" >/dev/null", "--string-size",
            size.ToString(), "--syscall", "write");

        string buffer = expected ?? (size < 4096 ? $"\"{new string('a', size)}\"..." : $"\"{new string('a', size)}\"");
        lines.ShouldContain(
            line => line.EndsWith($", {buffer}, 4096) = 4096", StringComparison.Ordinal),
            string.Join('\n', lines.Select(static line => line[..Math.Min(line.Length, 300)])));
    }

    [Theory]
    [InlineData("--string-size 0", "--string-size: '0' is not a number of bytes from 1 to 4096")]
    [InlineData("--string-size 4097", "--string-size: '4097' is not a number of bytes from 1 to 4096")]
    [InlineData("--fds x", "--fds: 'x' is none of none, path, all")]
    [InlineData("--fields args.filenam", "--fields: no call has an argument 'filenam'; did you mean 'args.filename'?")]
    public void Flags_WithWrongValues_AreRefused(string flags, string expected)
    {
        var veil = VeilRun.ToEnd(["--module", "syscall", "--args", "-p", "1", .. flags.Split(' ')]);

        veil.ExitCode.ShouldBe(2);
        veil.Errors.Trim().ShouldBe("veil: " + expected);
    }

    [Fact]
    public void Fields_OfOneArgument_AreThatArgument() =>
        Trace("exec 3</dev/null", "--fields", "syscall,args.filename,args.count", "--syscall", "openat")
            .ShouldContain("syscall=openat args.filename=\"/dev/null\" args.count=?");

    private static List<JsonElement> Json(string[] lines) => [.. lines.Select(static line => JsonDocument.Parse(line).RootElement)];

    private (Workload Workload, string[] Lines) TraceDescriptors(params string[] more)
    {
        using var workload = Workload.Waiting("descriptors", _folder);
        using var veil = VeilRun.Attach(["--module", "syscall", "--args", "-p", workload.Pid, .. more]);
        workload.Go();
        veil.Stop().ShouldBe(0);
        return (workload, veil.Lines);
    }

    // As the text has it, without what is before the call.
    private static string[] CallsOf(string hook, string script) => Trace(script, "--hook", hook);

    private static string[] Trace(string script, params string[] more)
    {
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", "read -r _; " + script]) { RedirectStandardInput = true })!;
        using var veil = VeilRun.Attach(["--module", "syscall", "--args", "-p", shell.Id.ToString(), .. more]);
        shell.StandardInput.WriteLine();
        shell.WaitForExit();
        veil.Stop().ShouldBe(0);
        return veil.Lines;
    }
}
