using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The files module against what the workload did and what /proc/self/fd says of it.</summary>
public sealed class FilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-files-").FullName;

    public static TheoryData<string> Hooks => [.. Rungs.Possible("files")];

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Files_EveryKindOfFile_HasItsPathAndResult(string hook)
    {
        var (workload, events) = Trace(hook);

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
        var (_, events) = Trace(hook);

        foreach (var e in events)
            e.GetProperty("bytes").GetInt64().ShouldBe(e.GetProperty("op").GetString() == "open" ? 0 : Math.Max(e.GetProperty("ret").GetInt64(), 0));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Files_PathBeyond4096Bytes_KeepsItsEndAndSaysSo(string hook)
    {
        var (_, events) = Trace(hook);

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
    public void Op_Filter_LeavesOthersOut(string op, string left)
    {
        var (_, events) = Trace(Rungs.Best("files"), "--op", op);

        events.Select(static e => e.GetProperty("op").GetString()!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ShouldBe(left.Split(' '));
    }

    [Fact]
    public void File_Shapes_MatchAsDocumented()
    {
        string[] PathsFor(params string[] patterns)
        {
            var (_, events) = Trace(Rungs.Best("files"), ["--op", "open", .. patterns.Select(static pattern => "--file=" + pattern)]);
            return [.. events.Select(e => e.GetProperty("filename").GetString()!).Distinct(StringComparer.Ordinal)];
        }

        PathsFor(_folder + "/created").ShouldBe([_folder + "/created"]);
        PathsFor(_folder + "/bound/").ShouldBe([_folder + "/bound/file"]);
        PathsFor("bound/file").ShouldBe([_folder + "/bound/file"]);
        PathsFor("ound/file").ShouldBeEmpty();
        PathsFor("reate").ShouldBe([_folder + "/created"]);
        PathsFor(_folder + "/bound/", "!file").ShouldBeEmpty();
    }

    [Fact]
    public void File_Dropped_IsInTheSummary()
    {
        using var workload = Workload.Waiting("files", _folder);
        using var veil = VeilRun.Attach("--module", "files", "--pid", workload.Pid, "--file", "/nowhere/");
        workload.Go();
        veil.Stop().ShouldBe(0);

        veil.Lines.ShouldBeEmpty();
        veil.Errors.ShouldMatch("0 events delivered .*, 0 lost, [1-9][0-9]+ dropped by --file");
    }

    public void Dispose() => Directory.Delete(_folder);

    // The functions of the kernel do not know the descriptor that the call will return.
    private static long Result(string hook, string op, long ret) => op == "open" && ret >= 0 && hook is "fentry" or "kprobe" ? 0 : ret;

    private static string Describe(string op, long ret, string path) => $"{op} {ret} {path}";

    private (Workload Workload, JsonElement[] Events) Trace(string hook, params string[] more)
    {
        using var workload = Workload.Waiting("files", _folder);
        using var veil = VeilRun.Attach(["--module", "files", "--hook", hook, "--pid", workload.Pid, "--output", "json", .. more]);
        workload.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        // Mounting an overlay opens its work folder, in 7.x.
        string[] others = [workload["stdin"], workload["stdout"], _folder + "/layers/work"];
        return (workload, [.. veil.Events.Where(e => !others.Contains(e.GetProperty("filename").GetString()))]);
    }
}
