// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Veil.Core.Kernel;
using Xunit.Abstractions;

namespace Veil.Kernel.Tests;

/// <summary>
/// <c>--output strace</c> against strace itself: the same program under both, its lines compared thread by thread. What differs from run to
/// run
/// (addresses, ids, times) is masked.
/// </summary>
public sealed class OracleTests(ITestOutputHelper output) : IDisposable
{
    // A user that has nothing else on this machine: all that it does is the program and its children.
    private const string User = "54321";

    private static readonly string[] s_as =
        ["setpriv", "--reuid=" + User, "--regid=" + User, "--clear-groups", "env", "-i", "PATH=/usr/bin:/bin", "HOME=/nonexistent",
        "LC_ALL=C"];

    private const string Program = "PROGRAM";
    private const int Shown = 32; // bytes of a string

    // Percent of the lines that may differ from those of the kernel on which strace wrote them.
    private const int OtherKernels = 10;

    private static readonly string[] s_redis = ["PING", "SET key value", "GET key", "SHUTDOWN NOSAVE"];

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-oracle-").FullName;

    // The least share of equal lines, in percent.
    public static TheoryData<string, int> Programs => Rows(
        ("/usr/bin/ls -l files", 97),
        ("/usr/bin/cat files/text files/none", 99),
        ("/usr/bin/cp -a files copy", 99),
        ("/usr/bin/tar -cf files.tar files", 98),
        ("/usr/bin/find files -name *.c", 99),
        ("/usr/bin/dd if=/dev/zero of=zeros bs=4096 count=16", 97),
        ("/usr/bin/gcc -o program files/program.c", 99),
        ("/bin/bash files/script", 98),
        ("/usr/bin/python3 -c 'print(sum(range(10)))'", 99),
        ("/usr/bin/sqlite3 base.db <files/statements", 98),
        ("/usr/bin/git -C repository status", 98));

    public static TheoryData<string, int> Calls =>
        new()
        {
            { "files", 98 }, { "endings", 95 }, { "signals", 95 }, { "memory", 95 }, { "process", 92 }, { "network", 95 },
            { "system", 95 }, { "edges", 97 },
        };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [StraceTheory]
    [MemberData(nameof(Programs))]
    public void Output_OfAProgram_IsWhatStraceWrites(string command, int least) => Compare(command, least);

    [StraceTheory]
    [MemberData(nameof(Calls))]
    public void Output_OfEveryCallOfAFamily_IsWhatStraceWrites(string family, int least) =>
        Compare(Repository.Workload("calls-" + family), least);

    // Where strace is not, as in the guests: what it wrote once, with VEIL_EXPECTED=FOLDER of the test above. Other kernels know other
    // calls and answer otherwise, so results are left out, and what they fill.
    [Theory]
    [MemberData(nameof(Calls))]
    public void Output_OfEveryCallOfAFamily_IsWhatStraceWroteOnce(string family, int least)
    {
        string traced = Path.Combine(_folder, "veil"), program = Repository.Workload("calls-" + family);
        Trace(program, ["--output", "strace"], traced, peer: null);
        string expected = Path.Combine(AppContext.BaseDirectory, "expected", family);
        Judge(
            family, least - OtherKernels, StraceFile.Read(expected, Program).Select(Asked),
            StraceFile.Read(traced, program).Select(Asked));

        static string? Asked(string line) => line.LastIndexOf(") = ", StringComparison.Ordinal) is > 0 and var end ? line[..end] : line;
    }

