// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;

namespace Veil.Kernel.Tests;

/// <summary><c>--path</c> and <c>--fd</c> on calls that a shell makes.</summary>
public sealed class ArgumentFiltersTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-paths-").FullName;

    public static TheoryData<string> Hooks => [.. Rungs.Possible("syscall")];

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Path_OfAnArgumentOrADescriptor_ChoosesTheCalls(string hook)
    {
        File.WriteAllText(_folder + "/one", "1\n");
        File.WriteAllText(_folder + "/two", "2\n");

        // By its name, its folder, and the descriptor that the name became.
        Calls(hook, "--path", _folder + "/one", "--syscall", "openat").ShouldBe(["openat"]);
        Calls(hook, "--path", _folder + "/one", "--syscall", "close").ShouldNotBeEmpty();
        Calls(hook, "--path", "one,two", "--syscall", "openat").ShouldBe(["openat", "openat"]);
        Calls(hook, "--path", _folder, "--path", "!two", "--syscall", "openat").ShouldBe(["openat"]);
        Calls(hook, "--path", "/nowhere/").ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Hooks))]
    public void Fd_OfACall_ChoosesIt(string hook)
    {
        File.WriteAllText(_folder + "/one", "1\n");
        File.WriteAllText(_folder + "/two", "2\n");

        Calls(hook, "--fd", "3", "--syscall", "openat,close").ShouldBe(["openat", "close", "openat", "close"]);
        Calls(hook, "--fd", "!3", "--syscall", "openat,close").ShouldNotContain("openat");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string[] Calls(string hook, params string[] filters)
    {
        using var shell =
            Process.Start(
            new ProcessStartInfo(
            "bash", ["-c", $"read -r _; exec 3<{_folder}/one; exec 3<&-; exec 3<{_folder}/two; exec 3<&-"])
            {
                RedirectStandardInput = true
            })!;
        using var veil =
            VeilRun.Attach(["--module", "syscall", "--args", "--hook", hook, "-p", shell.Id.ToString(), "--fields", "syscall", .. filters]);
        shell.StandardInput.WriteLine("go");
        shell.WaitForExit();
        veil.Stop().ShouldBe(0);
        return [.. veil.Lines.Select(static line => line["syscall=".Length..])];
    }
}
