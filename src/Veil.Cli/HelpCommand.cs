// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Cli.Help;
using Veil.Core;
using Veil.Core.Output;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>veil help [WORD…]</c>: questions by symptom, or help of a module, command, flag or topic.</summary>
internal static class HelpCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(TraceFlags flags, RootCommand root)
    {
        var word =
            new Argument<string[]>(
            "WORD")
            {
                Description = "a module, a command, a flag or a topic; without one, questions with the command that answers each",
                Arity = ArgumentArity.ZeroOrMore
            };
        var command = new Command("help", "help by question, or of a module, command, flag or topic") { word };
        command.SetAction(parsed =>
        {
            StandardStreams.WriteOutput(Text(parsed.GetValue(word) ?? [], flags, root));
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Is a flag asked about, and not given?</summary>
    public static bool IsAboutFlag(string[] args) => args is ["help", .. var words] && words.Any(static word => word.StartsWith('-'))
        && !words.Any(static word => word is "--help" or "-h" or "-?");

    /// <summary>The help of what the words name.</summary>
    /// <exception cref="UsageException">Nothing has that name.</exception>
    public static string Text(string[] words, TraceFlags flags, RootCommand root) => words switch
    {
        [] => HelpText.Questions(root),
        [var name] when HelpTopics.Topics.Any(topic => topic.Name == name) => HelpText.OfTopic(name, flags, root),
        [var name] when ModuleCatalog.All.FirstOrDefault(module => module.Name == name) is { } module => HelpText.Of(module, flags),
        [var name, .. var rest] when HelpText.Commands(root).FirstOrDefault(known => known.Name == name) is { } known =>
            HelpText.Of(Below(known, rest)),
        [var name] when Habits.Module(name) is { } instead => $"{name}: {instead}\n",
        [var name] when FlagOf(name, root) is { } option => HelpText.Of(option, flags),
        [var name, var more, ..] when IsKnown(name, root) =>
            throw new UsageException($"help: '{Escaping.ForMessage(more)}' is one word too many after '{Escaping.ForMessage(name)}'"),
        [var name, ..] =>
            throw new UsageException(
            $"help: unknown topic '{Escaping.ForMessage(name)}'{Near(name, root)} (available: " +
            $"{string.Join(", ", Words(root))}, or a flag)"),
    };

    // A flag's name only where no other word is near.
    private static string Near(string name, RootCommand root) =>
        NearestName.Hint(name, Words(root)) is { Length: > 0 } hint ? hint : NearestName.Hint(name, [.. FlagNames(root, name)]);

    private static bool IsKnown(string name, RootCommand root) => Words(root).Contains(name) || FlagOf(name, root) is not null;

    // With its dashes or without.
    private static Option? FlagOf(string name, RootCommand root) =>
        root.Options.FirstOrDefault(
            option => option.Aliases.Append(option.Name).Any(known => known == name || known.TrimStart('-') == name));

    private static IEnumerable<string> FlagNames(RootCommand root, string asWritten) =>
        root.Options.Select(option => asWritten.StartsWith('-') ? option.Name : option.Name.TrimStart('-'));

    private static Command Below(Command command, ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            var names = command.Subcommands.Select(static known => known.Name).ToList();
            command = command.Subcommands.FirstOrDefault(known => known.Name == word)
                ?? throw new UsageException(
                    $"help: {HelpText.FullName(command)}: unknown command " +
                    $"'{Escaping.ForMessage(word)}'{NearestName.Hint(word, names)}{(names.Count > 0 ? $" (available: {string.Join(", ", names)})" : "")}");
        }

        return command;
    }

    /// <summary>What there is help of, beside flags.</summary>
    public static List<string> Words(RootCommand root) =>
    [
        .. ModuleCatalog.All.Select(static module => module.Name), .. HelpText.Commands(root).Select(static command => command.Name),
        .. HelpTopics.Topics.Select(static topic => topic.Name).Where(static name => name != HelpTopics.Control),
    ];
}
