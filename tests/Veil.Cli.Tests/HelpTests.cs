// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Text.RegularExpressions;
using Veil.Cli.Help;
using Veil.Core.Sinks;
using Veil.Modules;

namespace Veil.Cli.Tests;

/// <summary>The help and the man page, made of the flags themselves.</summary>
public sealed partial class HelpTests
{
    private static readonly TraceFlags s_flags = new();
    private static readonly RootCommand s_root = CommandLine.Create(s_flags);

    public static TheoryData<string> Modules => [.. ModuleCatalog.All.Select(static module => module.Name)];

    [Fact]
    public void Whole_NamesEveryFlagOnce()
    {
        string help = HelpText.Whole(s_flags, s_root);

        foreach (var option in s_root.Options)
            help.Split('\n').Count(line => (line + " ").StartsWith($"  {HelpText.Names(option)} ", StringComparison.Ordinal))
                .ShouldBe(1, option.Name);
        help.Split('\n').ShouldAllBe(static line => line.Length <= 110);
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Module_HasItsOwnFiltersFieldsAndHooks(string name)
    {
        var module = TraceCommand.Module(name);
        string help = HelpText.Of(module, s_flags);

        foreach (
            string word in module.Filters.Select(static filter => "--" + filter.Name)
            .Concat(module.Flags.Select(static flag => "--" + flag.Name)).Concat(module.Rungs.Select(static rung => rung.Name)))
            help.ShouldContain(word);
        help.ShouldContain("timestamp");
        help.ShouldContain("Examples");
        help.Split('\n').ShouldAllBe(static line => line.Length <= 110);
    }

    /// <summary>No word is broken over two rows, and what can be copied into a shell still can.</summary>
    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(120)]
    [InlineData(160)]
    public void Help_OnATerminal_FitsItsWidth(int columns)
    {
        int before = HelpText.Columns;
        try
        {
            HelpText.Columns = columns;
            string help =
                HelpText.Whole(s_flags, s_root) + string.Concat(ModuleCatalog.All.Select(static module => HelpText.Of(module, s_flags)))
                + string.Concat(HelpText.Commands(s_root).Select(HelpText.Of)) + HelpText.Questions(s_root)
                + string.Concat(HelpTopics.Topics.Select(static topic => HelpText.OfTopic(topic.Name, s_flags, s_root)))
                    + string.Concat(s_root.Options.Select(static option => HelpText.Of(option, s_flags)))
                + ListCommand.Modules(asJson: false, columns);

            foreach (string line in help.Split('\n'))
                (line.Length <= columns || !line.Trim().TrimEnd('\\').Trim().Contains(' ', StringComparison.Ordinal)).ShouldBeTrue(line);
            string joined = help.Replace(" \\\n    ", " ", StringComparison.Ordinal);
            foreach (var example in HelpText.Examples)
                joined.ShouldContain("  " + example.Command + "\n");
            if (columns == 160)
                help.Split('\n').Max(static line => line.Length).ShouldBeGreaterThan(110);
        }
        finally
        {
            HelpText.Columns = before;
        }
    }

    /// <summary>Every example is a command line that veil takes; what the shell would put in is put in here.</summary>
    [Fact]
    public void Examples_AllOfThem_AreRight()
    {
        var examples = HelpText.Examples.Concat(ModuleCatalog.All.SelectMany(static module => module.Examples)).ToList();
        examples.Count.ShouldBeGreaterThan(10);
        foreach (var example in examples)
        {
            string line = example.Command.Replace("$(pidof nginx)", "1", StringComparison.Ordinal)
                .Replace("'", "", StringComparison.Ordinal).Split(" | ")[0];
            line.ShouldStartWith("veil ");
            // An example's program need not be on this machine.
            if (line.Contains("/usr/bin/bash:", StringComparison.Ordinal) || line.Contains("libc.so.6:", StringComparison.Ordinal))
                line = line.Replace("/usr/bin/bash:readline", "/bin/sh:main", StringComparison.Ordinal);
            var parsed = s_root.Parse(StartedCommand.AddDefaults(StartedCommand.TakeFrom(line.Split(' ')[1..])));
            parsed.Errors.ShouldBeEmpty(example.Command);
            if (!line.Contains("uprobe", StringComparison.Ordinal) && !line.Contains("www-data", StringComparison.Ordinal))
                TraceCommand.Read(parsed, s_flags).Modules.ShouldNotBeEmpty(example.Command);
        }
    }

