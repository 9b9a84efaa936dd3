// SPDX-License-Identifier: GPL-3.0-only
using System.CommandLine;
using System.Text;
using Veil.Modules;

namespace Veil.Cli.Help;

/// <summary>veil(1), in man(7)'s macros, from what the help is made of. <c>make man</c> writes it to docs/veil.1, and a test holds the two
/// together.</summary>
internal static class ManPage
{
    /// <summary>The hidden command that prints it.</summary>
    public const string Hidden = "__man";

    /// <summary>The page.</summary>
    public static string Text(TraceFlags flags, RootCommand root)
    {
        var page = new StringBuilder();
        page.Append($".TH VEIL 1 \"\" \"Veil {typeof(ManPage).Assembly.GetName().Version!.ToString(3)}\" \"User Commands\"\n");
        page.Append(".SH NAME\nveil \\- show what the Linux kernel does for processes\n");
        page.Append(
            ".SH SYNOPSIS\n.nf\n\\fBveil \\-\\-module\\fR \\fINAME\\fR,... [\\fIfilters\\fR] [\\fIoptions\\fR]\n\\fBveil\\fR " +
            "[\\fIoptions\\fR] \\-\\- \\fICMD ARG\\fR...\n");
        foreach (var command in HelpText.Commands(root))
            page.Append($"\\fBveil\\fR {Roff(HelpText.Usage(command))}\n");
        page.Append(
            ".fi\n.SH DESCRIPTION\n.B veil\nattaches BPF programs to hooks in the kernel and prints a line, or a JSON " +
            "object, for each event.\n");
        page.Append("Filters are decided in the kernel.\nEvents go to standard output, everything else to standard error.\n");
        page.Append(".SH MODULES\n");
        foreach (var module in ModuleCatalog.All)
        {
            page.Append($".SS {Roff(module.Name)}\n{Sentence(module.Summary)}\n");
            page.Append(
                $"Fields: {Roff(string.Join(", ", ListCommand.FieldsOf(module).Where(static field => field.Needs?.StartsWith("--enrich", StringComparison.Ordinal) != true).Select(static field => field.Name)))}.\n");
            page.Append(
                $"Hooks, best first: {Roff(string.Join("; ", module.Rungs.Select(static rung => $"{rung.Name} ({rung.Description})")))}.\n");
        }

        page.Append(".SH OPTIONS\nA comma separates the values of a list, and a repeated flag adds to its list.\n");
        foreach (var (title, options) in flags.Groups)
        {
            page.Append($".SS {Roff(title)}\n");
            foreach (var option in options)
                page.Append($".TP\n\\fB{Roff(HelpText.Names(option))}\\fR\n{Sentence(option.Description ?? "")}\n");
        }

        page.Append(".SH COMMANDS\n");
        foreach (var command in HelpText.Commands(root))
            page.Append($".TP\n\\fB{Roff(HelpText.Usage(command))}\\fR\n{Sentence(command.Description ?? "")}\n");
        page.Append(".SH EXIT STATUS\n");
        foreach (var (code, meaning) in HelpText.ExitCodes)
            page.Append($".TP\n{code}\n{Sentence(meaning)}\n");
        page.Append(
            ".SH ENVIRONMENT\n.TP\n.BR NO_COLOR \", \" TERM\nNo colour where\n.B NO_COLOR\nis set and not empty, or\n.B TERM\nis dumb or " +
            "not set. Never colour outside of a terminal.\n");
        page.Append(".TP\n.B TZ\nTime zone of wall-clock time in text.\n");
        page.Append(".SH EXAMPLES\n");
        foreach (var example in HelpText.Examples)
            page.Append($".TP\n{Roff(example.Command)}\n{Sentence(example.Meaning)}\n");
        page.Append(".SH NOTES\nNeeds Linux 5.8 or later with BTF, and root or the capabilities\n.B CAP_BPF\nand\n.BR CAP_PERFMON .\n");
        page.Append(".SH SEE ALSO\n.BR strace (1),\n.BR bpftrace (8),\n.BR capabilities (7)\n");
        return page.ToString();
    }

    private static string Sentence(string text)
    {
        string roff = Roff(text);
        return roff.EndsWith('.') ? roff : roff + ".";
    }

    // A dash that can be copied into a shell, an apostrophe that is one, and no line that begins a macro.
    private static string Roff(string text)
    {
        string plain = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)
            .Replace("'", "\\(aq", StringComparison.Ordinal).Replace("…", "...", StringComparison.Ordinal);
        return plain.StartsWith('.') ? "\\&" + plain : plain;
    }
}
