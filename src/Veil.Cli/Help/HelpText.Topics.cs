// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Text;
using Veil.Core.Control;
using Veil.Core.Filters;
using Veil.Core.Modules;
using Veil.Modules;

namespace Veil.Cli.Help;

/// <summary>What <c>veil help</c> prints of symptoms, topics and single flags.</summary>
internal static partial class HelpText
{
    /// <summary>Questions with their commands, and where to read on.</summary>
    public static string Questions(RootCommand root)
    {
        var text = new StringBuilder();
        Paragraph(text, root.Description!, "", "");
        Section(text, "What do you want to know? (nginx is an example)", HelpTopics.Questions);
        Section(text, "More help",
        [
            ("veil help MODULE", string.Join(", ", ModuleCatalog.All.Select(static module => module.Name))),
            ("veil help TOPIC", string.Join(", ", HelpTopics.Topics.Select(static topic => topic.Name))),
            ("veil help COMMAND", string.Join(", ", Commands(root).Select(static command => command.Name))),
            ("veil help FLAG", "one flag, with or without its dashes: veil help errno"),
            ("veil --help", "all modules, flags and commands"),
        ]);
        return text.ToString();
    }

    /// <summary>What to try first, for who gave no argument at all.</summary>
    public static string Starters()
    {
        int width = HelpTopics.Starters.Max(static entry => entry.Command.Length);
        return "say what to trace, for instance:\n"
            + string.Concat(HelpTopics.Starters.Select(entry => $"{entry.Command.PadRight(width)}  {entry.Question}\n"))
            + "more questions: veil help; all flags: veil --help";
    }

    /// <summary>The help of one flag.</summary>
    public static string Of(Option option, TraceFlags flags)
    {
        var text = new StringBuilder();
        Paragraph(text, $"{Names(option)}: {option.Description}", "", "    ");
        string name = option.Name.TrimStart('-');
        var modules =
            ModuleCatalog.All.Where(
            module => module.Filters.Any(filter => filter.Name == name) || module.Flags.Any(flag => flag.Name == name)).ToList();
        FilterDimension? filter = flags.Filters.FirstOrDefault(entry => entry.Value == option).Key;
        var facts = new List<(string, string)>();
        if (filter is not null)
        {
            // A flag of several modules may mean something else in each.
            var forms = modules.Select(module => (module.Name, Form: module.Filters.First(has => has.Name == name).AcceptedForm))
                .DistinctBy(static module => module.Form).ToList();
            string form = forms.Count > 1 ? string.Join("; ", forms.Select(static module => $"{module.Name}: {module.Form}"))
                : filter.AcceptedForm;
            facts.Add(("Value", $"{form}; '!' before it denies"));
        }


        if (modules.Count > 0)
            facts.Add(("Modules", string.Join(", ", modules.Select(static module => module.Name))));
        if (flags.Groups.FirstOrDefault(group => group.Options.Contains(option)).Title is { } title)
            facts.Add(("Group", title));
        if (facts.Count > 0)
            Section(text, "About it", facts);
        var examples =
            AllExamples.Where(example => example.Command.Split(' ').Any(word => word == option.Name || option.Aliases.Contains(word)))
            .DistinctBy(static example => example.Command).Take(3).ToList();
        if (examples.Count > 0)
            Examples_(text, examples);
        text.Append("\nAll flags: veil --help\n");
        return text.ToString();
    }

    /// <summary>The help of a topic.</summary>
    public static string OfTopic(string topic, TraceFlags flags, RootCommand root)
    {
        var text = new StringBuilder();
        switch (topic)
        {
            case HelpTopics.Filters:
                Paragraph(
                    text, "Filters choose what is traced. An event must pass every filter that is given. A filter passes what it allows " +
                    "and does not deny; one that only denies passes the rest. All are decided in the kernel.", "", "");
                foreach (
                    var (title, options) in flags.Groups.Where(
                    group =>
                    group.Options.Any(
                    option => option is Option<string[]> && option != flags.Module && flags.Filters.Values.Contains(option))))
                    Section(text, title, options.Select(Line));
                Examples_(
                    text, AllExamples.Where(static example => example.Command.Contains("'!", StringComparison.Ordinal))
                    .DistinctBy(static example => example.Command).Take(2));
                break;
            case HelpTopics.Counting:
                Paragraph(
                    text, "Events are counted in the kernel and not shown one by one: exact at any rate. The table comes at the end, or " +
                    "every --interval.", "", "");
                Section(text, "Flags", flags.Groups.First(group => group.Options.Contains(flags.Count)).Options.Select(Line));
                Section(text, "--count counts by", ModuleCatalog.All.Select(static module => (module.Name, module.CountKey)));
                Examples_(text, HelpTopics.CountingExamples);
                break;
            case HelpTopics.Losses:
                Paragraph(
                    text, "Events that cannot be delivered are counted by cause. The counts are shown while the trace runs and at its " +
                    "end; in JSON a loss is an object with \"evt_type\":\"lost\". --fail-on-loss makes a loss exit code 3.", "", "");
                Section(text, "Causes", HelpTopics.LossCauses);
                Section(text, "Flags", ((Option[])[flags.Buffer, flags.Rings, flags.FailOnLoss]).Select(Line));
                break;
            default:
                Paragraph(
                    text, "A running trace can be changed: its filters in the kernel, pause, status. CTRL-C on a terminal opens a " +
                    "prompt; --control PATH opens a socket for veil control PATH COMMAND. Both take the same commands.", "", "");
                Section(text, "Commands",
                    ControlCommands.Commands.Select(static command => ($"{command.Name} {command.Arguments}".TrimEnd(), command.Summary)));
                Section(text, "Filters (MAP; with _deny behind it what it denies)",
                    ModuleCatalog.All.SelectMany(static module => module.Filters.Select(filter => (filter.Name, Module: module.Name)))
                        .GroupBy(static filter => filter.Name)
                        .Select(static of => (of.Key, of.Count() == ModuleCatalog.All.Count ? "every module"
                            : string.Join(", ", of.Select(static filter => filter.Module))))
                        .Append(("follow", "every module, with -f: processes whose descendants are traced from now on")));
                Section(text, "Flags", ((Option[])[flags.Control, flags.ControlGroup]).Select(Line));
                text.Append('\n').Append(Of(Commands(root).First(static command => command.Name == HelpTopics.Control)));
                return text.ToString();
        }

        text.Append("\nAll flags: veil --help\n");
        return text.ToString();
    }

    private static IEnumerable<Example> AllExamples =>
    [
        .. ModuleCatalog.All.SelectMany(static module => module.Examples), .. Examples, .. HelpTopics.CountingExamples,
        .. HelpTopics.Questions.Select(static entry => new Example(entry.Command, entry.Question)),
    ];
}
