// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Runtime.InteropServices;
using Veil.Core;
using Veil.Core.Options;
using Veil.Core.Tests.Symbols;

namespace Veil.Cli.Tests.Uprobe;

/// <summary>From --uprobe to the modules of a session.</summary>
public sealed class UprobeTargetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-elf-").FullName;

    [Fact]
    public void Function_WhoseFirstInstructionIsOfAvx512_IsRefused()
    {
        const byte evex = 0x62;
        string program = Write("avx512", new ElfBuilder().Symbol("f", 0x110));
        long offset = (long)new Veil.Core.Symbols.ElfFile(new MemoryStream(File.ReadAllBytes(program)), RuntimeInformation.OSArchitecture)
            .FindFunction("f").Single();
        byte[] bytes = File.ReadAllBytes(program);
        Array.Resize(ref bytes, Math.Max(bytes.Length, (int)offset + 1));
        bytes[offset] = evex;
        File.WriteAllBytes(program, bytes);

        Should.Throw<UsageException>(() => Read($"--uprobe {program}:f")).Message.ShouldContain("AVX-512");
    }

    [Fact]
    public void Uprobe_SeveralTargets_AreAModuleEach()
    {
        string program = Write("program", new ElfBuilder().Symbol("one", 0x110).Symbol("two", 0x120));

        var modules = Read($"--uprobe {program}:one,{program}:two {program}:one").Modules;

        modules.Select(static module => string.Join(' ', module.Constants.Select(static constant => constant.Value)))
            .ShouldBe([$"one {program}", $"two {program}"]);
        modules.ShouldAllBe(static module => module.Name == "uprobe");
    }

    [Fact]
    public void Uprobe_RelativePath_BecomesAbsolute()
    {
        string program = Write("program", new ElfBuilder().Symbol("f"));

        Read($"--uprobe {Path.GetRelativePath(Environment.CurrentDirectory, program)}:f").Modules[0].Constants[1].Value.ShouldBe(program);
    }

    [Fact]
    public void Uprobe_ColonInThePath_TheLastOneSplits()
    {
        string program = Write("a:b", new ElfBuilder().Symbol("f"));

        Read($"--uprobe {program}:f").Modules[0].Constants.ShouldBe([("symbol", "f"), ("path", program)]);
    }

    [Fact]
    public void Uprobe_ColonsInTheName_ThePathIsTheLongestFile()
    {
        string program = Write("program", new ElfBuilder().Symbol("_ZN3Foo3barEic", 0x110));
        Write("program:Foo", new ElfBuilder().Symbol("other", 0x120));

        // A comma in brackets splits nothing.
        Read($"--uprobe {program}:Foo::bar(int,char)").Modules[0].Constants.ShouldBe([("symbol", "Foo::bar(int,char)"), ("path", program)]);
        Read($"--uprobe {program}:Foo:other").Modules[0].Constants.ShouldBe([("symbol", "other"), ("path", program + ":Foo")]);
    }

    [Fact]
    public void Uprobe_GoNameWithAComma_IsOneFunction()
    {
        string program = Write("program", new ElfBuilder().Symbol("main.F[int,string]", 0x110).Symbol("g", 0x120));

        Read($"--uprobe {program}:main.F[int,string],{program}:g").Modules.Select(static module => module.Constants[0].Value)
            .ShouldBe(["main.F[int,string]", "g"]);
    }

    [Fact]
    public void Uprobe_OneFunctionByTwoNames_IsOneProbe()
    {
        string program = Write("program", new ElfBuilder().Symbol("f", 0x110).Symbol("alias", 0x110));
        string link = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(link, program);
        var options = Read($"--uprobe {program}:f {link}:f {program}:alias");

        options.Modules.ShouldHaveSingleItem().Warnings(options.Arguments).ShouldBe([
            $"f ({link}) is the same code as f ({program}): its calls are events of that alone",
            $"alias ({program}) is the same code as f ({program}): its calls are events of that alone"]);
    }

    [Fact]
    public void Latency_OfAProbeOrAnAddress_IsRefused()
    {
        string program = Write("program", new ElfBuilder().Symbol("f", 0x110).Usdt("app", "begin", 0x120));

        foreach (string place in new[] { "app:begin", "0x400110", "f+2" })
        {
            Read($"--uprobe {program}:{place}").Modules.Count.ShouldBe(1);
            Should.Throw<UsageException>(() => Read($"--latency --uprobe {program}:{place}")).Message.ShouldStartWith(
                $"--latency: {place} ({program}) is a place in code and no function");
        }
    }

    [Fact]
    public void Latency_OfAFileThatThrows_IsAskedWithAScopeToo()
    {
        string program = Write("program", new ElfBuilder().Symbol("f", 0x110).Dynamic("__cxa_throw", section: 0));
        var options = Read($"--latency -p 1 --uprobe {program}:f");

        options.Modules[0].Question(options.Filters, options.Arguments)
            .ShouldBe(
            $"--latency: an exception that passes through f ({program}) would end the program, and its file has what throws them");
        options = Read($"-p 1 --uprobe {program}:f");
        options.Modules[0].Question(options.Filters, options.Arguments).ShouldBeNull();
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("-p 1", false)]
    [InlineData("-u 0", false)]
    [InlineData("-p !1", true)]
    [InlineData("-n veil", true)]
    public void Question_IsAskedOnce_WhereNothingNarrowsTheTraceDown(string filters, bool asks)
    {
        string program = Write("program", new ElfBuilder().Symbol("one", 0x110).Symbol("two", 0x120));
        var options = Read($"--uprobe {program}:one {program}:two {filters}");

        options.Modules.Count(module => module.Question(options.Filters, options.Arguments) is not null).ShouldBe(asks ? 1 : 0);
    }

    [Fact]
    public void Latency_OfAGoProgram_IsRefused()
    {
        string program = Write("program", new ElfBuilder { Go = true }.Symbol("main.main"));

        Read($"--uprobe {program}:main.main").Modules.Count.ShouldBe(1);
        Should.Throw<UsageException>(() => Read($"--latency --uprobe {program}:main.main")).Message.ShouldBe(
            $"--latency: {program} is a Go program, and Go moves the stacks that return addresses are on: a probe on returns would crash " +
                $"it; without --latency it can be traced");
    }

    [Fact]
    public void Latency_OfAnotherModule_IsRefused() =>
        Should.Throw<UsageException>(() => Parse("--module syscall --latency")).Message.ShouldBe(
            "--latency: no chosen module has it (syscall); uprobe would");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SessionOptions Read(string line) => Parse("--module uprobe " + line);

    private static SessionOptions Parse(string line)
    {
        var flags = new TraceFlags();
        var root = new RootCommand();
        foreach (var option in flags.All)
            root.Add(option);
        return TraceCommand.Read(root.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)), flags);
    }

    private string Write(string name, ElfBuilder elf)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, elf.Build());
        return path;
    }
}
