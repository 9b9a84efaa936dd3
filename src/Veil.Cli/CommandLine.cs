using System.CommandLine;
using System.CommandLine.Parsing;
using Veil.Core;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>From words to a command.</summary>
internal static class CommandLine
{
    /// <summary>Parses and runs; the exit code.</summary>
    public static int Run(string[] args)
    {
        var flags = new TraceFlags();
        var root = new RootCommand(
            "Shows what the Linux kernel does for your processes, with the filters in the kernel.\n\n" +
            "In bash, '!' needs single quotes: --syscall '!ioctl'. A comma separates values, a repeated flag adds to its list.\n" +
            "Exit codes: 0 done, 1 could not run or write, 2 usage, 3 events lost (with --fail-on-loss).\n\n" +
            "Examples:\n" +
            "  veil --module syscall -p $(pidof nginx) --syscall '!ioctl'\n" +
            "  veil --module syscall --name postgres --returns --output json | jq .\n" +
            "  veil --module syscall --uid www-data --fields comm,pid,syscall");
        foreach (var option in flags.All)
            root.Add(option);
        root.SetAction(result => TraceCommand.Run(result, flags));

        // No response files: @ begins many a value, and never a file name here.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            throw new UsageException(Explain(parsed, root));
        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static string Explain(ParseResult parsed, RootCommand root)
    {
        if (parsed.UnmatchedTokens is [var word, ..])
        {
            if (!word.StartsWith('-'))
                return $"unexpected word '{Escaping.ForMessage(word)}'; see veil --help";
            string flag = word.Split('=')[0];
            if (UpcomingFeatures.FlagHint(flag) is { } hint)
                return hint;
            var names = root.Options.SelectMany(static option => option.Aliases.Append(option.Name)).Where(static name => name.StartsWith("--", StringComparison.Ordinal));
            var near = NearestName.Find(flag, names);
            return $"no flag '{Escaping.ForMessage(flag)}'{(near.Count > 0 ? $"; did you mean '{near[0]}'?" : "")}; see veil --help";
        }

        var error = parsed.Errors[0];
        if (error.SymbolResult is OptionResult { IdentifierToken: { } token, Option: { } option } result && result.Tokens.Count == 0)
            return $"{token.Value}: a value is missing ({option.HelpName})";
        if (error.SymbolResult is OptionResult { Option: { } repeated, Tokens.Count: > 1 })
            return $"{repeated.Name}: given more than once, but it takes one value";
        return Escaping.ForMessage(error.Message);
    }
}
