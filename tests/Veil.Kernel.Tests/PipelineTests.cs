// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Kernel.Tests;

/// <summary>In pipelines, without a terminal, and in a real one (tmux): keys in, the screen out.</summary>
public sealed class PipelineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-pipeline-").FullName;

    public static TheoryData<string> Examples =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "examples"), "*.yaml").Select(static path => Path.GetFileName(path))];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Jq_ReadsEveryLine()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var run =
            Shell($"timeout -s TERM 1 {{veil}} -q -m syscall -p {hold.Pid} -o json | jq -r 'select(.pid == {hold.Pid}) | " +
            $".module' | sort | uniq -c");

        run.Lines.ShouldHaveSingleItem().Trim().ShouldEndWith(" syscall");
        run.Errors.ShouldBeEmpty();
    }

    [Fact]
    public void Grep_LineBuffered_ShowsAnEventWhileTheTraceRuns()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        using var run = Shell($"timeout -s TERM 20 {{veil}} -q -m syscall -p {hold.Pid} | grep --line-buffered syscall= | head -1");

        run.Lines.ShouldHaveSingleItem().ShouldContain($"PID={hold.Pid}");
        run.Errors.ShouldNotContain("veil:"); // grep itself complains
    }

    /// <summary>As a service manager starts it: no environment, no input; and as nohup does: no terminal, SIGHUP ignored.</summary>
    [Theory]
    [InlineData("env -i {veil} -m syscall -p {pid} < /dev/null > {file}")]
    [InlineData("nohup {veil} -m syscall -p {pid} < /dev/null > {file}")]
    [InlineData("setsid -w {veil} -m syscall -p {pid} <&- > {file}")]
    public void Service_WithoutTerminal_TracesIntoAFile(string command)
    {
        string file = Path.Combine(_folder, "events");
        using var hold = Workload.Waiting("hold", "0").Begin();
        string script = "timeout -s TERM 2 " + command.Replace("{pid}", hold.Pid, StringComparison.Ordinal)
            .Replace("{file}", file, StringComparison.Ordinal);
        using var run = Shell(script);

        run.Errors.ShouldContain("veil: tracing syscall by");
        run.Errors.ShouldContain(", 0 lost");
        File.ReadLines(file).ShouldNotBeEmpty();
        File.ReadLines(file).ShouldAllBe(line => line.Contains("PID=" + hold.Pid, StringComparison.Ordinal));
        File.ReadAllText(file).ShouldNotContain("\e");
    }

    [Fact]
    public void Hangup_UnderNohup_IsNoEnd()
    {
        using var run =
            Shell("nohup {veil} -m syscall -p 1 < /dev/null > /dev/null & pid=$!; sleep 1; kill -HUP $pid; sleep 0.5; kill -0 $pid && " +
            "echo lives; kill $pid; wait $pid; echo code=$?");

        run.Lines.ShouldBe(["lives", "code=0"]);
    }

    [Fact]
    public void Tmux_OneScreen_IsWhatAPersonSees()
    {
        using var hold = Workload.Waiting("hold", "0").Begin();
        string script = $$"""
            t() { tmux -L {{Path.GetFileName(_folder)}} "$@"; }
            shows() { for i in $(seq 100); do t capture-pane -p | grep -qE "$1" && return; sleep 0.1; done; echo "never: $1"; t capture-pane -p; }
            t -f /dev/null new-session -d -x 150 -y 30 "bash --norc --noprofile"
            t send-keys "PS1='shell> '; clear; {veil} -m syscall -p {{hold.Pid}} -s getppid" Enter
            shows 'CTRL-C pauses and asks'
            shows '^COMM .*GID +SYSCALL$'; shows '^hold .* getppid$'
            t resize-window -x 40 -y 30; shows '^COMM +PID +SYSCALL$'
            t resize-window -x 150 -y 30; shows '^COMM .*GID +SYSCALL$'
            t send-keys C-c; shows '^veil \$ *$'
            t send-keys 'stat' Tab; shows '^veil \$ status'
            t send-keys Enter; shows 'syscall passed [1-9][0-9]*, dropped [1-9]'
            t send-keys 'list pid' Enter; shows '^{{hold.Pid}}$'
            t send-keys Up; shows '^veil \$ list pid$'
            t send-keys C-u 'resume' Enter; shows 'resumed; [0-9]+ events dropped while paused'
            t send-keys C-c; shows '^veil \$ *$'
            t send-keys C-d; shows '^shell> *$'
            t send-keys 'echo back-{in,to}-shell' Enter; shows '^back-in-shell back-to-shell$'
            # tmux tells the terminal its new width a quarter of a second late: the line may be in two
            t capture-pane -p | grep -A1 -E 'events delivered' | tr -s '\n ' ' '
            t kill-server
            """;
        using var run = Shell(script);

        run.Lines.ShouldHaveSingleItem().ShouldContain(" 0 lost");
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Example_AsItIs_Traces(string name)
    {
        using var veil = VeilRun.Attach("--config", Path.Combine(Repository.Root, "examples", name));
        Thread.Sleep(200);

        veil.Stop().ShouldBe(0);
        veil.Errors.ShouldMatch(" events? (?:delivered|counted) in ");
    }

    [Theory]
    [InlineData("json")]
    [InlineData("text")]
    public void Fields_OfOneModule_AreNotKnownInTheOthers(string format)
    {
        using var veil = VeilRun.Attach("-m", "syscall,files", "-n", "cat", "--fields", "pid,syscall,op", "-o", format);
        using (var cat = VeilRun.ToEndWith("cat", "/dev/null"))
            cat.ExitCode.ShouldBe(0);
        veil.Stop().ShouldBe(0);

        string[] calls =
            [.. veil.Lines.Where(line => line.EndsWith(format == "json" ? "\",\"op\":null}" : " op=?", StringComparison.Ordinal))];
        string[] files =
            [.. veil.Lines.Where(
            line => line.Contains(format == "json" ? ",\"syscall\":null,\"op\":\"" : " syscall=? op=", StringComparison.Ordinal))];
        calls.ShouldNotBeEmpty();
        files.ShouldNotBeEmpty();
        veil.Lines.Length.ShouldBe(calls.Length + files.Length);
    }

    private static VeilRun Shell(string script) =>
        VeilRun.ToEndWith("bash", "-c", script.Replace("{veil}", Repository.Veil, StringComparison.Ordinal));
}
