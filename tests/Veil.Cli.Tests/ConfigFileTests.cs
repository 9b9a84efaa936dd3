// SPDX-License-Identifier: GPL-3.0-only
using Veil.Cli.Config;
using Veil.Core;
using Veil.Core.Filters;
using Veil.Core.Sinks;

namespace Veil.Cli.Tests;

/// <summary>Configuration files become what the command line would have said, and each mistake has its place.</summary>
public sealed class ConfigFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public static TheoryData<string> Examples =>
        [.. Directory.GetFiles(ExamplesFolder(), "*.yaml").Select(static path => Path.GetFileName(path))];

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Request_OfEverything_IsWhatFlagsWouldSay()
    {
        var request = Read("""
            modules:
              syscall: {flags: {pid: [1, 2], syscall: '!ioctl', returns: true}}
              files: {flags: {pid: 3, op: "open,read", file: /etc/}}
            output: {format: json, enrich: [time, user], fields: [comm, pid, time, username]}
            run: {control: /run/x, control_group: root, yes: true, buffer: 32M, fail_on_loss: true, quiet: false, hook: tp_btf}
            """);

        request.Options.Modules.Select(static module => module.Name).ShouldBe(["syscall", "files"]);
        request.Options.FiltersOf(request.Options.Modules[0]).Select(Text).ShouldBe(["pid 1:Allow 2:Allow", "syscall ioctl:Deny"]);
        request.Options.FiltersOf(request.Options.Modules[1]).Select(Text)
            .ShouldBe(["pid 3:Allow", "op open:Allow read:Allow", "file /etc/:Allow"]);
        request.Options.FlagsOf(request.Options.Modules[0]).Switches.ShouldBe(["returns"]);
        request.Options.Output.Format.ShouldBe(OutputFormat.Json);
        request.Options.Output.Enrichments.ShouldBe(Enrichments.Time | Enrichments.User);
        request.Options.Output.Fields.ShouldBe(["comm", "pid", "time", "username"]);
        request.Options.RingBytes.ShouldBe(32 << 20);
        (request.Options.FailOnLoss && !request.Options.Quiet && request.Yes).ShouldBeTrue();
        (request.Control, request.ControlGroup).ShouldBe(("/run/x", "root"));
    }

    [Fact]
    public void Keys_InTheManual_AreAllThatThereAre()
    {
        string manual = File.ReadAllText(Path.Combine(HelpTests.RepositoryRoot(), "docs/configuration.md"));
        manual.ShouldContain($"| `output` | `{string.Join(' ', ConfigFile.Keys.Output)}` |");
        manual.ShouldContain($"| `run` | `{string.Join(' ', ConfigFile.Keys.Run)}` |");
    }

    [Fact]
    public void Request_OfATraceThatEndsByItself_IsWhatFlagsWouldSay()
    {
        var options = Read("modules: {syscall: }\noutput: {write: /tmp/x, wide: true}\nrun: {duration: 10s, max_events: 5}\n").Options;

        (options.Duration, options.EventsMax, options.WriteTo).ShouldBe((TimeSpan.FromSeconds(10), 5UL, "/tmp/x"));
    }

    /// <summary>What a module filters by is its own: files' errors do not make syscall show calls as they end.</summary>
    [Fact]
    public void Request_OfAnErrno_IsOfItsModuleAlone()
    {
        var options = Read("modules:\n  syscall: {flags: {syscall: read}}\n  files: {flags: {errno: ['!ENOENT', '!EAGAIN']}}\n").Options;

        options.FiltersOf(options.Modules[1]).Select(Text).ShouldBe(["errno ENOENT:Deny EAGAIN:Deny"]);
        options.Modules[0].ChosenEvent(options.ArgumentsOf(options.Modules[0])).ShouldBeNull();
    }

    [Fact]
    public void Request_OfAList_TakesAnItemAsOneValue()
    {
        var request = Read("""
            modules:
              files: {flags: {name: ['a,b', c], file: ['/srv/a,b\', "d,e"], op: "open,read"}}
            """);

        request.Options.Filters.Select(Text)
            .ShouldBe(["name a,b:Allow c:Allow", "op open:Allow read:Allow", @"file /srv/a,b\:Allow d,e:Allow"]);
    }

    [Fact]
    public void Request_OfAFlagInTwoModules_KeepsItsValueInEach()
    {
        var options = Read("""
            modules:
              files: {flags: {slower: 10ms, failed: true}}
              syscall: {flags: {slower: 1ms}}
              memory: {}
            """).Options;

        options.Modules.Select(options.FlagsOf).Select(static flags => string.Join(' ', flags.Of("slower").Concat(flags.Switches)))
            .ShouldBe(["10ms failed", "1ms", ""]);
    }

    [Fact]
    public void Request_OfProfiles_TakesTheNamedOrTheDefault()
    {
        const string text = "default: b\nprofiles:\n  a: {modules: {syscall: }}\n  b: {modules: {files: }}\n";

        Read(text, "a").Options.Modules[0].Name.ShouldBe("syscall");
        Read(text).Options.Modules[0].Name.ShouldBe("files");
    }

    [Theory]
    [InlineData("", "it is empty; it needs modules:, or profiles:")]
    [InlineData("# nothing\n", "it is empty; it needs modules:, or profiles:")]
    [InlineData("- a\n", "1:1: a configuration is a mapping, such as modules: {syscall: {}}")]
    [InlineData("modles: {}\n", "1:1: unknown key 'modles'; did you mean 'modules'? (available: modules, output, run)")]
    [InlineData("output: {format: json}\n", "1:1: modules: is missing: it says what to trace")]
    [InlineData("modules: {}\n", "1:10: modules: is empty: it says what to trace")]
    [InlineData("modules:\n  filez: {}\n", "2:3: unknown module 'filez'; did you mean 'files'?")]
    [InlineData("modules:\n  files:\n    flags:\n      op: delete\n", "4:11: --op: unknown file operation 'delete'")]
    [InlineData("modules:\n  files:\n    flags:\n      opp: read\n", "4:7: unknown flag of files 'opp'; did you mean 'op'?")]
    [InlineData("modules:\n  files:\n    flags:\n      port: 80\n", "4:7: unknown flag of files 'port'")]
    [InlineData("modules: {syscall: }\nrun: {record: /tmp/x}\n", "2:7: unknown key of run 'record'; it belongs under output: (available: ")]
    [InlineData("modules: {syscall: }\noutput: {quiet: true}\n", "2:10: unknown key of output 'quiet'; it belongs under run: (available: ")]
    [InlineData("modules:\n  files:\n    flag: {}\n", "3:5: unknown key 'flag'; did you mean 'flags'?")]
    [InlineData("modules:\n  syscall: {flags: {pid: []}}\n", "2:26: pid: the list is empty; leave it out instead")]
    [InlineData("modules:\n  syscall: {flags: {pid: {a: 1}}}\n", "2:26: pid is a value, or a list of values")]
    [InlineData("modules:\n  syscall: {flags: {pid: ''}}\n", "2:26: --pid: the value is empty")]
    [InlineData("modules:\n  syscall: {flags: {returns: maybe}}\n", "2:30: returns is true or false")]
    [InlineData(
        "modules:\n  syscall: {flags: {syscall: !read }}\n", "syscall: to YAML '!' begins a type; write the value in quotes: '!read'")]
    [InlineData("modules: [syscall]\n", "1:10: modules is a mapping")]
    [InlineData("modules: {syscall: }\noutput: {format: xml}\n", "2:18: --output: unknown format 'xml'")]
    [InlineData("modules: {syscall: }\noutput: {count: true, top: 0}\n", "2:28: --top: '0' is not a number from 1 to 1000000")]
    [InlineData("modules: {syscall: }\nmodules: {files: }\n", "uplicate key")]
    [InlineData("modules:\n\tsyscall: {}\n", "tab")]
    [InlineData("a: &x [1]\nb: *x\n", "2:4: aliases (*name) are not understood; write it out")]
    [InlineData("modules: {syscall: }\n---\nmodules: {files: }\n", "there is a second document")]
    [InlineData("profiles: {a: {modules: {syscall: }}}\n", "which profile? Add default:, or give --profile (a)")]
    [InlineData("default: bb\nprofiles: {b: {modules: {syscall: }}}\n", "1:10: unknown profile 'bb' (available: b)")]
    public void Request_OfWhatIsWrong_SaysWhereAndWhy(string text, string message)
    {
        string said = Should.Throw<UsageException>(() => Read(text)).Message;

        said.ShouldStartWith(_path + ":");
        said.ShouldContain(message);
        said.ShouldNotContain('\n');
    }

    [Fact]
    public void Mistakes_AllOfThem_AreFoundAtOnce()
    {
        File.WriteAllText(
            _path, "modules:\n  filez: {}\n  files:\n    flags: {op: delete, pid: 0, file: []}\n  syscall: {flags: {opp: read}}\noutput: " +
            "{format: xml, top: 0, count: maybe}\n");

        ConfigFile.Read(_path).Mistakes(null).Select(mistake => mistake[(_path.Length + 1)..].Split(' ')[0])
            .ShouldBe(["6:38:", "2:3:", "4:39:", "4:30:", "4:17:", "6:28:", "6:18:", "5:21:"], ignoreOrder: true);
    }

    [Fact]
    public void Mistakes_OfWhatIsRight_AreNone()
    {
        File.WriteAllText(_path, "modules: {syscall: }\n");

        ConfigFile.Read(_path).Mistakes(null).ShouldBeEmpty();
    }

    [Fact]
    public void Read_OfHostileFiles_IsOneErrorAtOnce()
    {
        Should.Throw<UsageException>(() => Read(new string('[', 500_000))).Message.ShouldContain("nested that deep");
        Should.Throw<UsageException>(() => Read(new string('#', 1_100_000))).Message.ShouldContain(
            "more than 1048576 bytes is no configuration");
        File.WriteAllBytes(_path, [0xff, 0xfe, 0x00]);
        Should.Throw<UsageException>(() => ConfigFile.Read(_path)).Message.ShouldBe($"{_path}:1:1: it is not UTF-8");
        File.WriteAllBytes(_path, [.. "a: b\nc:"u8, 0xff]);
        Should.Throw<UsageException>(() => ConfigFile.Read(_path)).Message.ShouldBe($"{_path}:2:3: it is not UTF-8");
        Should.Throw<UsageException>(
            () => Read(
            $"modules: {{syscall: {{flags: {{pid: [{string.Join(',', Enumerable.Repeat(1, 70_000))}]}}}}}}")).Message.ShouldEndWith(
            "more than 65536 values are no configuration");
        Should.Throw<UsageException>(() => ConfigFile.Read("/nonexistent/x.yaml")).Message.ShouldBe("/nonexistent/x.yaml: no such file");
        Should.Throw<UsageException>(() => ConfigFile.Read("/tmp")).Message.ShouldBe("/tmp: it is a folder");
    }

    [Fact]
    public void Read_OfDamagedExamples_NeverThrowsAnythingElse()
    {
        const string characters = "[]{}:,\n\t '\"&*!|>-#aé\0%@?";
        var random = new Random(7);
        foreach (string path in Directory.GetFiles(ExamplesFolder(), "*.yaml"))
        {
            string whole = File.ReadAllText(path);
            for (int round = 0; round < 300; round++)
            {
                var damaged = new System.Text.StringBuilder(whole);
                for (int i = 0; i < 3; i++)
                    damaged[random.Next(damaged.Length)] = characters[random.Next(characters.Length)];
                try
                {
                    _ = Read(damaged.ToString());
                }
                catch (UsageException wrong)
                {
                    wrong.Message.ShouldStartWith(_path + ":");
                    string[] parts = wrong.Message[(_path.Length + 1)..].Split(':', 3);
                    (int.Parse(parts[0]) > 0 && int.Parse(parts[1]) > 0).ShouldBeTrue(wrong.Message);
                    parts[2].ShouldNotContain("Exception");
                    parts[2].ShouldNotContain("Operation is not valid");
                    parts[2].ShouldNotContain('\n');
                    parts[2].Length.ShouldBeGreaterThan(10, damaged.ToString());
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Examples_AreRight(string name)
    {
        var config = ConfigFile.Read(Path.Combine(ExamplesFolder(), name));

        foreach (string? profile in config.Profiles is { Count: > 0 } profiles ? profiles : [null!])
            config.Request(profile).Options.Modules.ShouldNotBeEmpty();
    }

    private TraceRequest Read(string text, string? profile = null)
    {
        File.WriteAllText(_path, text);
        return ConfigFile.Read(_path).Request(profile);
    }

    private static string Text(FilterExpression filter) =>
        filter.Dimension.Name + " " + string.Join(' ', filter.Bits.Select(static key => $"{key.Key.Text}:{key.Value}").Distinct());

    private static string ExamplesFolder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Veil.slnx")))
            folder = folder.Parent!;
        return Path.Combine(folder.FullName, "examples");
    }
}
