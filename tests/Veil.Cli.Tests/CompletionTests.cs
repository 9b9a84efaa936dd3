// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Cli.Tests;

/// <summary>What a half-typed command line can become.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("d", "diff doctor")]
    [InlineData("--mod", "--module")]
    [InlineData("--module fi", "files")]
    [InlineData("--module syscall,net", "syscall,network")]
    [InlineData("--module=net", "--module=network")]
    [InlineData("-m files --op r", "read rename rmdir")]
    [InlineData("-m files --op open !wr", "!write")]
    [InlineData("-m memory --fault m", "major minor")]
    [InlineData("-m syscall -s openat2,preadv", "openat2,preadv openat2,preadv2")]
    [InlineData("-m syscall -u roo", "root")]
    [InlineData("-m network --fields sa", "saddr")]
    [InlineData("-m files --hook ra", "raw_tp")]
    [InlineData("-m network --count-by dp", "dport")]
    [InlineData("-m network --hist rx", "rx_bytes")]
    [InlineData("-m network --hist comm", "")]
    [InlineData("--output j", "json")]
    [InlineData("--output json j", "")]
    [InlineData("control /run/x sta", "status")]
    [InlineData("completion b", "bash")]
    [InlineData("doctor --output t", "text")]
    [InlineData("export a.veil --to p", "parquet perfetto")]
    [InlineData("export a.veil --unt", "--until")]
    [InlineData("--nonsense x", "")]
    [InlineData("--du", "--duration")]
    [InlineData("--max", "--max-events")]
    [InlineData("--wr", "--write")]
    [InlineData("-m syscall --errno !ENOE", "!ENOENT !ENOEXEC")]
    [InlineData("-m syscall -w /tm", "")]
    [InlineData("-m files --file /et", "")]
    public void Candidates_OfAHalfTypedLine(string line, string expected) =>
        string.Join(' ', CompletionCommand.Candidates(line.Split(' '))).ShouldBe(expected);

    [Theory]
    [InlineData("--config {0} --profile c", "calls")]
    [InlineData("--config={0} --profile c", "calls")]
    [InlineData("--config /no/such/file --profile c", "")]
    [InlineData("--profile c", "")]
    public void Candidates_OfAProfile_AreThoseOfTheFile(string line, string expected)
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "profiles: {calls: {modules: {syscall: }}, files: {modules: {files: }}}\n");

        string.Join(' ', CompletionCommand.Candidates(line.Replace("{0}", path, StringComparison.Ordinal).Split(' '))).ShouldBe(expected);
        File.Delete(path);
    }
}
