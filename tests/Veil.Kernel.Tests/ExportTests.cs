// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>What <c>veil export</c> makes of a recording, read by others, and beside what the traced program says that it did.</summary>
public sealed class ExportTests : IDisposable
{
    private static readonly string[] s_calls = ["getppid", "getuid", "close", "openat", "write", "exit_group"];

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-export").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string File => Path.Combine(_folder, "a");

    [Fact]
    public void Export_ToChrome_HasEachCallOnItsThread()
    {
        using var program = Record("mix", "50");
        using var trace = JsonDocument.Parse(System.IO.File.ReadAllBytes(Export("chrome", ".trace.json")));
        var calls = trace.RootElement.GetProperty("traceEvents").EnumerateArray()
            .Where(static one => one.GetProperty("ph").GetString() != "M").ToList();
        calls.Count.ShouldBe((int)program.Number("total"));
        calls.ShouldAllBe(one => one.GetProperty("tid").GetInt64() == long.Parse(program.Pid));
        foreach (string call in s_calls)
            calls.Count(one => one.GetProperty("name").GetString() == call).ShouldBe((int)program.Number(call), call);
        calls.Where(static one => one.GetProperty("name").GetString() == "openat")
            .ShouldAllBe(static one => one.GetProperty("args").GetProperty("errno").GetString() == "ENOENT");
    }

    [ProtocFact]
    public void Export_ToPerfetto_HasASliceForEachCall()
    {
        using var program = Record("mix", "50");
        string text = Decode(Export("perfetto", ".perfetto-trace"));
        long total = program.Number("total");
        // The last call does not return: it takes until the thread ends.
        Count(text, "type: TYPE_SLICE_BEGIN").ShouldBe(total);
        Count(text, "type: TYPE_SLICE_END").ShouldBe(total);
        Count(text, "type: TYPE_INSTANT").ShouldBe(0);
        Count(text, $"      tid: {program.Pid}\n      thread_name: \"mix\"").ShouldBe(1);
        Regex.IsMatch(text, @"^\s*\d+[: ]", RegexOptions.Multiline | RegexOptions.NonBacktracking).ShouldBeFalse();
    }

    /// <summary>A thread that sleeps runs after each of its sleeps, and no state says that it runs twice.</summary>
    [ProtocFact]
    public void Export_SchedulingToPerfetto_HasWhatPerfettoAccepts()
    {
        using var program = Record(["--module", "scheduler"], "switches", "sleep", "50");
        string text = Decode(Export("perfetto", ".perfetto-trace"));
        var states = Regex.Matches(
                text, @"timestamp: (?<time>\d+)[^}]*generic_kernel_task_state_event \{[^}]*tid: (?<tid>\d+)\s+state: TASK_STATE_(?<state>\w+)",
                RegexOptions.NonBacktracking)
            .Select(static match => (Time: ulong.Parse(match.Groups["time"].Value), Tid: match.Groups["tid"].Value, State: match.Groups["state"].Value))
            .Select(static (state, place) => (state, place)).OrderBy(static one => one.state.Time).ThenBy(static one => one.place)
            .Select(static one => one.state).ToList();
        states.Count(one => one.Tid == program.Pid && one.State == "RUNNING").ShouldBeGreaterThanOrEqualTo(50);
        foreach (var thread in states.GroupBy(static one => one.Tid))
        {
            string before = "";
            foreach (var (_, _, state) in thread)
            {
                (state == "RUNNING" && before == "RUNNING").ShouldBeFalse(thread.Key);
                (before == "DEAD" && state != "DESTROYED").ShouldBeFalse(thread.Key);
                before = state;
            }
        }
    }

    [Fact]
    public void Export_KeysAndWeights_AreWhatTheProgramDid()
    {
        using var program = Record("mix", "50");
        System.IO.File.ReadAllLines(Export("folded", ".folded", "--count-by", "comm,syscall")).ShouldBe(
            s_calls.Order(StringComparer.Ordinal).Select(call => $"mix;{call} {program.Number(call)}"));
        using var profile = JsonDocument.Parse(System.IO.File.ReadAllText(Export("speedscope", ".speedscope.json", "--count-by", "syscall")));
        profile.RootElement.GetProperty("profiles")[0].GetProperty("endValue").GetInt64().ShouldBe(program.Number("total"));
    }

