// SPDX-License-Identifier: GPL-3.0-only
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Commands that trace nothing, through the shipped binary, and the completion in the real shells.</summary>
public sealed class HelperCommandTests
{
    [Fact]
    public void ListModules_NamesAll()
    {
        using var run = VeilRun.ToEnd("--list-modules");

        run.ExitCode.ShouldBe(0);
        run.Lines.Select(static line => line.Split(' ')[0]).ShouldBe(["syscall", "files", "network", "scheduler", "memory", "signal", "uprobe", "process", "lock", "profile"]);
    }

    [Theory]
    [InlineData("syscall", "--returns")]
    [InlineData("uprobe", "--latency")]
    public void ListFields_HasWhatASwitchAdds(string module, string needs)
    {
        using var run = VeilRun.ToEnd("--list-fields", module, "--output", "json");

        run.ExitCode.ShouldBe(0);
        var fields = run.Lines.Select(static line => JsonDocument.Parse(line).RootElement).ToList();
        fields[0].GetProperty("field").GetString().ShouldBe("module");
        fields.Single(static field => field.GetProperty("field").ValueEquals("duration_ns")).GetProperty("needs").GetString()
            .ShouldBe(needs);
    }

    [Theory]
    [InlineData("--list-modules --pid 1", "veil: --pid: --list-modules traces nothing; leave one of them out\n")]
    [InlineData(
        "--list-fields nework",
        "veil: --list-fields: unknown module 'nework'; did you mean 'network'? (available: syscall, files, network, " +
        "scheduler, memory, signal, uprobe, process, lock, profile)\n")]
    [InlineData("completion tcsh", "veil: completion: no script for 'tcsh' (available: bash, zsh, fish)\n")]
    public void Lists_WithWhatTheyWouldIgnore_AreErrors(string line, string error)
    {
        using var run = VeilRun.ToEnd(line.Split(' '));

        run.ExitCode.ShouldBe(2);
        run.Errors.ShouldBe(error);
    }

    [Theory]
    [InlineData("control --help", "control PATH [COMMAND…]")]
    [InlineData("control /nowhere --help", "control PATH [COMMAND…]")]
    [InlineData("completion --help", "completion SHELL")]
    [InlineData("config --help", "config validate FILE…")]
    [InlineData("config validate --help", "config validate FILE…")]
    [InlineData("config validate -h", "config validate FILE…")]
    [InlineData("help config validate", "config validate FILE…")]
    [InlineData("help control", "control PATH [COMMAND…]")]
    [InlineData("doctor --help", "doctor [flags]")]
    [InlineData("help stuck", "stuck [flags]")]
    [InlineData("help --help", "help [WORD…]")]
    public void Help_OfACommand_SaysHowItIsWritten(string line, string usage)
    {
        using var run = VeilRun.ToEnd(line.Split(' '));

        run.ExitCode.ShouldBe(0);
        run.Errors.ShouldBeEmpty();
        run.Lines.ShouldContain("Usage: veil " + usage);
    }

    [Fact]
    public void Validate_OfAWrongFile_IsTheErrorThatATraceWithItIs()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "modules: {filez: }\n");
            using var validated = VeilRun.ToEnd("config", "validate", path);
            using var traced = VeilRun.ToEnd("--config", path);

            (validated.ExitCode, validated.Errors).ShouldBe((2, traced.Errors));
            traced.ExitCode.ShouldBe(2);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Completion_InBash_Completes() => Shell(
        "bash", "source <(veil completion bash); COMP_WORDS=(veil --module fi); COMP_CWORD=2; _veil; echo \"${COMPREPLY[@]}\"")
            .ShouldBe("files");

    [Fact]
    public void Completion_InFish_Completes() => Shell(
        "fish", "veil completion fish | source; complete -C 'veil --module net'").ShouldBe("network");

    // zsh completes only in its line editor: a terminal of its own (zpty) presses the key.
    [Fact]
    public void Completion_InZsh_Completes() => Shell(
        "zsh", """
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell "PS1=; autoload -Uz compinit; compinit -D -u; source <(veil completion zsh); echo rea''dy"
        for i in {1..100}; do zpty -r -t shell line && [[ $line == *ready* ]] && break; sleep 0.1; done
        zpty -w -n shell $'echo veil; veil --module sched\t\C-a: '
        seen=
        for i in {1..100}; do zpty -r -t shell line && seen+=$line; [[ $seen == *scheduler* ]] && { echo scheduler; break }; sleep 0.1; done
        zpty -d shell
        """).ShouldBe("scheduler");

    private static string Shell(string shell, string script)
    {
        using var run =
            VeilRun.ToEndWith(
            "env", "PATH=" + Path.GetDirectoryName(Repository.Veil) + ":" + Environment.GetEnvironmentVariable("PATH"), shell, "-c",
            script);
        return string.Join('\n', run.Lines).Trim();
    }
}
