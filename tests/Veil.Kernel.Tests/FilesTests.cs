// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The files module against what the workload did and what /proc/self/fd says of it.</summary>
public sealed class FilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-files-").FullName;

    private const string NoUring = "the tracepoints of io_uring name no file";

    private static bool SeesUring => Environment.OSVersion.Version >= new Version(5, 19);

    public static TheoryData<string> Hooks => [.. Rungs.Possible("files")];

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Files_EveryKindOfFile_HasItsPathAndResult(string hook)
    {
        var (workload, events) = Trace(hook, "files");

        var expected = Enumerable.Range(0, (int)workload.Number("operations")).Select(i => Describe(
            workload[$"{i}.op"], Result(hook, workload[$"{i}.op"], workload.Number($"{i}.ret")), workload[$"{i}.path"])).ToList();
        var seen = events.Where(static e => !e.GetProperty("truncated").GetBoolean()).Select(static e =>
            Describe(e.GetProperty("op").GetString()!, e.GetProperty("ret").GetInt64(), e.GetProperty("filename").GetString()!)).ToList();
        seen.ShouldBe(expected);
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Files_ReadAndWrite_HaveTheBytesMoved(string hook)
    {
        var (_, events) = Trace(hook, "files");

        foreach (var e in events)
            e.GetProperty("bytes").GetInt64()
                .ShouldBe(e.GetProperty("op").GetString() == "open" ? 0 : Math.Max(e.GetProperty("ret").GetInt64(), 0));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Files_PathBeyond4096Bytes_KeepsItsEndAndSaysSo(string hook)
    {
        var (_, events) = Trace(hook, "files");

        var cut = events.Where(static e => e.GetProperty("truncated").GetBoolean()).ToArray();
        cut.Length.ShouldBe(2);
        foreach (var e in cut)
        {
            string path = e.GetProperty("filename").GetString()!;
            path.Length.ShouldBeInRange(4096 - 255, 4096);
            path.ShouldEndWith("/e/e/too-deep");
        }
    }

    [Theory]
    [InlineData("open", "open")]
    [InlineData("read", "read")]
    [InlineData("!read", "open write")]
    [InlineData("copy", "")]
    public void Op_Filter_LeavesOthersOut(string op, string left)
    {
        var (_, events) = Trace(Rungs.Best("files"), "files", "--op", op);

        events.Select(static e => e.GetProperty("op").GetString()!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .ShouldBe(left.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void File_Shapes_MatchAsDocumented()
    {
        string[] PathsFor(params string[] patterns)
        {
            var (_, events) =
                Trace(Rungs.Best("files"), "files", ["--op", "open", .. patterns.Select(static pattern => "--file=" + pattern)]);
            return [.. events.Select(e => e.GetProperty("filename").GetString()!).Distinct(StringComparer.Ordinal)];
        }

        PathsFor(_folder + "/created").ShouldBe([_folder + "/created"]);
        PathsFor(_folder + "/bound/").ShouldBe([_folder + "/bound/file"]);
        PathsFor("bound/file").ShouldBe([_folder + "/bound/file"]);
        PathsFor("ound/file").ShouldBeEmpty();
        PathsFor("reate").ShouldBe([_folder + "/created"]);
        PathsFor(_folder + "/bound/", "!file").ShouldBeEmpty();
    }

    /// <summary>More than the kernel has room for is decided in userspace, and said; it has the same events.</summary>
    [Fact]
    public void File_OfManyValues_IsDecidedInUserspaceAndSaysSo()
    {
        string many = string.Join(',', Enumerable.Range(0, 100).Select(static i => $"/nowhere/file{i}").Append(_folder + "/created"));
        using var workload = Workload.Waiting("files", _folder);
        using var veil = VeilRun.Attach("--module", "files", "--pid", workload.Pid, "--file", many, "--fields", "filename");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldHaveSingleItem().ShouldBe($"filename={_folder}/created");
        veil.Errors.ShouldMatch(
            "warning: --file: the values have [0-9]+ bytes together, of which the kernel takes 512: it is decided in userspace");
        veil.Errors.ShouldMatch("1 event delivered .*, 0 lost, [1-9][0-9]+ dropped by --file");
    }

    [Fact]
    public void File_WhereEventsAreCounted_IsDecidedInTheKernel()
    {
        using var workload = Workload.Waiting("copies", _folder);
        using var veil =
            VeilRun.Attach("--module", "files", "--pid", workload.Pid, "--op", "copy", "--file", _folder + "/to", "--count", "-o", "json");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldNotBeEmpty();
        veil.Errors.ShouldNotContain("dropped by");
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Open_HardToName_HasThePathThatWasMeantAndIsNoLoss(string hook)
    {
        var (workload, events) = Trace(hook, "opens");

        var expected = Enumerable.Range(0, (int)workload.Number("operations")).Select(i => i == workload.Number("trapped")
            ? "open null  False False"
            : $"{workload[$"{i}.op"]} {Result(hook, workload[$"{i}.op"], workload.Number($"{i}.ret"))} {workload[$"{i}.path"]} {bool.Parse(workload[$"{i}.truncated"])} {bool.Parse(workload[$"{i}.deleted"])}").ToList();
        events.Select(
            static e =>
            $"{e.GetProperty("op").GetString()} {e.GetProperty("ret").GetRawText()} {e.GetProperty("filename").GetString()} {e.GetProperty("truncated").GetBoolean()} {e.GetProperty("deleted").GetBoolean()}")
            .ShouldBe(expected);
    }

    /// <summary>What seccomp(2) refuses never begins: the filters of results are asked at its end, and it is not known to be
    /// slow.</summary>
    [Theory]
    [MemberData(nameof(Hooks))]
    public void Errno_RefusedBySeccomp_IsAnEventAndNotSlow(string hook)
    {
        var (_, refused) = Trace(hook, "opens", "--errno", "EPERM,EACCES,ENOSYS");
        var (_, slow) = Trace(hook, "opens", "--errno", "EPERM,EACCES,ENOSYS", "--slower", "1ns");

        refused.Select(
            static e => $"{e.GetProperty("op").GetString()} {e.GetProperty("errno").GetString()} {e.GetProperty("filename").GetString()}")
            .ShouldBe([$"open EPERM {_folder}/jail/refused", $"read EACCES {_folder}/jail/file", $"copy ENOSYS {_folder}/jail/file"]);
        slow.ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Copy_ByEveryCall_HasBothPathsAndTheBytes(string hook)
    {
        var (workload, events) = Trace(hook, "copies", "--op", "copy", "--fail-on-loss");

        events.Select(
            static e =>
            $"{e.GetProperty("ret")} {e.GetProperty("bytes")} {e.GetProperty("filename").GetRawText()} {e.GetProperty("target").GetRawText()}").ShouldBe(ExpectedCopies(workload));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Copy_WithSlower_HasItsDuration(string hook)
    {
        var (workload, events) = Trace(hook, "copies", "--op", "copy", "--slower", "1ns");

        events.Select(
            static e =>
            $"{e.GetProperty("ret")} {e.GetProperty("bytes")} {e.GetProperty("filename").GetRawText()} {e.GetProperty("target").GetRawText()}").ShouldBe(ExpectedCopies(workload));
        events.ShouldAllBe(static e => e.GetProperty("duration_ns").GetInt64() > 0);
    }

    /// <summary>From 5.19 on; before, the tracepoints know no file, and doctor says so.</summary>
    [Fact]
    public void Doctor_SaysWhereIoUringIsNotSeen() =>
        VeilRun.ToEnd("doctor").Lines.Contains(
            "  does not see reads and writes by io_uring: the tracepoints of io_uring name no file before Linux 5.19").ShouldBe(!SeesUring);

    [KernelTheory(5, 19, NoUring)]
    [MemberData(nameof(Hooks))]
    public void Uring_EveryRequest_IsAnEventWithItsPath(string hook)
    {
        var (workload, events) = Trace(hook, "uring", "--fail-on-loss");

        // The functions know the name of an open that failed; the tracepoint comes when it is gone.
        var expected = Enumerable.Range(0, (int)workload.Number("operations")).Select(i =>
            $"{workload[$"{i}.op"]} {Result(hook, workload[$"{i}.op"], workload.Number($"{i}.ret"))} {(i == workload.Number("failed_open") && hook is ("fentry" or "kprobe") ? _folder + "/missing" : workload[$"{i}.path"])} {Quoted(workload, $"{i}.target")}");
        events.Select(
            static e =>
            $"{e.GetProperty("op").GetString()} {e.GetProperty("ret")} {e.GetProperty("filename").GetString()} {e.GetProperty("target").GetRawText()}").ShouldBe(expected);
        // Where the kernel opens by a thread of its own for it, that has a name of its own (6.1).
        events.Where(static e => e.GetProperty("comm").GetString()?.StartsWith("iou-wrk-", StringComparison.Ordinal) == false)
            .ShouldAllBe(static e => e.GetProperty("comm").GetString() == "uring");
        events.ShouldAllBe(e => e.GetProperty("pid").GetInt64() == workload.Number("pid"));
    }

    [KernelFact(5, 19, NoUring)]
    public void Uring_WithSlower_HasItsDuration()
    {
        var (workload, events) = Trace(Rungs.Best("files"), "uring", "--slower", "1ns");

        events.Length.ShouldBe((int)workload.Number("operations"));
        events.ShouldAllBe(static e => e.GetProperty("duration_ns").GetInt64() > 0);
    }

    [Theory]
    [InlineData("filename", "source")]
    [InlineData("target", "target")]
    public void Copy_CountedByPath_CountsEach(string field, string side)
    {
        var (workload, records) = Trace(Rungs.Best("files"), "copies", "--op", "copy", "--count-by", field);

        var expected = Enumerable.Range(0, (int)workload.Number("copies"))
            .GroupBy(i => Quoted(workload, $"{i}.{side}"), StringComparer.Ordinal).Select(static group => $"{group.Key} {group.Count()}");
        records.Where(static record => record.TryGetProperty("count", out _))
            .Select(record => $"{record.GetProperty(field).GetRawText()} {record.GetProperty("count")}")
            .ShouldBe(expected, ignoreOrder: true);
    }

    [Fact]
    public void File_OfACopy_MatchesEitherPath()
    {
        foreach (string name in new[] { "/from", "/to" })
        {
            var (_, events) = Trace(Rungs.Best("files"), "copies", "--op", "copy", "--file", _folder + name);
            events.ShouldContain(
                e => e.GetProperty("filename").GetString() == _folder + "/from" && e.GetProperty("target").GetString() == _folder + "/to");
            events.ShouldAllBe(
                e => e.GetProperty("filename").GetString() == _folder + name || e.GetProperty("target").GetString() == _folder + name);
        }
    }

    [Fact]
    public void File_ThroughALink_MatchesWhatItLeadsToAndSaysSo()
    {
        string link = _folder + "-link";
        File.CreateSymbolicLink(link, _folder);
        try
        {
            using var workload = Workload.Waiting("copies", _folder);
            using var veil = VeilRun.Attach("--module", "files", "--pid", workload.Pid, "--file", link + "/t*", "--fields", "target");
            workload.Go();
            veil.Stop().ShouldBe(0);

            veil.Errors.ShouldContain($"veil: warning: --file: '{link}/t*' goes through a symbolic link; '{_folder}/t*' is matched too");
            veil.Lines.ShouldAllBe(line => line == $"target={_folder}/to");
            veil.Lines.ShouldNotBeEmpty();
        }
        finally
        {
            File.Delete(link);
        }
    }

    [Fact]
    public void File_AfterItWasDeleted_StillMatches()
    {
        foreach (string pattern in new[] { "/gone", "/gone (deleted)" })
        {
            var (_, events) = Trace(Rungs.Best("files"), "opens", "--op", "write", "--file", _folder + pattern);
            events.ShouldHaveSingleItem().GetProperty("filename").GetString().ShouldBe(_folder + "/gone (deleted)");
        }
    }

    [Fact]
    public void Deleted_InText_IsToldFromANameThatSaysSo()
    {
        using var workload = Workload.Waiting("opens", _folder);
        using var veil = VeilRun.Attach("--module", "files", "--pid", workload.Pid, "--file", "gone*");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.Select(static line => line[line.IndexOf("filename=", StringComparison.Ordinal)..]).ShouldBe(
            [$"filename={_folder}/gone", $"filename={_folder}/gone (deleted)", $@"filename={_folder}/gone\x20(deleted)"]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Quoted(Workload workload, string key) => workload.Said(key) ? $"\"{workload[key]}\"" : "null";

    private static IEnumerable<string> ExpectedCopies(Workload workload) => Enumerable.Range(0, (int)workload.Number("copies")).Select(i =>
        $"{workload[$"{i}.ret"]} {Math.Max(workload.Number($"{i}.ret"), 0)} {Quoted(workload, $"{i}.source")} {Quoted(workload, $"{i}.target")}");

    // The functions of the kernel do not know the descriptor that the call will return.
    private static long Result(string hook, string op, long ret) => op == "open" && ret >= 0 && hook is "fentry" or "kprobe" ? 0 : ret;

    private static string Describe(string op, long ret, string path) => $"{op} {ret} {path}";

    private (Workload Workload, JsonElement[] Events) Trace(string hook, string program, params string[] more)
    {
        using var workload = Workload.Waiting(program, _folder);
        using var veil = VeilRun.Attach(["--module", "files", "--hook", hook, "--pid", workload.Pid, "--output", "json", .. more]);
        workload.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        // Mounting an overlay opens its work folder, in 7.x.
        string[] others = [workload["stdin"], workload["stdout"], _folder + "/layers/work"];
        return (workload, [.. veil.Events.Where(e => !e.TryGetProperty("filename", out var path) || !others.Contains(path.GetString()))]);
    }
}