    [Fact]
    public void Questions_EachOfThem_IsAnsweredByARightCommand()
    {
        string help = HelpText.Questions(s_root);
        foreach (var (question, command) in HelpTopics.Questions)
        {
            help.ShouldContain(question);
            string line = command.Split(" -- ")[0].Replace("/usr/bin/bash:readline", "/bin/sh:main", StringComparison.Ordinal);
            var parsed = s_root.Parse(line.Split(' ')[1..]);
            parsed.Errors.ShouldBeEmpty(command);
            if (parsed.CommandResult.Command == s_root && !line.Contains("uprobe", StringComparison.Ordinal))
                TraceCommand.Read(parsed, s_flags).Modules.ShouldNotBeEmpty(command);
        }

        HelpTopics.Starters.Count().ShouldBe(3);
    }

    [Fact]
    public void Help_OfEveryFlag_IsThereWithAndWithoutDashes()
    {
        foreach (var option in s_root.Options)
        {
            string help = HelpCommand.Text([option.Name], s_flags, s_root);
            help.ShouldStartWith(HelpText.Names(option));
            string bare = option.Name.TrimStart('-');
            if (!HelpCommand.Words(s_root).Contains(bare))
                HelpCommand.Text([bare], s_flags, s_root).ShouldBe(help);
            CommandLine.Run(["help", option.Name]).ShouldBe(0, option.Name);
        }
    }

    [Theory]
    [InlineData("filters", "--syscall")]
    [InlineData("filters", "--errno")]
    [InlineData("counting", "--hist FIELD")]
    [InlineData("losses", "ring_full")]
    [InlineData("control", "clear [MODULE] MAP")]
    [InlineData("errno", "Modules")]
    [InlineData("--yes", "every process is stopped at each call")]
    [InlineData("dns", "--syscall sendto")]
    [InlineData("udp", "--syscall sendto")]
    [InlineData("exec", "--syscall execve")]
    [InlineData("children", "--follow")]
    public void Help_OfATopic_HasIt(string topic, string text) => HelpCommand.Text([topic], s_flags, s_root).ShouldContain(text);

    /// <summary>What chooses how the kernel is traced is refused of a recording, so its help does not offer it.</summary>
    [Theory]
    [InlineData("replay")]
    [InlineData("export")]
    public void Help_OfWhatReadsRecordings_ListsNothingThatItRefuses(string command)
    {
        string help = HelpCommand.Text([command], s_flags, s_root);
        foreach (string flag in new[] { "--threads", "--hz", "--idle", "--uprobe", "--lifetimes" })
            help.ShouldNotContain($"\n  {flag}");
        foreach (string flag in new[] { "--slower", "--failed", "--returns", "--args", "--string-size", "--protocol", "--latency", "--stack" })
            help.ShouldContain($"\n  {flag}");
    }

    [Fact]
    public void Help_OfACommand_HasTheFormsOfItsOutput()
    {
        HelpCommand.Text(["top"], s_flags, s_root).ShouldContain("-o, --output text|json ");
        HelpCommand.Text(["top"], s_flags, s_root).ShouldNotContain("json|folded");
        HelpCommand.Text(["replay"], s_flags, s_root).ShouldContain("text|json|folded|strace|tree");
        HelpCommand.Text(["replay"], s_flags, s_root).ShouldNotContain("tree|none");
    }

