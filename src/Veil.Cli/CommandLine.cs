// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using Veil.Cli.Help;
using Veil.Cli.Top;
using Veil.Core;
using Veil.Core.Output;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>From words to a command.</summary>
internal static class CommandLine
{
    private const string Version = "--version";

    /// <summary>Parses and runs; the exit code.</summary>
    public static int Run(string[] args)
    {
        // Its words are another command line's, half typed: none of them is a mistake.
        if (args is [CompletionCommand.Hidden, ..])
        {
            CompletionCommand.Complete(args[1..]);
            return ExitCode.Success;
        }

        var flags = new TraceFlags();
        var root = Create(flags);
        if (args is [DocTables.Hidden, .. var files])
        {
            DocTables.Write(files);
            return ExitCode.Success;
        }

        if (args is [ManPage.Hidden])
        {
            StandardStreams.WriteOutput(ManPage.Text(flags, root));
            return ExitCode.Success;
        }

        if (args.Length == 0)
            throw new UsageException(HelpText.Starters());
        args = StartedCommand.TakeFrom(args);
        if (HelpCommand.IsAboutFlag(args))
        {
            StandardStreams.WriteOutput(HelpCommand.Text(args[1..], flags, root));
            return ExitCode.Success;
        }

        // Who asks for help gets it, whatever else is there and in whatever order.
        if (args.Any(static arg => arg is "--help" or "-h" or "-?"))
            args = [.. args.Where(static arg => arg != Version)];

        if (args.Length > 0)
            Habits.Answer(args, root);
        args = StartedCommand.AddDefaults(args);
        RefuseUnknownFlags(args, root);
        if (args.Length > 1 && args.Contains(Version))
            throw new UsageException($"{Version}: stands alone; leave the rest out");

        // No response files: @ begins many a value, and never a file name here.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            throw new UsageException(Explain(parsed));
        var command = parsed.CommandResult.Command;
        if (command != root && flags.All.Except(command.Options).FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } ignored)
            throw new UsageException(
                $"{ignored.Name}: is for tracing, and {HelpText.FullName(command)} traces nothing; leave one of them out");
        using var said = new StringWriter();
        int code =
            parsed.Invoke(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = said });
        StandardStreams.WriteOutput(said.ToString());
        return code;
    }

    /// <summary>The whole command line.</summary>
    internal static RootCommand Create(TraceFlags flags)
    {
        var root = new RootCommand("Shows what the Linux kernel does for your processes. Filters are decided in the kernel.");
        root.Options.Clear();
        foreach (var option in flags.All)
            root.Add(option);
        root.Add(
            new HelpOption(
            "--help", "-h", "-?")
            { Description = "help, of the modules that are named", Action = new HelpText.Action(flags, root) });
        root.Add(new VersionOption(Version) { Description = "the version, commit and date", Action = new VersionText.Action() });
        root.Add(DoctorCommand.Create());
        root.Add(StuckCommand.Create());
        root.Add(WhyCommand.Create());
        root.Add(TopCommand.Create(flags));
        root.Add(ControlCommand.Create());
        root.Add(ReplayCommand.Create(flags));
        root.Add(ExportCommand.Create(flags));
        root.Add(RecordInfoCommand.Create());
        root.Add(DiffCommand.Create());
        root.Add(ConfigCommand.Create());
        root.Add(CompletionCommand.Create());
        root.Add(HelpCommand.Create(flags, root));
        root.SetAction(result => ListCommand.IsAsked(result, flags) ? ListCommand.Run(result, flags) : TraceCommand.Run(result, flags));
        return root;
    }

    // A flag that takes a list takes every word after it, and would take a misspelt flag for a value.
    private static void RefuseUnknownFlags(string[] args, RootCommand root)
    {
        var options = root.Options.Concat(root.Subcommands.FirstOrDefault(command => args is [var first, ..] && first == command.Name)?.Options ?? [])
            .ToList();
        var names = options.SelectMany(static option => option.Aliases.Append(option.Name)).ToList();
        Option? waiting = null;
        foreach (var (index, arg) in args.Index())
        {
            var before = waiting;
            waiting =
                options.Find(
                option => option.Arity.MinimumNumberOfValues > 0 && (option.Name == arg || option.Aliases.Contains(arg)));
            if (arg.Length < 2 || arg[0] != '-')
                continue;
            string flag = arg.Split('=')[0];
            string? value = arg.Length > flag.Length ? arg[(flag.Length + 1)..] : index + 1 < args.Length ? args[index + 1] : null;
            if (!names.Contains(flag) && Habits.Flag(flag, value) is { } instead)
                throw new UsageException($"unknown flag '{Escaping.ForMessage(flag)}'; {instead}");
            if (value is "" && arg.EndsWith('=') && names.Contains(flag))
                throw new UsageException($"{flag}: {EmptyValue.Explain(value)}");
            bool shortFlags = arg[1] != '-';
            if (names.Contains(flag) || (shortFlags && names.Contains(flag[..2])))
            {
                if (before is not null)
                    throw new UsageException($"{before.Name}: a value is missing ({before.HelpName})");
                continue;
            }

            // Without the dashes: they are no letters that were typed right.
            var near =
                NearestName.Find(
                flag.TrimStart('-'), names.Where(static name => name.StartsWith("--", StringComparison.Ordinal))
                .Select(static name => name[2..]));
            string help = near.Count > 0 ? $"did you mean '--{near[0]}'?" : "see veil --help";
            throw new UsageException(
                $"unknown flag '{Escaping.ForMessage(flag)}'; {help} (a value that begins with '-' is written " +
                $"--flag={Escaping.ForMessage(arg)})");
        }

        // The parser takes a repeated flag without a value for the first one alone.
        if (waiting is not null)
            throw new UsageException($"{args[^1]}: a value is missing ({waiting.HelpName})");
    }

    private static string Explain(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is [var word, ..])
        {
            var current = parsed.CommandResult.Command;
            string help = current == parsed.RootCommandResult.Command ? "--help" : $"help {HelpText.FullName(current)}";
            string near = NearestName.Hint(word, [.. current.Subcommands.Select(static command => command.Name)]);
            // As other tracers take it.
            string run = current == parsed.RootCommandResult.Command && near.Length == 0 && StartedCommand.Words.Count == 0
                ? $"; a program to run stands behind two dashes: veil [flags] -- {Escaping.ForMessage(word)}" : "";
            return $"unexpected word '{Escaping.ForMessage(word)}'; see veil {help}{near}{run}";
        }

        var error = parsed.Errors[0];
        if (error.SymbolResult is OptionResult { IdentifierToken: { } token, Option: { } option } result && result.Tokens.Count == 0)
            return option.Arity.MinimumNumberOfValues > 0 ? $"{token.Value}: a value is missing ({option.HelpName})"
                : $"{token.Value}: stands alone; leave the rest out";
        if (error.SymbolResult is OptionResult { Option: { } repeated, Tokens.Count: > 1 })
            return $"{repeated.Name}: given more than once, but it takes one value";
        var command = parsed.CommandResult.Command;
        return command == parsed.RootCommandResult.Command
            ? Escaping.ForMessage(error.Message)
            : $"{HelpText.FullName(command)}: usage: veil {HelpText.Usage(command)}; see veil help {HelpText.FullName(command)}";
    }
}
