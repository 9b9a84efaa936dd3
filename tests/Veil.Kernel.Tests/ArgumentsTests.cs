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

        calls.ShouldContain(call => call.Contains($"openat(AT_FDCWD<", StringComparison.Ordinal) && call.EndsWith($">, \"{file}\", O_RDONLY) = 3<{file}>", StringComparison.Ordinal));
        calls.ShouldContain(call => call.Contains($"read(0<{file}>, \"l\", 1) = 1", StringComparison.Ordinal) || call.Contains($"read(0<{file}>, \"line\\tone\\n\", 4096) = 9", StringComparison.Ordinal), string.Join('\n', calls));
        calls.ShouldContain(call => call.EndsWith($"close(3<{file}>) = 0", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Args_OfWhatIsNotThere_HaveTheErrorInWords(string hook)
    {
        string missing = Path.Combine(_folder, "missing");

        CallsOf(hook, $"exec 2>/dev/null; read -r line <'{missing}'")
            .ShouldContain(call => call.EndsWith($">, \"{missing}\", O_RDONLY) = -1 ENOENT (No such file or directory)", StringComparison.Ordinal));
    }

    [Fact]
    public void Args_Json_AreAnObjectByTheKernelsNames()
    {
        string missing = Path.Combine(_folder, "missing\u001b");
        var open = Trace($"exec 2>/dev/null; read -r line <'{missing}'", "--output", "json").Select(static line => JsonDocument.Parse(line).RootElement)
            .First(call => call.GetProperty("syscall").GetString() == "openat" && call.GetProperty("args").GetProperty("filename").GetString() == missing);
        open.GetProperty("args").GetProperty("dfd").GetRawText().ShouldBe("\"AT_FDCWD\"");
        open.GetProperty("args").GetProperty("flags").GetString().ShouldBe("O_RDONLY");
        open.GetProperty("errno").GetString().ShouldBe("ENOENT");
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