    [Fact]
    public void LossCauses_AllOfThem_AreInTheDocs()
    {
        string docs = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "usage.md"));
        foreach (var (cause, _) in HelpTopics.LossCauses)
            docs.ShouldContain($"| `{cause}` |");
    }

    /// <summary>The table of flags is written by hand: it has every flag, by the names and the value of the help, with the modules that
    /// have it, and examples that are right.</summary>
    [Fact]
    public void FlagTable_OfTheDocs_HasEveryFlagAsTheHelpHasIt()
    {
        var rows = Table("| flag | default | meaning | example |");

        rows.Select(static row => Sorted(row[1].Replace("`", "", StringComparison.Ordinal)))
            .ShouldBe(s_root.Options.Select(static option => Sorted(HelpText.Names(option))), ignoreOrder: true);
        foreach (string[] row in rows)
        {
            string name = row[1].Split('`')[^2].Split(' ')[0][2..];
            var having =
                ModuleCatalog.All.Where(
                module => module.OwnFilters.Any(filter => filter.Name == name) || module.Flags.Any(flag => flag.Name == name))
                .Select(static module => module.Name);
            having.Where(module => !row[3].Contains($"`{module}`", StringComparison.Ordinal)).ShouldBeEmpty(row[1]);
            // What stands behind -- is another program's.
            s_root.Parse(
                row[4].Trim('`').Split(" -- ")[0].Replace("'", "", StringComparison.Ordinal)
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)).Errors.ShouldBeEmpty(row[4]);
        }

        static string Sorted(string names) => string.Join(", ", names.Split(", ").Order(StringComparer.Ordinal));
    }

    /// <summary>The keys of JSON and the columns of text, by hand too: those of syscall as it lists and writes them.</summary>
    [Fact]
    public void KeyAndColumnTables_OfTheDocs_AreThoseOfSyscall()
    {
        Table("| key | type | with | meaning |").Where(static row => row[1] != "`comm_hex`")
            .Select(static row => (row[1].Trim('`'), row[2], row[3].Trim('`'))).ShouldBe(
            ListCommand.FieldsOf(TraceCommand.Module("syscall")).Select(static field => (field.Name, field.Type, field.Needs ?? "")));

        var columns =
            Screens.Samples.Catalog("syscall", OriginField.All.Select(static field => field.Name).ToHashSet()).Schemas[0].Columns.Concat(EnrichedColumns.All.Select(static added => added.Column));
        // The last one, arch, is shown where it says something, and is as wide as that.
        Table("| column | width of the value | what |").Where(static row => row[2].Length > 0)
            .Select(static row => (Label: row[1].StartsWith('`') ? row[1].Trim('`') : "", Width: row[2])).ShouldBe(
            columns.Where(static column => column.Width > 0).Select(static column => (column.Label, $"{column.Width}")), ignoreOrder: true);
    }

    [Fact]
    public void ManPage_InTheRepository_IsTheOneThatTheFlagsMake() =>
        File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "veil.1"))
            .ShouldBe(ManPage.Text(s_flags, s_root), "docs/veil.1 is old: make man");

    [Fact]
    public void DocTables_InTheRepository_AreThoseThatTheModulesMake()
    {
        foreach (string file in DocTables.Files)
        {
            string text = File.ReadAllText(Path.Combine(RepositoryRoot(), file));
            text.ShouldContain("make man -->", Case.Sensitive, file);
            text.ShouldBe(DocTables.Update(text), $"the tables of {file} are old: make man");
        }
    }

    [Fact]
    public void ManPage_NoLineBeginsAMacroByAccident() =>
        ManPage.Text(s_flags, s_root).Split('\n').Where(static line => line.StartsWith('.'))
            .ShouldAllBe(static line => Macro().IsMatch(line));

    [GeneratedRegex(@"^\.(?:TH|SH|SS|TP|BR|B|I|nf|fi)(?: |$)", RegexOptions.None, 1_000)]
    private static partial Regex Macro();

    // The rows of a table in usage.md, each cell without blanks around it.
    private static List<string[]> Table(string head)
    {
        string docs = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "usage.md"));
        docs = docs[docs.IndexOf(head + "\n", StringComparison.Ordinal)..];
        return [.. docs[..docs.IndexOf("\n\n", StringComparison.Ordinal)].Split('\n').Skip(2)
            .Select(static row =>
            row.Replace("\\|", "\0", StringComparison.Ordinal).Split('|').Select(static cell => cell.Replace('\0', '|').Trim()).ToArray())];
    }

    internal static string RepositoryRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Veil.slnx")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("the repository's root was not found");
    }
}
