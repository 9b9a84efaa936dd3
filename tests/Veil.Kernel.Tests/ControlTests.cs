// SPDX-License-Identifier: GPL-3.0-only
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Traces steered while they run, through the socket.</summary>
[SupportedOSPlatform("linux")]
public sealed class ControlTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-control-").FullName;

    private string Path_ => Path.Combine(_folder, "socket");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Commands_OfEveryKind_AnswerAsDocumented()
    {
        using var veil = VeilRun.Attach("--module", "syscall,files", "--pid", "1", "--control", Path_);

        Ask("list pid").ShouldBe("1\n.\n");
        Ask("add syscall openat,read write").ShouldBe("OK syscall allows openat, read, write\n");
        Ask("list syscall").ShouldBe("openat\nread\nwrite\n.\n");
        Ask("add syscall_deny 39").ShouldBe("OK syscall allows openat, read, write and denies 39\n");
        Ask("list syscall syscall_deny").ShouldBe("39\n.\n");
        Ask("del syscall read").ShouldBe("OK syscall allows openat, write and denies 39\n");
        Ask("del syscall read").ShouldBe("ERR syscall: 'read' is not there\n");
        Ask("clear syscall").ShouldBe("OK syscall denies 39\n");
        Ask("list syscall_deny").ShouldBe("39\n.\n");
        Ask("add files op read").ShouldBe("OK op allows read\n");
        Ask("list op").ShouldBe("read\n.\n");
        Ask("add files pid 2").ShouldBe("OK syscall pid allows 1; files pid allows 1, 2\n");
        Ask("list files pid").ShouldBe("1\n2\n.\n");
        Ask("list syscall pid").ShouldBe("1\n.\n");
        Ask("pause").ShouldBe("OK paused\n");
        Ask("status").ShouldStartWith("paused for ");
        Ask("resume").ShouldStartWith("OK resumed; ");
        JsonDocument.Parse(Ask("status json")[3..]).RootElement.GetProperty("modules")[1].GetProperty("filters").GetProperty("op")[0]
            .GetString().ShouldBe("read");
        Ask("quit").ShouldBe("OK\n");
        veil.WaitForExit().ShouldBe(0);
        File.Exists(Path_).ShouldBeFalse();
    }

    /// <summary>An errno is a filter as any other: changed at once, counted, and refused where there are no results.</summary>
    [Fact]
    public void Errno_ChangedWhileItRuns_HoldsAtOnce()
    {
        using var loop = System.Diagnostics.Process.Start("bash", ["-c", "while :; do test -e /nonexistent-errno; test -e /; done"]);
        using var veil =
            VeilRun.Attach(
            "--module", "syscall", "--pid", loop.Id.ToString(), "--syscall", "newfstatat,stat,fstatat64", "--errno", "!EPERM", "--output",
            "json", "--control", Path_);
        Thread.Sleep(200);
        Ask("add errno_deny ENOENT").ShouldBe("OK errno denies EPERM, ENOENT\n");
        Thread.Sleep(200);
        Ask("status").ShouldContain("errno denies EPERM, ENOENT");
        Ask("add errno !EACCES").ShouldBe("OK errno denies EPERM, ENOENT, EACCES\n");
        Ask("del errno !EACCES").ShouldBe("OK errno denies EPERM, ENOENT\n");
        Ask("del errno_deny EPERM").ShouldBe("OK errno denies ENOENT\n");
        Ask("quit").ShouldBe("OK\n");
        veil.WaitForExit().ShouldBe(0);
        loop.Kill();

        var errnos = veil.Events.Select(static e => e.GetProperty("errno").GetString()).ToList();
        int last = errnos.LastIndexOf("ENOENT");
        last.ShouldBeGreaterThan(0);
        // The other half of the loop goes on alone.
        errnos.Skip(last + 1).Count(static errno => errno is null).ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Errno_OfCallsThatBegin_IsRefusedWithTheFlagThatHelps()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);

        Ask("add errno ENOENT")
            .ShouldBe("ERR add: errno: this trace shows calls as they begin, which have no result yet; start it with --returns\n");
        Ask("status").ShouldNotContain("errno");
    }

    [Fact]
    public void Errno_OfSeveralModules_SaysWhichDidNotTakeIt()
    {
        using var veil = VeilRun.Attach("--module", "syscall,files", "--pid", "1", "--control", Path_);

        Ask("add errno ENOENT")
            .ShouldBe("OK errno allows ENOENT; not in syscall: it shows calls as they begin, which have no result yet (--returns)\n");
    }

    [Theory]
    [InlineData("ad pid 1", "unknown command 'ad'; did you mean 'add'?")]
    [InlineData("add pdi 1", "unknown filter 'pdi'; did you mean 'pid'?")]
    [InlineData("add pid 99999999999", "pid: '99999999999' is out of range (a process id from 1 to ")]
    [InlineData("add pid", "say which key: a process id from 1 to ")]
    [InlineData("add pid 1,,2", "pid: ")]
    [InlineData("add pid 2 x", "pid: 'x' is not a process id")]
    [InlineData("add syscall opneat", "syscall: unknown system call 'opneat'; did you mean 'openat'")]
    [InlineData("add syscall_deny !read", "syscall_deny: it denies already; leave the '!' of '!read' out")]
    [InlineData("add port 80", "syscall has no filter 'port'; network has (available: pid, tid, ppid, uid, name, cgroup, container, pod, syscall, each with _deny too)")]
    [InlineData("add syscall op read", "syscall has no filter 'op'; files has (available: ")]
    [InlineData("add syscall port_deny 80", "syscall has no filter 'port'; network has (available: ")]
    [InlineData("add files pid 2", "module files is not traced (syscall is)")]
    [InlineData("add files", "module files is not traced (syscall is)")]
    [InlineData("add file /etc", "syscall has no filter 'file'; files has (available: ")]
    [InlineData("add slower 1ms", "--slower is set when the trace starts, and cannot be changed while it runs (available: ")]
    [InlineData("list pid 1", "pid: takes no key here")]
    [InlineData("pause now", "pause: takes nothing after it")]
    [InlineData("", "an empty line is no command")]
    public void Commands_ThatAreWrong_AreOneErrorAndChangeNothing(string command, string error)
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);

        string answer = Ask(command);
        answer.ShouldStartWith("ERR ");
        answer.ShouldContain(error);
        answer.Count(static c => c == '\n').ShouldBe(1);
        Ask("list pid").ShouldBe("1\n.\n");
    }

    [Fact]
    public void Keys_MoreThanTheMapHolds_AreRefusedAsAWhole()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);

        Ask("add uid " + string.Join(',', Enumerable.Range(0, 10_241))).ShouldBe("ERR uid: 10241 keys, but a filter holds at most 10240\n");
        Ask("list uid").ShouldBe(".\n");
        Ask("add uid " + string.Join(',', Enumerable.Range(0, 10_240)))
            .ShouldBe("OK uid allows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 and 10224 more\n");
        Ask("list uid").Count(static c => c == '\n').ShouldBe(10_241);
        Ask("clear uid").ShouldBe("OK uid allows everything again: no key is left\n");
    }

    [Fact]
    public void Clients_Hostile_HarmNobodyAndDoNotDelayTheEnd()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);
        var clients = new List<Socket>();
        try
        {
            for (int i = 0; i < 200; i++)
            {
                clients.Add(Connect());
                clients[i].Blocking = false;
                byte[] sent = (i % 4) switch
                {
                    0 => Enumerable.Repeat((byte)0xff, 60_000).ToArray(), // no line ever ends
                    1 => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("help\n", 2_000))), // and never reads
                    2 => [0, 1, 2, 0xfe, (byte)'\n'],
                    _ => [],
                };
                if (sent.Length > 0)
                    _ = clients[i].Send(sent, SocketFlags.None, out _);
            }

            Ask("list pid").ShouldBe("1\n.\n");
            var stopped = System.Diagnostics.Stopwatch.StartNew();
            veil.Stop().ShouldBe(0);
            stopped.ElapsedMilliseconds.ShouldBeLessThan(5_000);
        }
        finally
        {
            clients.ForEach(static client => client.Dispose());
        }
    }

    [Fact]
    public void Line_WithoutEnd_IsRefusedAndClosed()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);
        using var client = Connect();
        using var stream = new NetworkStream(client);
        stream.Write(new byte[300_000].AsSpan(0, 262_145));

        using var reader = new StreamReader(stream);
        reader.ReadLine().ShouldBe("ERR a line of more than 262144 bytes is no command");
    }

    [Fact]
    public void Socket_IsForItsOwnerAlone()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);

        using var shell = VeilRun.ToEndWith(
            "bash", "-c",
            $"stat -c %a {Path_}; chmod 755 {_folder}; chmod 666 {Path_}; setpriv --reuid 65534 --clear-groups " +
            $"{Repository.Veil} control {Path_} status");
        shell.Lines.ShouldBe(["600"]);
        shell.ExitCode.ShouldBe(1);
        shell.Errors.ShouldBe("veil: this socket is for root and its owner\n");
    }

    [Fact]
    public void Path_ThatIsTaken_IsLeftAlone()
    {
        File.WriteAllText(Path_, "precious");
        using (var refused = VeilRun.ToEnd("--module", "syscall", "--pid", "1", "--control", Path_))
        {
            refused.ExitCode.ShouldBe(1);
            refused.Errors.ShouldBe($"veil: --control: {Path_} exists and is no socket; it is left alone: give another path\n");
        }

        File.ReadAllText(Path_).ShouldBe("precious");
        using (var folder = VeilRun.ToEnd("--module", "syscall", "--pid", "1", "--control", _folder))
            folder.ExitCode.ShouldBe(1);
        File.Delete(Path_);

        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);
        using var second = VeilRun.ToEnd("--module", "syscall", "--pid", "1", "--control", Path_);
        second.ExitCode.ShouldBe(1);
        second.Errors.ShouldBe($"veil: --control: {Path_} is in use: give another path\n");
        Ask("list pid").ShouldBe("1\n.\n");
    }

    /// <summary>One line each: where, what is there, and what to do.</summary>
    [Theory]
    [InlineData("absent", "no such file: a trace makes its socket with --control PATH, and removes it at its end")]
    [InlineData("file", "a regular file, and no socket: give the path that the trace was given with --control")]
    [InlineData("", "a folder, and no socket: give the path that the trace was given with --control")]
    [InlineData("fifo", "a device or a FIFO, and no socket: give the path that the trace was given with --control")]
    [InlineData("file/below", "a part of the path before its end is no folder: give the path that the trace was given with --control")]
    [InlineData("datagram", "a socket of another kind, and no trace's: give the path that the trace was given with --control")]
    [InlineData(
        "dead", "no trace listens there any more: it was ended without its clean-up; a new trace with the same " +
        "--control replaces the socket")]
    public void Client_OfWhatIsNoTrace_SaysWhatIsThere(string name, string why)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        Run("mkfifo", Path.Combine(_folder, "fifo"));
        // Closing it takes its own name away; the other one stays.
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "alive")));
            Run("ln", Path.Combine(_folder, "alive"), Path.Combine(_folder, "dead"));
        }

        using var datagram = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        datagram.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "datagram")));

        using var veil = VeilRun.ToEnd("control", path, "status");
        veil.ExitCode.ShouldBe(1);
        veil.Errors.ShouldBe($"veil: control: {path}: {why}\n");
    }

    [Fact]
    public void Client_WatchOnStandardInput_ShowsTheStatusAgainAndAgain()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);

        using var watch = VeilRun.ToEndWith("bash", "-c", $"printf watch | timeout 3 {Repository.Veil} control {Path_}");
        watch.Errors.ShouldBeEmpty();
        watch.Lines.Count(static line => line.StartsWith("tracing for ", StringComparison.Ordinal)).ShouldBeGreaterThan(1);
    }

    [Fact]
    public void Status_WhilePaused_SaysForHowLong()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);
        Thread.Sleep(2_500);
        Ask("pause");

        Ask("status").ShouldMatch("^paused for [01] s, started [0-9]+ s ago, ");
        var status = JsonDocument.Parse(Ask("status json")[3..]).RootElement;
        status.GetProperty("paused_seconds").GetDouble().ShouldBeLessThan(2);
        status.GetProperty("seconds").GetDouble().ShouldBeGreaterThan(2);
        Ask("resume");
        Ask("status").ShouldStartWith("tracing for ");
        JsonDocument.Parse(Ask("status json")[3..]).RootElement.GetProperty("paused_seconds").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    /// <summary>A rate takes a while to be known, and what is counted is not sent.</summary>
    [Fact]
    public void Status_WithoutARate_SaysNone()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--count", "--control", Path_);
        Thread.Sleep(1_500);

        Ask("status").ShouldNotContain("/s");
        var status = JsonDocument.Parse(Ask("status json")[3..]).RootElement;
        status.GetProperty("events_per_second").ValueKind.ShouldBe(JsonValueKind.Null);
        status.GetProperty("modules")[0].GetProperty("events_per_second").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public void Path_OfADeadSocketOfOurs_IsTakenOver()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Path_ + "-dead"));
            dead.Listen();
            File.Move(Path_ + "-dead", Path_); // .NET removes what it bound
        }

        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);
        Ask("list pid").ShouldBe("1\n.\n");
    }

    [Fact]
    public void Prompt_OnCtrlC_PausesSteersAndResumes()
    {
        using var terminal =
            new Terminal($"{Repository.Veil} --module syscall --pid 1; stty -a | grep -q \"[^-]icanon\" && echo is canonical");
        terminal.WaitFor("CTRL-C pauses and asks");
        terminal.Type("\u0003");
        terminal.WaitFor(
            "paused: events are dropped, and counted; resume goes on, quit or CTRL-C ends the trace, help lists the commands\r\n");
        terminal.WaitFor("veil $ ");
        terminal.Type("\f");
        terminal.WaitFor("\u001b[H\u001b[2J");
        terminal.WaitFor("veil $ ");
        terminal.Type("add sysc\tcall op\u0015add syscall openat\r");
        terminal.WaitFor("veil $ add syscall openat");
        terminal.WaitFor("syscall allows openat\r\n");
        terminal.Type("list syscall\r");
        terminal.WaitFor("openat\r\n");
        terminal.Type("resume\r");
        terminal.WaitFor("resumed; ");
        terminal.Type("\u0003");
        terminal.WaitFor("veil $ ");
        terminal.Type("\u0004");
        terminal.WaitFor("events delivered in ");
        terminal.End().ShouldContain("is canonical\r\n");
    }

    [Fact]
    public void Prompt_EndedByASignal_IsNoPartOfTheLastTable()
    {
        using var terminal = new Terminal($"{Repository.Veil} --module syscall --pid 1 --count-by syscall & echo pid=$!.; fg");
        terminal.WaitFor("pid=");
        string pid = terminal.WaitFor(".");
        terminal.WaitFor("CTRL-C pauses and asks");
        terminal.Type("\u0003");
        terminal.WaitFor("veil $ ");
        System.Diagnostics.Process.Start("kill", ["-TERM", pid]).WaitForExit();
        string rest = terminal.End();
        rest[rest.LastIndexOf("veil $ ", StringComparison.Ordinal)..].ShouldContain("SYSCALL");
        rest[rest.LastIndexOf("veil $ ", StringComparison.Ordinal)..].Split('\n')[0].ShouldNotContain("SYSCALL");
    }

    [Theory]
    [InlineData("veil $ ", "TERM")]
    [InlineData("veil $ ", "HUP")]
    [InlineData("", "TERM")]
    public void Prompt_AfterCtrlS_DoesNotKeepASignalFromWorking(string prompt, string signal)
    {
        using var terminal = new Terminal($"{Repository.Veil} --module syscall --pid 1 & echo pid=$!.; fg; echo code=$? > {_folder}/code");
        terminal.WaitFor("pid=");
        string pid = terminal.WaitFor(".");
        terminal.WaitFor("CTRL-C pauses and asks");
        if (prompt.Length > 0)
        {
            terminal.Type("\u0003");
            terminal.WaitFor(prompt);
        }

        terminal.Type("\u0013");
        System.Diagnostics.Process.Start("kill", ["-" + signal, pid]).WaitForExit();
        SpinWait.SpinUntil(() => !Directory.Exists($"/proc/{pid}"), TimeSpan.FromSeconds(15)).ShouldBeTrue();
        terminal.Type("\u0011"); // CTRL-Q, for the shell
        terminal.End();
        File.ReadAllText($"{_folder}/code").ShouldBe("code=0\n");
    }

    [Theory]
    [InlineData("{0} --module syscall -p 1 </dev/null", "; CTRL-C stops\r\n")]
    [InlineData("{0} --module syscall -p 1", "; CTRL-C pauses and asks\r\n")]
    [InlineData("(trap \"\" INT; exec {0} --module syscall -p 1)", "; kill -TERM ")]
    [InlineData("{0} --module syscall -p 1 </dev/null & wait", "; kill -TERM ")]
    public void Start_SaysWhatStopsIt(string command, string end)
    {
        using var terminal = new Terminal(string.Format(command, Repository.Veil));
        terminal.WaitFor("veil: tracing syscall by ");
        terminal.WaitFor(end);
    }

    [Fact]
    public void Socket_InAFolderOfAnAttacker_ChangesNoOtherFile()
    {
        string folder = Path.Combine(_folder, "his"), victim = Path.Combine(_folder, "victim"), path = Path.Combine(folder, "socket");
        Directory.CreateDirectory(folder);
        File.WriteAllText(victim, "precious");
        File.SetUnixFileMode(victim, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        Run("chown", "65534", folder);
        using var swapper = Run("setpriv", wait: false, "--reuid=65534", "--clear-groups", Repository.Workload("swapper"), path, victim);
        for (int i = 0; i < 300; i++)
        {
            // Without the right to trace it ends as soon as it has its socket.
            using var veil = VeilRun.ToEndWith(
                "setpriv", "--inh-caps=-all", "--bounding-set=-sys_admin,-bpf,-perfmon", Repository.Veil, "--module", "syscall", "--pid",
                "1", "--control", path, "--control-group", "nogroup");
            Output("stat", "-c", "%a %U %G %F", victim).ShouldBe("600 root root regular file\n", $"after {i} tries");
            File.Delete(path);
        }

        swapper.StandardInput.Close();
        int.Parse(swapper.StandardOutput.ReadToEnd().Trim()["swaps=".Length..]).ShouldBeGreaterThan(10);
        File.ReadAllText(victim).ShouldBe("precious");
    }

    [Fact]
    public void Socket_WhoseFolderWasSwapped_IsRemovedFromItsOwn()
    {
        string folder = Path.Combine(_folder, "d"), moved = Path.Combine(_folder, "moved"), other = Path.Combine(_folder, "other");
        Directory.CreateDirectory(folder);
        Directory.CreateDirectory(other);
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path.Combine(folder, "s"));
        File.WriteAllText(Path.Combine(other, "s"), "precious");
        Directory.Move(folder, moved);
        File.CreateSymbolicLink(folder, other);

        veil.Stop().ShouldBe(0);
        File.ReadAllText(Path.Combine(other, "s")).ShouldBe("precious");
        Directory.GetFiles(moved).ShouldBeEmpty();
    }

    [Fact]
    public void Socket_InAFolderThatGivesItsGroup_IsRefused()
    {
        string folder = Path.Combine(_folder, "d");
        Directory.CreateDirectory(folder);
        Run("chmod", "2755", folder);
        using var veil =
            VeilRun.ToEnd("--module", "syscall", "--pid", "1", "--control", Path.Combine(folder, "s"), "--control-group", "nogroup");
        veil.ExitCode.ShouldBe(1);
        veil.Errors.ShouldContain($"--control-group: {folder}/s got another group");
        Directory.GetFiles(folder).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("status json", true)]
    [InlineData("help", false)]
    public void Clients_ThatNeverRead_CostBoundedMemoryAndDelayNobody(string line, bool manyKeys)
    {
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        using var veil = VeilRun.Attach("--module", "syscall,files", "--pid", "1", "--control", Path_, "--control-group", "nogroup");
        if (manyKeys)
            Ask("add uid " + string.Join(',', Enumerable.Range(0, 10_240))).ShouldStartWith("OK ");
        using var clients =
            Run("setpriv", wait: false, "--reuid=65534", "--regid=65534", "--clear-groups", Repository.Workload("clients"), Path_, "255",
            line);
        clients.StandardOutput.ReadLine().ShouldBe("clients=255");

        var watch = System.Diagnostics.Stopwatch.StartNew();
        Ask("status").ShouldStartWith("tracing for ");
        watch.ElapsedMilliseconds.ShouldBeLessThan(2_000);
        Number($"/proc/{veil.Pid}/status", "VmHWM:").ShouldBeLessThan(128 * 1024);
        watch.Restart();
        veil.Stop().ShouldBe(0);
        watch.ElapsedMilliseconds.ShouldBeLessThan(5_000);
        clients.StandardInput.Close();
    }

    /// <summary>The command whose turn it was is done, what came behind it is not: nobody would read the answers.</summary>
    [Fact]
    public void Client_ThatIsGone_AsksNoMore()
    {
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);
        using (var client = Connect())
            client.Send(Encoding.UTF8.GetBytes("add pid 2\n" + string.Concat(Enumerable.Repeat("status json\n", 300)) + "add pid 3\n"));
        Thread.Sleep(1_000); // The 300 answers take some milliseconds each: what must not be done cannot be waited for.

        Ask("list pid").ShouldBe("1\n2\n.\n");
        veil.Stop().ShouldBe(0);
    }

    [Fact]
    public void Clients_IdleAndAsManyAsThereMayBe_DoNotKeepRootOut()
    {
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_, "--control-group", "nogroup");
        using var mine = Connect();
        using var clients =
            Run("setpriv", wait: false, "--reuid=65534", "--regid=65534", "--clear-groups", Repository.Workload("clients"), Path_, "300",
            "");
        clients.StandardOutput.ReadLine().ShouldBe("clients=300");

        Ask("list pid").ShouldBe("1\n.\n");
        mine.Send("list pid\n"u8);
        byte[] answer = new byte[16];
        mine.ReceiveTimeout = 10_000;
        Encoding.UTF8.GetString(answer, 0, mine.Receive(answer)).ShouldBe("1\n.\n");
        clients.StandardInput.Close();
    }

    [Fact]
    public void Client_OfAnEndlessLine_Ends()
    {
        using var server = Listen();
        using var veil = VeilRun.Begin("control", Path_, "status");
        using var peer = server.Accept();
        byte[] endless = Enumerable.Repeat((byte)'x', 1 << 20).ToArray();
        long taken = 0;
        Should.Throw<SocketException>(() =>
        {
            while (taken < 1L << 30)
                taken += peer.Send(endless);
        });

        veil.WaitForExit().ShouldBe(1);
        veil.Errors.ShouldBe($"veil: control: {Path_}: a line of more than 16777216 bytes is no answer of a trace\n");
        taken.ShouldBeLessThan(40L << 20);
    }

    [Theory]
    [InlineData("OK \u001b]0;title\u0007\n", "\\x1b]0;title\\x07")]
    [InlineData("\u001b]52;c;bHM=\u0007\na\\tb\u009b2J\u202e\n.\n", "\\x1b]52;c;bHM=\\x07\na\\tb\\u{9b}2J\\u{202e}")]
    [InlineData("ERR \u001b[2J\rveil: x\n", "veil: \\x1b[2J\\rveil: x")]
    public void Client_OfAHostileServer_ShowsNothingRaw(string answer, string shown)
    {
        using var server = Listen();
        using var veil = VeilRun.Begin("control", Path_, "status");
        using (var peer = server.Accept())
            peer.Send(Encoding.UTF8.GetBytes(answer));
        veil.WaitForExit();
        (string.Join('\n', veil.Lines) + veil.Errors.TrimEnd()).ShouldBe(shown);
    }

    private Socket Listen()
    {
        var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        server.Bind(new UnixDomainSocketEndPoint(Path_));
        server.Listen();
        return server;
    }

    private static System.Diagnostics.Process Run(string program, bool wait, params string[] arguments)
    {
        var process =
            System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        if (wait)
            process.WaitForExit();
        return process;
    }

    private static void Run(string program, params string[] arguments) => Run(program, wait: true, arguments).ExitCode.ShouldBe(0);

    private static string Output(string program, params string[] arguments)
    {
        using var process = Run(program, wait: false, arguments);
        return process.StandardOutput.ReadToEnd();
    }

    private static long Number(string file, string field) =>
        long.Parse(
            File.ReadLines(file).First(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..]
            .Replace("kB", "", StringComparison.Ordinal));

    private Socket Connect()
    {
        var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(Path_));
        return client;
    }

    // One command, the whole answer.
    private string Ask(string command)
    {
        using var client = Connect();
        client.ReceiveTimeout = 10_000;
        client.Send(Encoding.UTF8.GetBytes(command + "\n"));
        client.Shutdown(SocketShutdown.Send);
        var answer = new MemoryStream();
        byte[] chunk = new byte[65_536];
        for (int count; (count = client.Receive(chunk)) > 0;)
            answer.Write(chunk, 0, count);
        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
