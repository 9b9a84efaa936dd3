// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text;
using Veil.Core.Modules;
using Veil.Core.Output;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli.Help;

/// <summary>What <c>--help</c> prints: of the whole, or of the modules that the line names. The man page says the same (<see
/// cref="ManPage"/>).</summary>
internal static partial class HelpText
{
    private const int ColumnsElsewhere = 110;
    private const int ColumnsMin = 40;
    private const int TermColumns = 30;
    private const int NarrowTermColumns = 20;
    private const int NarrowBelow = 70;

    /// <summary>Places in a row: those of the terminal, so that no word is broken over two.</summary>
    internal static int Columns { get; set; } =
        Math.Max(TerminalScreen.Of(StandardStreams.Output)?.Size.Columns ?? ColumnsElsewhere, ColumnsMin);

    /// <summary>The examples, the first of each module and then of more than one.</summary>
    public static IEnumerable<Example> Examples =>
    [
        .. ModuleCatalog.All.Select(static module => module.Examples[0]),
        new("veil -w /tmp/calls -- make -j2", "run a program, and write down what it and its children ask of the kernel"),
        new("veil --module syscall,network,files --enrich all", "three modules in one order, with wall-clock time, user and process names"),
        new("veil --module syscall -p $(pidof nginx) --control /run/veil.sock",
            "steer it from elsewhere: veil control /run/veil.sock add syscall openat"),
    ];

    /// <summary>Exit codes with their meaning.</summary>
    public static IReadOnlyList<(string Code, string Meaning)> ExitCodes { get; } =
    [
        ("0", "done"),
        ("1", "could not start, go on or write the output: what the machine refused; or a control command was refused"),
        ("2", "the command line, the configuration or a file that they name is wrong; nothing was started"),
        ("3", "events were lost, and --fail-on-loss was given"),
        ("126, 127",
            "the command is no program, or there is none of that name; of one that ran the exit code is its own, or 128 and " +
            "the signal that ended it"),
    ];

    /// <summary>The help of the trace command.</summary>
    public static string Whole(TraceFlags flags, RootCommand root)
    {
        var text = new StringBuilder();
        Paragraph(text, root.Description!, "", "");
        text.Append("\nUsage: veil --module NAME,… [filters] [options]\n       veil [options] -- CMD ARG…\n       veil COMMAND …\n");
        Section(text, "Modules (more of each: veil help MODULE)", ModuleCatalog.All.Select(static module => (module.Name, module.Summary)));
        foreach (var (title, options) in flags.Groups)
            Section(text, title, options.Select(Line));
        Section(text, "Help", root.Options.Where(option => !flags.All.Contains(option)).Select(Line));
        Section(text, "Topics (more of each: veil help TOPIC; veil help alone lists questions)", HelpTopics.Topics);
        Section(text, "Commands (more of each: veil help COMMAND)", Commands(root)
            .Select(static command => (Usage(command), command.Description ?? "")));
        Examples_(text, Examples);
        Section(text, "Exit codes", ExitCodes);
        return text.ToString();
    }

    /// <summary>The help of one module.</summary>
    public static string Of(TraceModule module, TraceFlags flags)
    {
        var text = new StringBuilder();
        Paragraph(text, $"veil --module {module.Name}: {module.Summary}", "", "");
        Section(text, "Hooks, best first (--hook NAME takes one of them only)",
            module.Rungs.Select(static rung => (rung.Name, rung.Description)));
        Section(text, "Filters in the kernel (a value allows, '!' before it denies, and deny wins)",
            module.Filters.Select(filter => (Names(flags.OptionOf(filter.Name)), filter.Description)));
        if (module.Flags.Count > 0)
            Section(text, "Flags", module.Flags.Select(flag => Line(flags.OptionOf(flag.Name))));
        Section(text, "Fields (for --fields, and as they are called in JSON)", ListCommand.FieldsOf(module)
            .Select(static field => (field.Name, field.Needs is null ? field.Type : $"{field.Type}, with {field.Needs}")));
        Examples_(text, module.Examples);
        text.Append("\nAll flags: veil --help\n");
        return text.ToString();
    }

    /// <summary>The commands that people see.</summary>
    public static IEnumerable<Command> Commands(RootCommand root) => root.Subcommands.Where(static command => !command.Hidden);

