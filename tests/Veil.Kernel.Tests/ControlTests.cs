using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>Traces steered while they run, through the socket.</summary>
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
        Ask("add syscall openat,read write").ShouldBe("OK\n");
        Ask("list syscall").ShouldBe("openat\nread\nwrite\n.\n");
        Ask("add syscall_deny 39").ShouldBe("OK\n");
        Ask("list syscall syscall_deny").ShouldBe("39\n.\n");
        Ask("del syscall read").ShouldBe("OK\n");
        Ask("del syscall read").ShouldBe("ERR syscall: 'read' is not there\n");
        Ask("clear syscall").ShouldBe("OK syscall allows everything again: no key is left\n");
        Ask("list syscall_deny").ShouldBe("39\n.\n");
        Ask("add files op read").ShouldBe("OK\n");
        Ask("list op").ShouldBe("read\n.\n");
        Ask("add files pid 2").ShouldBe("OK\n");
        Ask("list files pid").ShouldBe("1\n2\n.\n");
        Ask("list syscall pid").ShouldBe("1\n.\n");
        Ask("pause").ShouldBe("OK paused\n");
        Ask("status").ShouldStartWith("paused for ");
        Ask("resume").ShouldStartWith("OK resumed; ");
        JsonDocument.Parse(Ask("status json")[3..]).RootElement.GetProperty("modules")[1].GetProperty("filters").GetProperty("op")[0].GetString().ShouldBe("read");
        Ask("quit").ShouldBe("OK\n");
        veil.WaitForExit().ShouldBe(0);
        File.Exists(Path_).ShouldBeFalse();
    }

    [Theory]
    [InlineData("ad pid 1", "no command 'ad'; did you mean 'add'?")]
    [InlineData("add pdi 1", "no filter 'pdi'; did you mean 'pid'?")]
    [InlineData("add pid 99999999999", "pid: '99999999999' is out of range (a process id from 1 to ")]
    [InlineData("add pid", "say which key: a process id from 1 to ")]
    [InlineData("add pid 1,,2", "pid: ")]
    [InlineData("add pid 2 x", "pid: 'x' is not a process id")]
    [InlineData("add syscall opneat", "syscall: 'opneat' is no system call; did you mean 'openat'")]
    [InlineData("add syscall !read", "'!read' denies, which is add syscall_deny read")]
    [InlineData("add port 80", "no filter 'port'")]
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
        Ask("add uid " + string.Join(',', Enumerable.Range(0, 10_240))).ShouldBe("OK\n");
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
            "bash", "-c", $"stat -c %a {Path_}; chmod 755 {_folder}; chmod 666 {Path_}; setpriv --reuid 65534 --clear-groups {Repository.Veil} control {Path_} status");
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
            refused.ExitCode.ShouldBe(2);
            refused.Errors.ShouldBe($"veil: --control: {Path_} exists and is no socket; it is left alone: give another path\n");
        }

        File.ReadAllText(Path_).ShouldBe("precious");
        using (var folder = VeilRun.ToEnd("--module", "syscall", "--pid", "1", "--control", _folder))
            folder.ExitCode.ShouldBe(2);
        File.Delete(Path_);

        using var veil = VeilRun.Attach("--module", "syscall", "--pid", "1", "--control", Path_);
        using var second = VeilRun.ToEnd("--module", "syscall", "--pid", "1", "--control", Path_);
        second.ExitCode.ShouldBe(2);
        second.Errors.ShouldBe($"veil: --control: {Path_} is in use: give another path\n");
        Ask("list pid").ShouldBe("1\n.\n");
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
        using var terminal = new Terminal($"{Repository.Veil} --module syscall --pid 1; stty -a | grep -q \"[^-]icanon\" && echo is canonical");
        terminal.WaitFor("CTRL-C pauses and asks");
        terminal.Type("\u0003");
        terminal.WaitFor("paused\r\n");
        terminal.WaitFor("veil $ ");
        terminal.Type("add sysc\tcall op\u0015add syscall openat\r");
        terminal.WaitFor("veil $ add syscall openat");
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
