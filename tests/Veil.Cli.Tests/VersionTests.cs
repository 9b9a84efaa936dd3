// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Xml.Linq;

namespace Veil.Cli.Tests;

public sealed class VersionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-version-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("fa53ba0f1234", "2026-11-26", "veil 0.2.0 (commit fa53ba0f1234, 2026-11-26)")]
    [InlineData("fa53ba0f1234-dirty", "2026-11-26", "veil 0.2.0 (commit fa53ba0f1234-dirty, 2026-11-26)")]
    [InlineData("unknown", "", "veil 0.2.0 (commit unknown)")]
    [InlineData(null, null, "veil 0.2.0 (commit unknown)")]
    public void Of_CommitAndDate_AreInTheLine(string? commit, string? date, string line) =>
        VersionText.Of("0.2.0", commit, date).ShouldBe(line);

    /// <summary>What is built by <c>dotnet build</c> and not by <c>make</c> has no commit.</summary>
    [Fact]
    public void Own_HasTheVersionOfTheProps()
    {
        string version =
            XDocument.Load(Path.Combine(ArchitectureTests.Root(), "Directory.Build.props")).Descendants("Version").Single().Value;

        VersionText.Own().ShouldBe($"veil {version} (commit unknown)");
    }

    [Fact]
    public void Script_WithoutGit_TakesWhatIsSet()
    {
        Script().ShouldBe("unknown");
        Script(("SOURCE_DATE_EPOCH", "1764115200")).ShouldBe("unknown 2025-11-26");
        Script(("VEIL_COMMIT", "fa53ba0f1234"), ("SOURCE_DATE_EPOCH", "1764115200")).ShouldBe("fa53ba0f1234 2025-11-26");
    }

    [Fact]
    public void Script_WithGit_TakesCommitAndItsDate()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "src"));
        File.WriteAllText(Path.Combine(_folder, "src/a"), "1");
        File.WriteAllText(Path.Combine(_folder, "notes"), "1");
        Git("init", "-q");
        Git("add", ".");
        Git("-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "first");
        string commit = Git("rev-parse", "HEAD")[..12];

        Script().ShouldBe($"{commit} 2025-01-02");
        Script(("SOURCE_DATE_EPOCH", "1764115200")).ShouldBe($"{commit} 2025-11-26");

        File.WriteAllText(Path.Combine(_folder, "notes"), "22");
        Script().ShouldBe($"{commit} 2025-01-02");

        File.WriteAllText(Path.Combine(_folder, "src/a"), "22");
        Script().ShouldBe($"{commit}-dirty 2025-01-02");
    }

    // The script, as of a checkout that has only what a test put there.
    private string Script(params (string Name, string Value)[] environment)
    {
        string script = Path.Combine(_folder, "eng/version");
        Directory.CreateDirectory(Path.GetDirectoryName(script)!);
        File.Copy(Path.Combine(ArchitectureTests.Root(), "eng/version"), script, overwrite: true);
        return Run("bash", [script], environment);
    }

    private string Git(params string[] arguments) =>
        Run("git", ["-C", _folder, .. arguments],
        [("GIT_COMMITTER_DATE", "2025-01-02T03:04:05Z"), ("GIT_AUTHOR_DATE", "2024-01-02T03:04:05Z")]);

    private static string Run(string program, string[] arguments, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true };
        start.Environment.Remove("VEIL_COMMIT");
        start.Environment.Remove("SOURCE_DATE_EPOCH");
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, output);
        return output.Trim();
    }
}
