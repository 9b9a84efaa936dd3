// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
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

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-oracle-").FullName;

    // The least share of equal lines, in percent.
    public static TheoryData<string, int> Programs => Rows(
        ("/usr/bin/ls -l files", 97),
        ("/usr/bin/cat files/text files/none", 99),
        ("/usr/bin/cp -a files copy", 99),
        ("/usr/bin/tar -cf files.tar files", 98),
        ("/usr/bin/find files -name *.c", 98),
        ("/usr/bin/dd if=/dev/zero of=zeros bs=4096 count=16", 97),
        ("/usr/bin/gcc -o program files/program.c", 99),
        ("/bin/bash files/script", 98),
        ("/usr/bin/python3 -c 'print(sum(range(10)))'", 99),
        ("/usr/bin/sqlite3 base.db <files/statements", 97),
        ("/usr/bin/git -C repository status", 98));

    public static TheoryData<string, int> Calls =>
        new() { { "files", 98 }, { "endings", 95 }, { "signals", 95 }, { "memory", 95 }, { "process", 92 } };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [StraceTheory]
    [MemberData(nameof(Programs))]
    public void Output_OfAProgram_IsWhatStraceWrites(string command, int least) => Compare(command, least);

    [StraceTheory]
    [MemberData(nameof(Calls))]
    public void Output_OfEveryCallOfAFamily_IsWhatStraceWrites(string family, int least) =>
        Compare(Repository.Workload("calls-" + family), least);

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

    private void Compare(string command, int least)
    {
        string program = command.Split(' ')[0];
        string under = Path.Combine(_folder, "strace"), traced = Path.Combine(_folder, "veil");
        Prepare();
        StraceFile.Run(["-f", "-o", under, .. Command(command)]);
        Prepare();
        using (var veil = VeilRun.Attach("--module", "syscall", "--output", "strace", "--uid", User, "--write", traced))
        {
            using var run =
                Process.Start(
                new ProcessStartInfo(
                s_as[0], Command(command)[1..])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                    RedirectStandardInput = true
                })!;
            run.StandardInput.Close();
            var errors = run.StandardError.ReadToEndAsync();
            run.StandardOutput.ReadToEnd();
            run.WaitForExit();
            errors.Wait();
            veil.Stop().ShouldBe(0);
            veil.ShouldHaveLostNothing();
        }

        var (equal, all, differences) = StraceFile.Read(under, program).Compare(StraceFile.Read(traced, program));
        string report = $"{command}: {equal} of {all} lines are equal ({100.0 * equal / all:F1}%)";
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
