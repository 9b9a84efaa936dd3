// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Globalization;
using Veil.Core.Symbols;
using StackFrame = Veil.Core.Symbols.StackFrame;

namespace Veil.Kernel.Tests;

/// <summary>Names of addresses in processes that say themselves where their functions are, running and ended.</summary>
public sealed class StackNamesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-names-").FullName;
    private readonly StackNames _names = StackNames.Start(root: null);

    public void Dispose()
    {
        _names.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("names")]
    [InlineData("names-dynamic")]
    [InlineData("names-split")]
    [InlineData("names-mini")]
    public void User_EndedProcess_HasNamesOfItsFunctions(string program)
    {
        string path = Repository.Workload(program);

        var (pid, said) = RunToEnd(path);

        Check(pid, said, path);
    }

    [Fact]
    public void User_RunningProcess_HasNamesOfItsFunctions()
    {
        using var workload = Waiting("names-dynamic", out var said);

        Check(int.Parse(workload.Pid), said, Repository.Workload("names-dynamic"));
    }

    [Fact]
    public void User_LibcAndVdso_AreNamedWithTheirFiles()
    {
        var (pid, said) = RunToEnd(Repository.Workload("names-dynamic"));

        var libc = Name(pid, said, "libc");
        var vdso = Name(pid, said, "vdso");

        (libc.Symbol, libc.Offset).ShouldBe(("getenv", 0ul));
        libc.File.ShouldNotBeNull().ShouldEndWith("/libc.so.6");
        libc.BuildId.ShouldBe(BuildIdOf(libc.File));
        vdso.Symbol.ShouldBeOneOf("__vdso_getcpu", "getcpu");
        (vdso.Offset, vdso.File).ShouldBe((0ul, "[vdso]"));
    }

    [Fact]
    public void User_ReturnAddress_IsNamedByTheCallBefore()
    {
        var (pid, said) = RunToEnd(Repository.Workload("names"));
        ulong address = said["return"];

        var frame = _names.User(pid, address, (long)said["time"], isReturn: true);

        frame.ShouldBe(
            new StackFrame(address, "names_global", address - said["global"], Repository.Workload("names"), frame.BuildId, null));
    }

    [Fact]
    public void User_FileReplacedAfterTheEnd_HasNoNameAndSaysSo()
    {
        string path = Path.Combine(_folder, "program");
        File.Copy(Repository.Workload("names-dynamic"), path);
        var (pid, said) = RunToEnd(path);
        File.Copy(Repository.Workload("hold"), path + ".new");
        File.Move(path + ".new", path, overwrite: true);

        var frame = Name(pid, said, "global");

        (frame.Symbol, frame.File).ShouldBe((null, path + " (replaced)"));
    }

    [Fact]
    public void User_FileReplacedWhileItRuns_IsNamedByTheOneThatRuns()
    {
        string path = Path.Combine(_folder, "program");
        File.Copy(Repository.Workload("names-dynamic"), path);
        var start = new ProcessStartInfo(path, "--wait") { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var said = Read(process);
        File.Copy(Repository.Workload("hold"), path + ".new");
        File.Move(path + ".new", path, overwrite: true);

        var frame = Name(process.Id, said, "global");

        process.StandardInput.WriteLine("go");
        process.WaitForExit();
        (frame.Symbol, frame.Offset).ShouldBe(("names_global", 0ul));
    }

    [Fact]
    public void User_CodeWrittenAtRunTime_IsNamedByTheMapOfItsProcess()
    {
        using var workload = Waiting("names", out var said);
        string map = $"/tmp/perf-{workload.Pid}.map";
        try
        {
            File.WriteAllText(map, $"{said["written"]:x} 20 first\n{said["written"] + 0x20:x} 10 Name with blanks\n");

            var first = Name(int.Parse(workload.Pid), said, "written");
            var second = _names.User(int.Parse(workload.Pid), said["written"] + 0x25, (long)said["time"], isReturn: false);

            (first.Symbol, first.Offset, first.File).ShouldBe(("first", 0ul, "[jit]"));
            (second.Symbol, second.Offset).ShouldBe(("Name with blanks", 5ul));
        }
        finally
        {
            File.Delete(map);
        }
    }

    [Fact]
    public void User_MapOfAnotherUser_IsNotRead()
    {
        using var workload = Waiting("names", out var said);
        string map = $"/tmp/perf-{workload.Pid}.map";
        try
        {
            File.WriteAllText(map, $"{said["written"]:x} 20 forged\n");
            Run("chown", "65534", map);

            Name(int.Parse(workload.Pid), said, "written").Symbol.ShouldBeNull();
        }
        finally
        {
            File.Delete(map);
        }
    }

    [Fact]
    public void Kernel_EachFunctionOfKallsyms_IsNamed()
    {
        string[] line = File.ReadLines("/proc/kallsyms")
            .First(static text => text.EndsWith(" schedule_timeout", StringComparison.Ordinal)).Split(' ');
        ulong address = ulong.Parse(line[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

        _names.Kernel(address + 4, isReturn: true)
            .ShouldBe(new StackFrame(address + 4, "schedule_timeout", 4, "[kernel]", null, null));
        _names.Kernel(0x10, isReturn: false).Symbol.ShouldBeNull();
    }

    private void Check(int pid, Dictionary<string, ulong> said, string path)
    {
        _names.Refusal.ShouldBeNull();
        foreach (string function in (string[])["local", "global"])
        {
            var frame = Name(pid, said, function);

            (frame.Symbol, frame.Offset, frame.File).ShouldBe(("names_" + function, 0ul, path));
            frame.BuildId.ShouldBe(BuildIdOf(path));
        }
    }

    private StackFrame Name(int pid, Dictionary<string, ulong> said, string key) =>
        _names.User(pid, said[key], (long)said["time"], isReturn: false);

    private static Workload Waiting(string program, out Dictionary<string, ulong> said)
    {
        var workload = Workload.Waiting(program);
        workload.ReadAhead("time");
        said = ((string[])["local", "global", "return", "written", "time"])
            .ToDictionary(static key => key, key => ulong.Parse(workload[key]));
        return workload;
    }

    private static (int Pid, Dictionary<string, ulong> Said) RunToEnd(string path)
    {
        using var process = Process.Start(new ProcessStartInfo(path) { RedirectStandardOutput = true })!;
        var said = Read(process);
        process.WaitForExit();
        return (process.Id, said);
    }

    private static Dictionary<string, ulong> Read(Process process)
    {
        var said = new Dictionary<string, ulong>(StringComparer.Ordinal);
        while (!said.ContainsKey("time") && process.StandardOutput.ReadLine() is { } line)
            said[line.Split('=')[0]] = ulong.Parse(line.Split('=')[1], CultureInfo.InvariantCulture);
        return said;
    }

    // By readelf of binutils.
    private static string? BuildIdOf(string path)
    {
        const string label = "Build ID: ";
        return Run("readelf", "-n", path).Split('\n').Where(static line => line.Contains(label, StringComparison.Ordinal))
            .Select(static line => line[(line.IndexOf(label, StringComparison.Ordinal) + label.Length)..].Trim()).FirstOrDefault();
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0);
        return output;
    }
}
