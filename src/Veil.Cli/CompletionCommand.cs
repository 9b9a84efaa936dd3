// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using Veil.Cli.Config;
using Veil.Cli.Help;
using Veil.Core;
using Veil.Core.Control;
using Veil.Core.Counting;
using Veil.Core.Filters;
using Veil.Core.Formats;
using Veil.Core.Modules;
using Veil.Core.Output;
using Veil.Core.Text;
using Veil.Modules;

namespace Veil.Cli;

/// <summary><c>veil completion SHELL</c>: a thin script that asks <c>veil __complete WORDS…</c> at each TAB, so that it never
/// ages.</summary>
internal static class CompletionCommand
{
    /// <summary>The hidden command: the words after <c>veil</c>, the last of them the one under the cursor; a candidate a line.</summary>
    public const string Hidden = "__complete";

    private static readonly Dictionary<string, string> s_scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            # veil completion bash > /etc/bash_completion.d/veil
            _veil() {
                local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]}
                # bash cuts words at = and :, and wants back only what is behind the last cut.
                [[ $word == = ]] && word=
                COMPREPLY=($(veil __complete "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word" 2>/dev/null))
            }
            complete -o default -F _veil veil

            """,
        ["zsh"] = """
            #compdef veil
            # veil completion zsh > "${fpath[1]}/_veil"
            _veil() {
                local -a candidates
                candidates=("${(@f)$(veil __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
                if [[ -n ${candidates[1]} ]]; then
                    compadd -- "${candidates[@]}"
                else
                    _files
                fi
            }
            compdef _veil veil

            """,
        ["fish"] = """
            # veil completion fish > ~/.config/fish/completions/veil.fish
            complete -c veil -a '(veil __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'

            """,
    };

    /// <summary>The command for the parser.</summary>
    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = string.Join(", ", s_scripts.Keys) };
        var command = new Command("completion", "print the completion script of a shell: bash, zsh, fish") { shell };
        command.SetAction(parsed =>
        {
            string name = parsed.GetValue(shell)!;
            if (!s_scripts.TryGetValue(name, out string? script))
                throw new UsageException(
                    $"completion: no script for '{Escaping.ForMessage(name)}'{NearestName.Hint(name, [.. s_scripts.Keys])} (available: " +
                    $"{string.Join(", ", s_scripts.Keys)})");
            StandardStreams.WriteOutput(script);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Prints the candidates.</summary>
    /// <param name="words">After <c>veil</c>; the last is what is to be completed, and may be empty.</param>
    public static void Complete(string[] words)
    {
        foreach (string candidate in Candidates(words))
            StandardStreams.WriteOutput(Escaping.Visible(candidate) + "\n");
    }

    /// <summary>What the last word may become.</summary>
    internal static IEnumerable<string> Candidates(string[] words)
    {
        string word = words.Length > 0 ? words[^1] : "";
        string[] before = words.Length > 0 ? words[..^1] : [];
        var flags = new TraceFlags();
        switch (before)
        {
            case ["completion"]:
                return StartingWith(word, s_scripts.Keys);
            // The words of the command that is to be run; its files are the shell's to complete.
            case [['-', ..], ..] when before.Contains("--"):
                return [];
            case ["help"]:
                return StartingWith(
                    word, word.StartsWith('-') ? flags.All.Select(static option => option.Name)
                    : HelpCommand.Words(CommandLine.Create(new TraceFlags())));
            case ["config"]:
                return StartingWith(word, ["validate"]);
            case ["export", .., "--to"]:
                return StartingWith(word, ExportFormats.All.Select(static format => format.Name));
            case ["export", ..] when word.StartsWith('-') && !word.Contains('=', StringComparison.Ordinal):
                return StartingWith(
                    word, CommandLine.Create(flags).Subcommands.First(static command => command.Name == "export").Options
                        .Select(static option => option.Name).Append("--help"));
            case ["control", _]:
                return StartingWith(word, ControlCommands.Names.Append("watch"));
            case ["control", ..]:
                return [];
            case ["doctor", ..]:
                return before[^1] is "--output" or "-o" ? StartingWith(word, OutputFormats.Names(isTrace: false))
                    : StartingWith(word, ["--output", "--help"]);
        }

        if (word.StartsWith('-') && word.IndexOf('=', StringComparison.Ordinal) is var equals)
        {
            if (equals < 0)
                return StartingWith(word, flags.All.Select(static option => option.Name).Append("--help").Append("--version"));
            string name = word[..equals];
            return Values(Find(flags, name), name, word[(equals + 1)..], before, flags).Select(value => $"{name}={value}");
        }

        int flag = Array.FindLastIndex(before, static earlier => earlier.StartsWith('-'));
        var option = flag < 0 ? null : Find(flags, before[flag]);
        bool takesThis = option is Option<string[]> || (option is Option<string> && flag == before.Length - 1);
        if (takesThis)
            return Values(option, before[flag], word, before, flags);
        return flag < 0 && before.Length == 0
            ? StartingWith(word, HelpText.Commands(CommandLine.Create(new TraceFlags())).Select(static command => command.Name)) : [];
    }

    private static Option? Find(TraceFlags flags, string name) =>
        flags.All.FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));

    private static IEnumerable<string> Values(Option? option, string name, string word, string[] before, TraceFlags flags)
    {
        if (option is null)
            return [];
        // Of a list only its last part is looked at, and `!` stays before it.
        int part = word.LastIndexOf(',') + 1;
        if (part < word.Length && word[part] == '!')
            part++;
        string head = word[..part];
        return StartingWith(word[part..], NamesFor(option, before, flags)).Select(value => head + value);
    }

    private static IEnumerable<string> NamesFor(Option option, string[] before, TraceFlags flags)
    {
        if (option == flags.Module || option == flags.ListFields)
            return ModuleCatalog.All.Select(static module => module.Name);
        if (option == flags.Output)
            return OutputFormats.Names(isTrace: true);
        if (option == flags.Enrich)
            return ["time", "user", "proc", "parent", "cgroup", "container", "why", "all"];
        if (option == flags.Hook)
            return Chosen(before).SelectMany(static module => module.Rungs).Select(static rung => rung.Name)
                .Distinct(StringComparer.Ordinal);
        if (option == flags.Fields)
            return Chosen(before).SelectMany(module => ListCommand.FieldsOf(module)).Select(static field => field.Name)
                .Distinct(StringComparer.Ordinal);
        if (option == flags.Sort)
            return CountOptions.SortNames;
        if (option == flags.CountBy || option == flags.Histogram || option == flags.Sum)
            return Chosen(before).SelectMany(module => CountOptions.FieldNames(module, quantities: option != flags.CountBy))
                .Distinct(StringComparer.Ordinal);
        if (option == flags.Profile)
            return Profiles(before);
        FilterDimension? dimension = flags.Filters.FirstOrDefault(filter => filter.Value == option).Key;
        return dimension?.KeyNames() ?? [];
    }

    // Of the file that the line names.
    private static IReadOnlyList<string> Profiles(string[] words)
    {
        int at = Array.FindIndex(words, static word => word == "--config" || word.StartsWith("--config=", StringComparison.Ordinal));
        string? path = at < 0 ? null : words[at].Contains('=', StringComparison.Ordinal) ? words[at]["--config=".Length..]
            : words.ElementAtOrDefault(at + 1);
        try
        {
            return path is null or "-" ? [] : ConfigFile.Read(path).Profiles;
        }
        catch (UsageException)
        {
            return [];
        }
    }

    // The modules that the line names already; all where it names none yet.
    private static IEnumerable<TraceModule> Chosen(string[] words)
    {
        var named = words.SelectMany(static word => word[(word.IndexOf('=', StringComparison.Ordinal) + 1)..].Split(','))
            .ToHashSet(StringComparer.Ordinal);
        var chosen = ModuleCatalog.All.Where(module => named.Contains(module.Name)).ToList();
        return chosen.Count > 0 ? chosen : ModuleCatalog.All;
    }

    private static IEnumerable<string> StartingWith(string word, IEnumerable<string> names) =>
        names.Where(name => name.StartsWith(word, StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
