// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;

namespace Veil.Kernel.Tests;

/// <summary><c>veil top</c>: for scripts, and in a real terminal (tmux).</summary>
public sealed class TopTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-top-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Once_AsJson_HasTheRatesOfAProcess()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        var veil = VeilRun.ToEnd("top", "--once", "-p", hold.Pid, "-s", "getppid", "-o", "json");

        veil.ExitCode.ShouldBe(0, veil.Errors);
        var row = veil.Events[0];
        (row.GetProperty("pid").GetRawText(), row.GetProperty("comm").GetString()).ShouldBe((hold.Pid, "hold"));
        row.GetProperty("count").GetInt64().ShouldBeGreaterThan(0);
        row.GetProperty("sum").GetInt64().ShouldBeGreaterThan(row.GetProperty("max").GetInt64());
        veil.Events[^1].GetProperty("seconds").GetDouble().ShouldBeInRange(0.9, 3);
    }

    [Theory]
    [InlineData("syscall")]
    [InlineData("files")]
    [InlineData("network")]
    [InlineData("scheduler")]
    [InlineData("memory")]
    [InlineData("process")]
    [InlineData("signal")]
    public void Once_OfEveryModule_IsATable(string module)
    {
        var veil = VeilRun.ToEnd("top", module, "--once", "--interval", "0.1", "-p", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

        veil.ExitCode.ShouldBe(0, veil.Errors);
        veil.Lines[0].ShouldStartWith(module + " by ");
    }

    [Theory]
    [InlineData("top", "veil: top: there is no terminal; --once prints one table, --output json a table each time")]
    [InlineData("top filez --once", "veil: top: unknown module 'filez'; did you mean 'files'? (available: syscall, files, network, scheduler, memory, process, signal, profile, uprobe, lock)")]
    [InlineData("top --once --sort total", "veil: --sort: 'total' is none of count, sum, max, errors")]
    [InlineData("top --onc", "veil: unknown flag '--onc'; did you mean '--once'?")]
    [InlineData("top --count", "veil: top: it has no flag --count; it counts already, and g groups otherwise; other tables: veil --module NAME --count")]
    public void Top_WithoutWhatItNeeds_IsOneLine(string line, string error)
    {
        var veil = VeilRun.ToEnd(line.Split(' '));

        veil.ExitCode.ShouldBe(2);
        veil.Errors.TrimEnd().ShouldStartWith(error);
        veil.Errors.TrimEnd().ShouldNotContain('\n');
    }

    /// <summary>dd says how many blocks there were; each is one read.</summary>
    [Fact]
    public void Recording_Once_HasItsCounts()
    {
        string file = RecordingOf("dd if=/dev/zero of=/dev/null bs=512 count=1234 status=none");

        var veil = VeilRun.ToEnd("top", file, "--once", "-n", "dd", "-s", "read,write", "-o", "json");

        veil.ExitCode.ShouldBe(0, veil.Errors);
        veil.Events[0].GetProperty("comm").GetString().ShouldBe("dd");
        veil.Events[^1].GetProperty("seconds").GetDouble().ShouldBeLessThan(10);
        var writes = VeilRun.ToEnd("top", "syscall", file, "--once", "-n", "dd", "-s", "write", "-o", "json");
        writes.Events[0].GetProperty("count").GetInt64().ShouldBe(1234);
        var other = VeilRun.ToEnd("top", "files", file, "--once");
        (other.ExitCode, other.Errors.Trim()).ShouldBe((2, "veil: --module: files was not recorded; what was: syscall"));
    }

    /// <summary>As fast as it was: a pause of a second between two loops is a second here.</summary>
    [Fact]
    public void Tmux_Recording_IsPlayed()
    {
        string file = RecordingOf(
            "sh -c 'dd if=/dev/zero of=/dev/null bs=512 count=700 status=none; sleep 2; dd if=/dev/zero of=/dev/null bs=512 count=900 status=none'");
        string script = $$"""
            t() { tmux -L {{Path.GetFileName(_folder)}} "$@"; }
            shows() { for i in $(seq 100); do t capture-pane -p | grep -qE "$1" && return; sleep 0.1; done; echo "never: $1"; t capture-pane -p; }
            t -f /dev/null new-session -d -x 80 -y 24 "bash --norc --noprofile"
            t send-keys "PS1='shell> '; clear; {{Repository.Veil}} top {{file}} -s write -n dd" Enter
            shows '^> +700 .* dd'; t send-keys p; shows 'PAUSED'; sleep 1.5; shows '^> +700 .* dd'
            t send-keys p; shows ' dd$'; shows '  END$'
            t send-keys Enter; shows '^veil replay .* --module syscall --pid '; t send-keys Escape; shows '  END$'
            t send-keys q; shows '1600 events delivered in .* 0 lost'; shows '^shell> *$'
            t kill-server
            """;
        using var run = VeilRun.ToEndWith("bash", "-c", script);

        run.Lines.ShouldBe([]);
    }

    private string RecordingOf(string command)
    {
        string file = Path.Combine(_folder, "recording");
        var veil = VeilRun.ToEndWith("sh", "-c", $"{Repository.Veil} --module syscall --returns --record {file} -q -w /dev/null -- {command}");
        veil.ExitCode.ShouldBe(0, veil.Errors);
        return file;
    }

    /// <summary>Keys, sizes, the events of a row, and the terminal as it was, whatever ends it.</summary>
    [Fact]
    public void Tmux_Screen_IsWhatAPersonSees()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        string script = $$"""
            t() { tmux -L {{Path.GetFileName(_folder)}} "$@"; }
            shows() { for i in $(seq 100); do t capture-pane -p | grep -qE "$1" && return; sleep 0.1; done; echo "never: $1"; t capture-pane -p; }
            t -f /dev/null new-session -d -x 80 -y 24 "bash --norc --noprofile"
            t send-keys "PS1='shell> '; clear; {{Repository.Veil}} top -p {{hold.Pid}}" Enter
            shows '^ +CALLS/s\* +ERRORS/s +TIME/s .* PID +COMM'
            shows '^> +[0-9]+ .* {{hold.Pid}} +hold'
            t send-keys g; shows '^> .* getppid'
            t send-keys s; shows 'ERRORS/s\*'
            t send-keys /; t send-keys nothing Enter; shows 'no row has that text'
            t send-keys Escape; shows '^> .* getppid'
            t send-keys p; shows 'PAUSED'
            t send-keys p; sleep 0.3
            t resize-window -x 200 -y 60; shows 'AVERAGE SYSCALL$'
            t send-keys Enter; shows '^events of --syscall getppid'; shows '^hold .* getppid\(\) = '
            t send-keys Escape; shows '^> .* getppid'
            t send-keys '?'; shows 'rank by the next column'; t send-keys q
            t send-keys q; shows 'events counted in .* 0 lost'; shows '^shell> *$'
            t send-keys "{{Repository.Veil}} top -p {{hold.Pid}} & sleep 3; kill -TERM %1; wait; clear; stty -a" Enter
            shows ' icanon'; shows ' echo '
            t send-keys "clear; NO_COLOR=1 {{Repository.Veil}} top -p {{hold.Pid}}" Enter; shows '^> +[0-9]+ '
            t capture-pane -pe | grep -c $'\e'
            t send-keys C-c; shows '^shell> *$'
            t kill-server
            """;
        using var run = VeilRun.ToEndWith("bash", "-c", script);

        run.Lines.ShouldBe(["0"]);
    }
}
