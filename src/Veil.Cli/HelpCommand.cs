using System.CommandLine;
using Veil.Cli.Help;
using Veil.Core;
using Veil.Core.Session;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>veil help [WORD…]</c>: of the whole, a module, or a command.</summary>
internal static class HelpCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(TraceFlags flags, RootCommand root)
    {
        var word = new Argument<string[]>("WORD") { Description = "a module, or a command", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("help", "help, of a module or a command where one is named") { word };
        command.SetAction(parsed =>
        {
            StandardStreams.WriteOutput((parsed.GetValue(word) ?? []) switch
            {
                [] => HelpText.Whole(flags, root),
                [var name] when ModuleCatalog.All.FirstOrDefault(module => module.Name == name) is { } module => HelpText.Of(module, flags),
                [var name, .. var rest] when HelpText.Commands(root).FirstOrDefault(known => known.Name == name) is { } known => HelpText.Of(Below(known, rest)),
                [var module, var more, ..] when ModuleCatalog.All.Any(known => known.Name == module) => throw new UsageException($"help: nothing comes after a module, but there is '{Escaping.ForMessage(more)}'"),
                [var name, ..] => throw new UsageException($"help: no module and no command '{Escaping.ForMessage(name)}'{Messages.Suggest(name, Words(root))} (available: {string.Join(", ", Words(root))})"),
            });
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Below(Command command, ReadOnlySpan<string> words)
    {
        foreach (string word in words)
        {
            var names = command.Subcommands.Select(static known => known.Name).ToList();
            command = command.Subcommands.FirstOrDefault(known => known.Name == word)
                ?? throw new UsageException($"help: {HelpText.FullName(command)} has no command '{Escaping.ForMessage(word)}'{Messages.Suggest(word, names)}{(names.Count > 0 ? $" (available: {string.Join(", ", names)})" : "")}");
        }

        return command;
    }

    /// <summary>What there is help of.</summary>
    public static List<string> Words(RootCommand root) => [.. ModuleCatalog.All.Select(static module => module.Name), .. HelpText.Commands(root).Select(static command => command.Name)];
}