    /// <summary>The rest is tried without a kernel, by another implementation: ParquetTests.</summary>
    [Fact]
    public void Export_ToParquet_BeginsAndEndsAsItShould()
    {
        using var program = Record("mix", "50");
        byte[] table = System.IO.File.ReadAllBytes(Export("parquet", ".parquet"));
        Encoding.ASCII.GetString(table[..4]).ShouldBe("PAR1");
        Encoding.ASCII.GetString(table[^4..]).ShouldBe("PAR1");
        BitConverter.ToInt32(table.AsSpan()[^8..^4]).ShouldBeInRange(100, table.Length - 12);
        if (OperatingSystem.IsLinux())
            System.IO.File.GetUnixFileMode(File + ".parquet").ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void Export_OfFilteredEvents_HasThoseAlone()
    {
        using var program = Record("mix", "50");
        using var export = VeilRun.ToEnd("export", File, "--to", "folded", "--syscall", "close", "--count-by", "syscall", "--out", "-");
        export.ExitCode.ShouldBe(0, export.Errors);
        export.Lines.ShouldBe([$"close {program.Number("close")}"]);
    }

    [Fact]
    public void Export_OverAFile_IsRefusedAndLeavesIt()
    {
        using var program = Record("mix", "1");
        System.IO.File.WriteAllText(File + ".trace.json", "mine");
        using (var refused = VeilRun.ToEnd("export", File, "--to", "chrome"))
        {
            refused.ExitCode.ShouldBe(2);
            refused.Errors.Trim().ShouldBe($"veil: --out: {File}.trace.json is there already; --force replaces it");
        }

        System.IO.File.ReadAllText(File + ".trace.json").ShouldBe("mine");
        using var forced = VeilRun.ToEnd("export", File, "--to", "chrome", "--force");
        forced.ExitCode.ShouldBe(0, forced.Errors);
        System.IO.File.ReadAllText(File + ".trace.json").ShouldStartWith("{");
        Directory.GetFiles(_folder).Length.ShouldBe(2);
    }

    [Theory]
    [InlineData("parquet")]
    [InlineData("perfetto")]
    public void Export_OnAFullDisk_SaysSo(string format)
    {
        using var program = Record("mix", "1");
        using var export = VeilRun.ToEnd("export", File, "--to", format, "--out", "/dev/full");
        export.ExitCode.ShouldBe(1);
        export.Errors.Trim().ShouldBe("veil: writing the output: No space left on device");
    }

    [Fact]
    public void Export_OfACutRecording_HasWhatIsThereAndSaysSo()
    {
        using var program = Record("mix", "50");
        byte[] whole = System.IO.File.ReadAllBytes(File);
        System.IO.File.WriteAllBytes(File, whole[..^40]);
        using var export = VeilRun.ToEnd("export", File, "--to", "chrome");
        export.ExitCode.ShouldBe(1);
        export.Errors.ShouldContain("is missing");
        using var trace = JsonDocument.Parse(System.IO.File.ReadAllBytes(File + ".trace.json"));
    }

    // The read that the program waits in at the beginning is none that it counts.
    private Workload Record(string name, string argument) =>
        Record(["--module", "syscall", "--returns", "--syscall", "!read"], name, argument);

    private Workload Record(string[] flags, string name, params string[] arguments)
    {
        var program = Workload.Waiting(name, arguments);
        using var veil = VeilRun.Attach(["-p", program.Pid, "--record", File, "--output", "none", .. flags]);
        program.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        return program;
    }

    private string Export(string format, string ending, params string[] flags)
    {
        using var export = VeilRun.ToEnd(["export", File, "--to", format, .. flags]);
        export.ExitCode.ShouldBe(0, export.Errors);
        return File + ending;
    }

    private static long Count(string text, string part) => text.Split(part).Length - 1;

    // By the public definitions, beside the tests of the format.
    private static string Decode(string path)
    {
        string definitions = Path.Combine(Repository.Root, "tests/Veil.Core.Tests/Formats");
        using var process = Process.Start(
            new ProcessStartInfo("sh", ["-c", $"exec protoc --decode perfetto.protos.Trace -I'{definitions}' perfetto.proto <'{path}'"])
            {
                RedirectStandardOutput = true,
            })!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0);
        return text;
    }
}

/// <summary>A fact that needs Debian's protobuf-compiler and the definitions. Skipped, with the reason, where they are not there, as in guests.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ProtocFactAttribute : FactAttribute
{
    public ProtocFactAttribute() => Skip = !System.IO.File.Exists("/usr/bin/protoc") ? "there is no protoc: eng/setup installs protobuf-compiler"
        : !System.IO.File.Exists(Path.Combine(Repository.Root, "tests/Veil.Core.Tests/Formats/perfetto.proto")) ? "the definitions are not beside the tests"
        : null;
}
