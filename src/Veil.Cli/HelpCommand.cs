using System.CommandLine;
using Veil.Cli.Help;
using Veil.Core;
using Veil.Core.Session;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>veil help [WORD]</c>: of the whole, a module, or a command.</summary>
internal static class HelpCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(TraceFlags flags, RootCommand root)
    {
        var word = new Argument<string?>("WORD") { Description = "a module or a command", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("help", "help, of a module or a command where one is named") { word };
        command.SetAction(parsed =>
        {
            string? name = parsed.GetValue(word);
            if (name is null)
                StandardStreams.WriteOutput(HelpText.Whole(flags, root));
            else if (ModuleCatalog.All.FirstOrDefault(module => module.Name == name) is { } module)
                StandardStreams.WriteOutput(HelpText.Of(module, flags));
            else if (HelpText.Commands(root).Any(known => known.Name == name))
                return root.Parse([name, "--help"]).Invoke();
            else
                throw new UsageException($"help: no module and no command '{Escaping.ForMessage(name)}'{Messages.Suggest(name, Words(root))} (there is: {string.Join(", ", Words(root))})");
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>What there is help of.</summary>
    public static List<string> Words(RootCommand root) => [.. ModuleCatalog.All.Select(static module => module.Name), .. HelpText.Commands(root).Select(static command => command.Name)];
}