    [StraceFact]
    public void Output_OfCurl_IsWhatStraceWrites()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Compare($"/usr/bin/curl -s http://{listener.LocalEndpoint}/text", 98, () =>
        {
            using var connection = listener.AcceptTcpClient();
            using var reader = new StreamReader(connection.GetStream());
            while (reader.ReadLine() is { Length: > 0 })
            {
            }

            connection.GetStream().Write("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\ntext\n"u8);
        });
    }

    [StraceFact]
    public void Output_OfNginxServingAFile_IsWhatStraceWrites()
    {
        Compare("/usr/sbin/nginx -p . -c files/nginx.conf", 98, () =>
        {
            using var connection = Connected(new UnixDomainSocketEndPoint(Path.Combine(_folder, "work/nginx")));
            connection.Send("GET /text HTTP/1.0\r\n\r\n"u8);
            ReadToEnd(connection);
            Thread.Sleep(TimeSpan.FromMilliseconds(300)); // until it waits again
            Process.Start("kill", ["-QUIT", File.ReadAllText(Path.Combine(_folder, "work/nginx.pid")).Trim()]).WaitForExit();
        });
    }

    [StraceFact]
    public void Output_OfRedisAnswering_IsWhatStraceWrites() => Compare(
        "/usr/bin/redis-server --port 0 --unixsocket redis --save '' --hz 1", 95, () =>
        {
            using var connection = Connected(new UnixDomainSocketEndPoint(Path.Combine(_folder, "work/redis")));
            foreach (string command in s_redis)
            {
                connection.Send(Encoding.ASCII.GetBytes(command + "\r\n"));
                _ = connection.Receive(new byte[4096]);
            }
        });

    // From outside: nothing of it is traced.
    private static Socket Connected(EndPoint server)
    {
        for (long until = Environment.TickCount64 + 60_000; ; Thread.Sleep(50))
        {
            var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(server);
                return socket;
            }
            catch (SocketException) when (Environment.TickCount64 < until)
            {
                socket.Dispose();
            }
        }
    }

    private static void ReadToEnd(Socket connection)
    {
        while (connection.Receive(new byte[4096]) > 0)
        {
        }
    }

    /// <summary>The same calls in JSON: what a converter makes text of is what strace writes.</summary>
    [StraceTheory]
    [InlineData("/usr/bin/cat files/text files/none", 95)]
    [InlineData("/usr/bin/ls -l files", 97)]
    public void Json_OfAProgram_IsWhatStraceWrites(string command, int least) => Compare(command, least, converts: true);

    /// <summary>Asks strace call by call, of both tables: a call that has got into a class since is a difference.</summary>
    [StraceFact]
    public void Classes_AreThoseOfStrace()
    {
        foreach (string name in SyscallClasses.Names)
        {
            var calls = new SortedSet<string>(StringComparer.Ordinal);
            foreach (string[] table in new[] { Array.Empty<string>(), ["32"] })
            {
                string file = Path.Combine(_folder, "class");
                StraceFile.Run(["-e", "trace=" + name, "-o", file, Repository.Workload("calls-numbers"), .. table]);
                // What has no name is in every class.
                calls.UnionWith(
                    File.ReadLines(file)
                    .Where(static line => line.Contains('(', StringComparison.Ordinal) && line[0] is '_' or (>= 'a' and <= 'z'))
                    .Select(static line => line.Split('(')[0])
                    .Where(static call => !call.StartsWith("syscall_0x", StringComparison.Ordinal)));
            }

            // strace looks at what the caller of socketcall asks for, and the filter sees the one call.
            calls.Remove("socketcall");
            SyscallClasses.Find(name)!.Where(static call => call != "socketcall").ShouldBe(calls, name);
        }
    }

    // The programs that are here.
    private static TheoryData<string, int> Rows(params (string Command, int Least)[] rows)
    {
        var data = new TheoryData<string, int>();
        foreach (var (command, least) in rows.Where(static row => File.Exists(row.Command.Split(' ')[0])))
            data.Add(command, least);
        return data;
    }

    private void Compare(string command, int least, Action? peer = null, bool converts = false)
    {
        string program = command.Split(' ')[0];
        string under = Path.Combine(_folder, "strace"), traced = Path.Combine(_folder, "veil");
        Prepare();
        var answered = Task.Run(() => peer?.Invoke());
        StraceFile.Run(["-f", "-o", under, .. Command(command)]);
        answered.Wait();
        if (Environment.GetEnvironmentVariable("VEIL_EXPECTED") is { } kept && program.Contains("/calls-", StringComparison.Ordinal))
            Keep(under, program, Path.Combine(kept, program.Split("/calls-")[^1]));
        Trace(command, converts ? ["--args", "--fds", "none", "--output", "json"] : ["--output", "strace"], traced, peer);
        if (converts)
            File.WriteAllLines(traced, [.. File.ReadLines(traced).Select(CallConverter.ToStrace)]);
        StraceFile expected = StraceFile.Read(under, program), found = StraceFile.Read(traced, program);
        if (converts)
            (expected, found) = (expected.Select(CallConverter.Plain), found.Select(CallConverter.Plain));
        Judge(command, least, expected, found);
    }

    // Without what is this machine's: what came before the program, and where things are.
    private void Keep(string written, string program, string file) => File.WriteAllLines(
        file,
        File.ReadLines(written, Encoding.Latin1)
            .SkipWhile(line => !line.Contains($" execve(\"{program}\"", StringComparison.Ordinal))
            .Select(line => line.Replace(program, Program).Replace(_folder, "/tmp/veil-oracle-0").Replace(Environment.MachineName, "host")
                .Replace($"\"{program[..Shown]}\"...", $"\"{Program}\"...")),
        Encoding.Latin1);

    private void Trace(string command, string[] form, string traced, Action? peer)
    {
        Prepare();
        using var veil = VeilRun.Attach(["--module", "syscall", .. form, "--uid", User, "--write", traced]);
        var answered = Task.Run(() => peer?.Invoke());
        using var run = Process.Start(new ProcessStartInfo(s_as[0], Command(command)[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!;
        run.StandardInput.Close();
        var errors = run.StandardError.ReadToEndAsync();
        run.StandardOutput.ReadToEnd();
        run.WaitForExit();
        errors.Wait();
        answered.Wait();
        veil.Stop().ShouldBe(0, veil.Errors);
        veil.ShouldHaveLostNothing();
    }

    private void Judge(string what, int least, StraceFile expected, StraceFile found)
    {
        var (equal, all, differences) = expected.Compare(found);
        string report = $"{what}: {equal} of {all} lines are equal ({100.0 * equal / all:F1}%)";
        output.WriteLine(report);
        foreach (string difference in differences)
            output.WriteLine(difference);
        (100.0 * equal / all).ShouldBeGreaterThanOrEqualTo(least, report + "\n" + string.Join('\n', differences.Take(200)));
    }

    private string[] Command(string command) => [.. s_as, "sh", "-c", $"cd {_folder}/work && exec {command}"];

    // The same folder with the same files for each run.
    private void Prepare()
    {
        string work = Path.Combine(_folder, "work");
        if (Directory.Exists(work))
            Directory.Delete(work, recursive: true);
        string files = Directory.CreateDirectory(Path.Combine(work, "files")).FullName;
        File.WriteAllText(Path.Combine(files, "text"), "line\tone\nline two\n");
        File.WriteAllText(Path.Combine(files, "program.c"), "int main(void)\n{\n\treturn 0;\n}\n");
        File.WriteAllText(
            Path.Combine(files, "script"),
            "for i in 1 2 3; do echo $i; done | (while read -r x; do echo \"$x\"; done)\nls files >list\nrm list\nexit 3\n");
        File.WriteAllText(
            Path.Combine(files, "nginx.conf"),
            "daemon off; master_process off; pid nginx.pid; error_log errors; events {}\nhttp { access_log off; " +
            "client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5; " +
            "server { listen unix:nginx; root files; } }\n");
        File.WriteAllText(Path.Combine(files, "statements"), "create table t(a);\ninsert into t values (1), (2);\nselect * from t;\n");
        string git =
            $"cd {work} && git init -q repository && cp -r files repository && cd repository && git add . && GIT_AUTHOR_DATE=@1000000000 " +
            $"GIT_COMMITTER_DATE=@1000000000 git -c user.name=x -c user.email=x@y commit -qm x";
        string prepare =
            $"chown -R {User}:{User} {work}; chmod 755 {_folder}; ! command -v git >/dev/null || {string.Join(' ', s_as)} sh -c '{git}'";
        using var shell = Process.Start("sh", ["-c", prepare]);
        shell.WaitForExit();
        shell.ExitCode.ShouldBe(0);
    }
}
