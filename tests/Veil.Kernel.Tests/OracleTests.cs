// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using Veil.Core.Kernel;
using Xunit.Abstractions;

namespace Veil.Kernel.Tests;

/// <summary>
/// <c>--output strace</c> against strace itself: the same program under both, its lines compared thread by thread. What differs from run to run
/// (addresses, ids, times) is masked.
/// </summary>
public sealed class OracleTests(ITestOutputHelper output) : IDisposable
{
    // A user that has nothing else on this machine: all that it does is the program and its children.
    private const string User = "54321";

    private static readonly string[] s_as = ["setpriv", "--reuid=" + User, "--regid=" + User, "--clear-groups", "env", "-i", "PATH=/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C"];

    private readonly string _folder = Directory.CreateTempSubdirectory("veil-oracle-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // The folder has a few files for it. The least share of equal lines, in percent.
    public static TheoryData<string, string, int> Programs => new()
    {
        { "ls", "/usr/bin/ls -l files", 30 },
        { "cat", "/usr/bin/cat files/text files/none", 30 },
        { "cp", "/usr/bin/cp -a files copy", 30 },
        { "tar", "/usr/bin/tar -cf files.tar files", 30 },
        { "find", "/usr/bin/find files -name *.c", 30 },
        { "dd", "/usr/bin/dd if=/dev/zero of=zeros bs=4096 count=16", 30 },
        { "gcc", "/usr/bin/gcc -o program files/program.c", 30 },
        { "bash", "/bin/bash files/script", 30 },
        { "python3", "/usr/bin/python3 -c print(sum(range(10)))", 30 },
        { "sqlite3", "/usr/bin/sqlite3 base.db .read\\040files/statements", 30 },
        { "git", "/usr/bin/git -C repository status", 30 },
    };

    public static TheoryData<string, int> Calls => new() { { "files", 30 }, { "signals", 30 } };

    [StraceTheory]
    [MemberData(nameof(Programs))]
    public void Output_OfAProgram_IsWhatStraceWrites(string name, string command, int least)
    {
        string[] words = [.. command.Split(' ').Select(static word => word.Replace("\\040", " ", StringComparison.Ordinal))];
        Assert.SkipUnless(File.Exists(words[0]), $"{words[0]} is not installed");
        Compare(name, words, least);
    }
}