    /// <summary>The help of a command.</summary>
    public static string Of(Command command)
    {
        var text = new StringBuilder();
        Paragraph(text, $"veil {FullName(command)}: {command.Description}", "", "");
        text.Append('\n');
        Paragraph(text, $"Usage: veil {Usage(command)}{(command.Options.Count > 0 ? " [flags]" : "")}", "", "       ");
        var described = command.Subcommands is [var only] ? only : command;
        if (described != command)
            Section(text, "Commands", [(Usage(described), described.Description ?? "")]);
        if (described.Arguments.Count > 0)
            Section(text, "Arguments", described.Arguments.Select(static argument => (Name(argument), argument.Description ?? "")));
        if (command.Options.Count > 0)
            Section(text, "Flags", command.Options.Select(option => LineOf(command, option)));
        text.Append("\nAll flags: veil --help\n");
        return text.ToString();
    }

    /// <summary>A flag as a command takes it: not each form of output is one of each command.</summary>
    public static (string Term, string Text) LineOf(Command command, Option option) => (command.Name, option.Name) switch
    {
        ("top", "--output") => ("-o, --output text|json", "the screen, or with --once and elsewhere tables, as text or as JSON [text]"),
        ("replay", "--output") => (
            "-o, --output text|json|folded|strace|tree",
            "the form of an event: columns, one JSON object a line, of system calls as strace -f -o FILE writes them; of process a tree at the end; " +
            "of counts by a stack the lines that flame graphs are made of [text]"),
        _ => Line(option),
    };

    /// <summary>A command with those that it belongs to: <c>config validate</c>.</summary>
    public static string FullName(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault(static parent => parent is not RootCommand) is { } parent
            ? $"{FullName(parent)} {command.Name}" : command.Name;

    /// <summary>A command with its arguments.</summary>
    public static string Usage(Command command) => command.Subcommands is [var only]
        ? Usage(only)
        : string.Join(
            ' ', command.Arguments.Select(
            static argument => argument.Arity.MinimumNumberOfValues == 0 ? $"[{Name(argument)}]" : Name(argument))
            .Prepend(FullName(command)));

    /// <summary>An option with its names and its value.</summary>
    public static string Names(Option option)
    {
        var names = option.Aliases.Append(option.Name).Distinct(StringComparer.Ordinal).OrderBy(static name => name.Length)
            .ThenBy(static name => name, StringComparer.Ordinal);
        string value = option.HelpName is { } name && option.Arity.MaximumNumberOfValues > 0 ? " " + name : "";
        return string.Join(", ", names) + value;
    }

    private static string Name(Argument argument) => argument.Arity.MaximumNumberOfValues > 1 ? argument.Name + "…" : argument.Name;

    private static (string Term, string Text) Line(Option option) => (Names(option), option.Description ?? "");

    private static void Examples_(StringBuilder text, IEnumerable<Example> examples)
    {
        text.Append("\nExamples\n");
        foreach (var example in examples)
        {
            // A line that is broken can still be copied into a shell.
            var lines = WordWrap.Lines(example.Command, Columns - 6);
            for (int i = 0; i < lines.Count; i++)
                text.Append(i == 0 ? "  " : "    ").Append(lines[i]).Append(i < lines.Count - 1 ? " \\\n" : "\n");
            Paragraph(text, example.Meaning, "      ", "      ");
        }
    }

    private static void Paragraph(StringBuilder text, string words, string firstIndent, string indent)
    {
        string start = firstIndent;
        foreach (string line in WordWrap.Lines(words, Columns - indent.Length))
        {
            text.Append(start).Append(line).Append('\n');
            start = indent;
        }
    }

    private static void Section(StringBuilder text, string title, IEnumerable<(string Term, string Text)> lines)
    {
        int termColumns = Columns < NarrowBelow ? NarrowTermColumns : TermColumns;
        text.Append('\n');
        Paragraph(text, title, "", "");
        foreach (var (term, meaning) in lines)
        {
            string start = $"  {term}".PadRight(termColumns);
            if (start.Length > termColumns)
            {
                Paragraph(text, term, "  ", "    ");
                start = new string(' ', termColumns);
            }

            foreach (string line in WordWrap.Lines(meaning, Columns - termColumns - 1))
            {
                text.Append($"{start} {line}".TrimEnd()).Append('\n');
                start = new string(' ', termColumns);
            }
        }
    }

    /// <summary>Prints the help of the command that was given, or of the modules.</summary>
    internal sealed class Action(TraceFlags flags, RootCommand root) : SynchronousCommandLineAction
    {
        /// <summary>Who asks how it is written need not have written it.</summary>
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            if (parseResult.CommandResult.Command is var command && command != root)
            {
                StandardStreams.WriteOutput(Of(command));
                return 0;
            }

            string[] named = [.. (parseResult.GetValue(flags.Module) ?? []).SelectMany(static value => value.Split(','))];
            StandardStreams.WriteOutput(
                named.Length == 0 ? Whole(flags, root)
                : string.Join('\n', named.Distinct(StringComparer.Ordinal).Select(name => Of(TraceCommand.Module(name), flags))));
            return 0;
        }
    }
}
