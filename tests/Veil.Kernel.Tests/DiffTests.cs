// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Two runs of one command: what is not the same between them is known, because the test made it so.</summary>
public sealed class DiffTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-diff").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Diff_OfTheSameTwice_IsNothing()
    {
        File.WriteAllText(Named("file"), "text\n");
        string script = $"cat {Named("file")} | sort; rm $(mktemp -p {_folder}); (exit 3); ls {_folder}/file & wait";
        Record("good", "sh", "-c", script);
        Record("bad", "sh", "-c", script);

        using var diff = VeilRun.ToEnd("diff", Named("good"), Named("bad"));
        diff.ExitCode.ShouldBe(0, string.Join('\n', diff.Lines));
        diff.Lines.ShouldContain(static line => line.StartsWith("no difference: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Diff_WithoutAFile_SaysWhoOpensIt()
    {
        string[] command = ["sh", "-c", $"true; cat {Named("file")}; cat {Named("other")}"];
        File.WriteAllText(Named("file"), "text\n");
        File.WriteAllText(Named("other"), "more\n");
        Record("good", command);
        File.Delete(Named("file"));
        Record("bad", command);

        var diff = Difference();
        var first = diff.GetProperty("first");
        first.GetProperty("role").GetString().ShouldBe("sh > cat");
        first.GetProperty("change").GetString().ShouldBe("changed");
        first.GetProperty("good").GetString()!.ShouldContain($"\"{Named("file")}\"");
        first.GetProperty("bad").GetString()!.ShouldEndWith(" = -1 ENOENT (No such file or directory)");
        // The second cat did the same.
        diff.GetProperty("roles").EnumerateArray().Select(static role => role.GetProperty("role").GetString())
            .ShouldNotContain("sh > cat[2]");
        using var text = VeilRun.ToEnd("diff", Named("good"), Named("bad"));
        text.ExitCode.ShouldBe(1);
        text.Lines.ShouldContain(line => line.StartsWith("first difference: after ", StringComparison.Ordinal)
            && line.EndsWith($" equal calls, sh > cat: openat(\"{Named("file")}\") = 3 / ENOENT", StringComparison.Ordinal));
    }

    [Fact]
    public void Diff_WithAConnectionRefused_NamesIt()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        string[] command = ["bash", "-c", $"exec 3<>/dev/tcp/127.0.0.1/{port}"];
        Record("good", command);
        listener.Stop();
        Record("bad", command);

        var first = Difference().GetProperty("first");
        first.GetProperty("role").GetString().ShouldBe("bash");
        first.GetProperty("bad").GetString()!.ShouldContain($"htons({port})");
        first.GetProperty("bad").GetString()!.ShouldContain(" ECONNREFUSED ");
    }

    [Fact]
    public void Diff_OfProcessesAlone_HasTheSignalOfAKilledChild()
    {
        string[] command = ["sh", "-c", $"sh -c 'test -e {Named("file")} || kill -9 $$'; true"];
        File.WriteAllText(Named("file"), "");
        RecordWith("good", ["--module", "process"], command);
        File.Delete(Named("file"));
        RecordWith("bad", ["--module", "process"], command);

        var failure = Difference().GetProperty("first_failure");
        failure.GetProperty("role").GetString().ShouldBe("sh > sh");
        failure.GetProperty("good").GetString()!.ShouldContain(" exit_code=0");
        failure.GetProperty("bad").GetString()!.ShouldContain(" exit_signal=SIGKILL");
    }

    [Fact]
    public void Diff_WithAProgramThatIsGone_HasTheChildThatCannotExecuteIt()
    {
        string tool = Named("tool");
        File.Copy("/bin/true", tool);
        string[] command = ["sh", "-c", $"{tool} a; true"];
        Record("good", command);
        Process.Start("chmod", ["400", tool]).WaitForExit();
        Record("bad", command);

        var first = Difference().GetProperty("first_failure");
        first.GetProperty("role").GetString().ShouldBe("sh > tool");
        first.GetProperty("good").GetString()!.ShouldStartWith($"execve(\"{tool}\"");
        first.GetProperty("bad").GetString()!.ShouldContain(" EACCES ");
    }

    [Theory]
    [InlineData("diff", "veil: diff: usage: veil diff ")]
    [InlineData("diff FOLDER/none FOLDER/none", "there is no such file")]
    [InlineData("diff FOLDER/text FOLDER/text", "it is no recording of veil")]
    [InlineData("diff - -", "standard input is one recording")]
    [InlineData("diff a b --output yaml", "unknown format 'yaml'")]
    public void Diff_OfWhatCannotBeCompared_SaysWhyAndIsTrouble(string command, string said)
    {
        File.WriteAllText(Named("text"), "no recording\n");
        using var diff = VeilRun.ToEnd([.. command.Replace("FOLDER", _folder, StringComparison.Ordinal).Split(' ')]);
        diff.ExitCode.ShouldBe(2, diff.Errors);
        diff.Errors.ShouldContain(said);
        diff.Errors.Trim().ShouldNotContain('\n');
        diff.RawOutput.ShouldBeEmpty();
    }

    [Fact]
    public void Diff_OfRecordingsOfOtherThings_SaysToRecordTheSame()
    {
        RecordWith("good", ["--module", "process"], ["true"]);
        RecordWith("bad", ["--module", "files"], ["true"]);

        using var diff = VeilRun.ToEnd("diff", Named("good"), Named("bad"));
        diff.ExitCode.ShouldBe(2);
        diff.Errors.ShouldContain("record both with the same flags");
    }

    [Fact]
    public void Diff_OfARecordingThatIsCutOff_IsTrouble()
    {
        Record("good", "sh", "-c", "true; cat /etc/hostname");
        File.WriteAllBytes(Named("bad"), File.ReadAllBytes(Named("good"))[..^100]);

        using var diff = VeilRun.ToEnd("diff", Named("good"), Named("bad"));
        diff.ExitCode.ShouldBe(2);
        diff.Errors.ShouldContain("cut off");
    }

    private string Named(string name) => Path.Combine(_folder, name);

    private void Record(string name, params string[] command) => RecordWith(name, [], command);

    private void RecordWith(string name, string[] flags, string[] command)
    {
        using var veil = VeilRun.ToEnd([.. flags, "--record", Named(name), "--output", "none", "--", .. command]);
        veil.ShouldHaveLostNothing();
        File.Exists(Named(name)).ShouldBeTrue(veil.Errors);
    }

    private JsonElement Difference()
    {
        using var diff = VeilRun.ToEnd("diff", Named("good"), Named("bad"), "--output", "json");
        diff.ExitCode.ShouldBe(1, diff.Errors);
        return JsonDocument.Parse(diff.RawOutput).RootElement;
    }
}
