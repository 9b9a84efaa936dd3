// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The operations that <c>--op</c> adds, against what the workload asked for.</summary>
public sealed class FileOperationsTests : IDisposable
{
    private const string Every = "open,read,write,copy,sync,truncate,stat,unlink,rename,mkdir,rmdir,link,symlink,chmod,chown,mmap,close";

    private static readonly string[] s_fields = ["op", "ret", "bytes", "filename", "target", "flags", "mode", "offset", "requested"];

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-operations-").FullName;

    public static TheoryData<string> Hooks => [.. Rungs.Possible("files")];

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Op_EveryCall_HasItsPathsAndWhatItAskedFor(string hook)
    {
        var (workload, events) = Trace(hook, "--op", Every, "--fail-on-loss");

        Described(events, hook).ShouldBe(Expected(workload, hook));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Op_WithSlower_HasDurationsToo(string hook)
    {
        var (workload, events) = Trace(hook, "--op", Every, "--slower", "1ns");

        Described(events, hook).ShouldBe(Expected(workload, hook));
        events.ShouldAllBe(static e => e.GetProperty("duration_ns").GetInt64() > 0);
    }

    [Fact]
    public void Op_OnAFolderThatIsGone_SaysSo()
    {
        string gone = Directory.CreateDirectory(Path.Combine(_folder, "gone")).FullName;
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", $"cd {gone}; rmdir {gone}; read -r _; test -d .; true"])
        {
            RedirectStandardInput = true,
        })!;
        using var veil = VeilRun.Attach("-m", "files", "--op", "stat", "-p", shell.Id.ToString(), "-o", "json");
        SpinWait.SpinUntil(() => !Directory.Exists(gone), TimeSpan.FromSeconds(10)).ShouldBeTrue();
        shell.StandardInput.WriteLine();
        shell.WaitForExit();
        veil.Stop().ShouldBe(0);

        var stat = veil.Events.Single(static e => e.GetProperty("requested").GetString() == ".");
        stat.GetProperty("filename").GetString().ShouldBe(gone + " (deleted)");
        stat.GetProperty("deleted").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public void WithoutOp_IsOpenReadWriteAndCopy()
    {
        var (_, events) = Trace(Rungs.Best("files"));

        events.Select(static e => e.GetProperty("op").GetString()!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .ShouldBe(["open", "read", "write"]);
        events.Count(static e => e.TryGetProperty("requested", out var _)).ShouldBe(0);
    }

    [Fact]
    public void Op_InText_HasWhatTheCallHas()
    {
        using var workload = Workload.Waiting("operations", _folder);
        using var veil =
            VeilRun.Attach("--module", "files", "--pid", workload.Pid, "--op", "mkdir,rename", "--failed", "--hook", Rungs.Best("files"));
        workload.Go();
        veil.Stop().ShouldBe(0);

        string line = veil.Lines.ShouldHaveSingleItem();
        line[line.IndexOf("op=", StringComparison.Ordinal)..].ShouldBe(
            $"op=rename    ret=-17             errno=EEXIST(17)         bytes=0           filename={_folder}/file  " +
                $"target={_folder}/dir/moved  flags=RENAME_NOREPLACE  requested=file");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static IEnumerable<string> Expected(Workload workload, string hook) => Enumerable.Range(0, (int)workload.Number("operations"))
        .Select(i =>
            string.Join(
            ' ', s_fields.Select(
            key => Known(hook, workload[$"{i}.op"], key, workload.Said($"{i}.{key}") ? workload[$"{i}.{key}"] : "null"))));

    private static IEnumerable<string> Described(IEnumerable<JsonElement> events, string hook) => events.Select(e =>
        string.Join(
            ' ', s_fields.Select(
            key => Known(
            hook, e.GetProperty("op").GetString()!, key, e.GetProperty(key) is { ValueKind: JsonValueKind.Null } ? "null"
            : e.GetProperty(key).ToString()))));

    // The functions of the kernel do not know the call that opens, reads or writes.
    private static string Known(string hook, string op, string key, string value) =>
        hook is "fentry" or "kprobe" && op is "open" or "read" or "write" && key is "flags" or "mode" or "offset" or "requested" or "ret"
            ? "" : value;

    private (Workload Workload, JsonElement[] Events) Trace(string hook, params string[] more)
    {
        using var workload = Workload.Waiting("operations", _folder);
        using var veil = VeilRun.Attach(["--module", "files", "--hook", hook, "--pid", workload.Pid, "--output", "json", .. more]);
        workload.Go();
        veil.Stop().ShouldBe(0);
        veil.ShouldHaveLostNothing();
        string[] others = [workload["stdin"], workload["stdout"]];
        return (workload, [.. veil.Events.Where(e => !others.Contains(e.GetProperty("filename").GetString()))]);
    }
}
