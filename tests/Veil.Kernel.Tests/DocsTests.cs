// SPDX-License-Identifier: GPL-3.0-only
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Veil.Kernel.Tests;

/// <summary>The console blocks of the README and the docs: what stands there is what the commands print, but for numbers.</summary>
public sealed partial class DocsTests
{
    // By how the command begins, without sudo and the path.
    private static readonly Dictionary<string, string> s_notRun = new(StringComparer.Ordinal)
    {
        ["veil --module files --errno EACCES --enrich why"] = "only root can be another user: WhyTests",
        ["veil --module files --name shop"] = "made by a program of its own, on a terminal",
        ["veil --module syscall --name shop"] = "the same",
        ["veil --module files --errno EACCES,EPERM"] = "the same",
        ["veil --module files --name ls --op open"] = "on a terminal: ScreenTests",
        ["veil --module syscall -n burst --buffer 64K"] = "how much is lost is the machine's",
        ["veil doctor"] = "what is possible is the machine's",
        ["veil --module syscall,files -p 812 --control"] = "one trace over several commands: ControlTests",
        ["veil control /run/veil.sock"] = "the same",
        ["veil --module files --op read --hist bytes"] = "without output",
        ["veil --module scheduler --hist wait_ns"] = "without output",
        ["veil --module syscall --returns --hist duration_ns"] = "what the machine did",
        ["veil top"] = "what the machine did: TopTests",
        ["veil --module files --op read --count-by comm"] = "what the machine did",
        ["veil --returns --count --top 3 -- make"] = "what the command did",
        ["veil -m syscall -n shop --budget"] = "what the machine did: BudgetTests",
        ["veil --module files --slower 20ms"] = "what the machine did: ThresholdTests",
    };

    public static TheoryData<string> Runnable =>
        [.. Blocks().Select(static block => block.Command).Where(static command => !IsLeftOut(command)).Distinct()];

    [Theory]
    [MemberData(nameof(Runnable))]
    public void Console_EachBlock_IsWhatTheCommandPrints(string command)
    {
        var printed = Run(command).Select(Masked).ToHashSet(StringComparer.Ordinal);
        foreach (
            string line in Blocks().Where(block => block.Command == command).SelectMany(static block => block.Lines)
            .Where(static line => line is not ("" or "..." or "…")))
            printed.ShouldContain(Masked(line), line);
    }

    [Fact]
    public void Console_BlocksThatAreNotRun_AreThere()
    {
        foreach (string command in s_notRun.Keys)
            Blocks().ShouldContain(block => block.Command.StartsWith(command, StringComparison.Ordinal), command);
        Runnable.Count.ShouldBeGreaterThan(5);
    }

    private static string[] Run(string command)
    {
        bool isRefused =
            command.Contains("pdi", StringComparison.Ordinal), isFull = command.EndsWith("> /dev/full", StringComparison.Ordinal);
        string[] words = [.. command.Split(" > ")[0].Split(' ').Skip(1)];
        if (isRefused)
            return VeilRun.ToEnd(words).Errors.Split('\n');

        if (words.Contains("--"))
            return VeilRun.ToEnd(words).Errors.Split('\n');

        using var workload = command switch
        {
            _ when command.Contains("-p 31308", StringComparison.Ordinal) => Workload.Waiting("renamer", "61203d22e280ae"),
            _ when command.Contains("-n burst", StringComparison.Ordinal) => Workload.Waiting("burst", "10000"),
            _ when command.Contains("-p 27347", StringComparison.Ordinal) => Workload.Waiting("hold", "50"),
            _ => null,
        };
        words = [.. words.Select(word => word is "27347" or "31308" ? workload!.Pid : word)];
        using var veil = isFull ? VeilRun.AttachInto("/dev/full", words) : VeilRun.Attach(words);
        if (workload is not null)
            workload.Go();
        else
            Process.Start(new ProcessStartInfo("cat", ["/etc/hostname"]) { RedirectStandardOutput = true })!.WaitForExit();
        if (isFull)
            veil.WaitForExit();
        else
            veil.Stop();
        return [.. veil.Lines, .. veil.Errors.Split('\n')];
    }

    private static List<(string Command, List<string> Lines)> Blocks()
    {
        var blocks = new List<(string, List<string>)>();
        foreach (string file in (string[])["README.md", "docs/usage.md"])
        {
            List<string>? lines = null;
            bool isConsole = false;
            foreach (string raw in File.ReadLines(Path.Combine(Repository.Root, file)))
            {
                string line = raw.TrimStart();
                if (line.StartsWith("```", StringComparison.Ordinal))
                {
                    isConsole = line == "```console";
                    lines = null;
                }
                else if (isConsole && line.StartsWith("$ ", StringComparison.Ordinal))
                {
                    lines = [];
                    blocks.Add(
                        (line[2..].Replace("sudo ", "", StringComparison.Ordinal).Replace("./bin/veil", "veil", StringComparison.Ordinal)
                        .Split(" #")[0].Trim(), lines));
                }
                else
                {
                    lines?.Add(raw);
                }
            }
        }

        return blocks;
    }

    private static bool IsLeftOut(string command) => s_notRun.Keys.Any(start => command.StartsWith(start, StringComparison.Ordinal));

    // Numbers, how to stop, units, and the blanks that a wider number takes.
    private static string Masked(string line)
    {
        string text = line.StartsWith("veil: tracing ", StringComparison.Ordinal) ? line.Split(';')[0] : line;
        return Blanks().Replace(Numbers().Replace(text, "N"), " ").Trim();
    }

    [GeneratedRegex(@"0x[0-9a-f]+|\b-?\d[\d.:T+-]*Z?(?:ns|us|ms|s)?\b|(?<==)-\d+", RegexOptions.None, 1_000)]
    private static partial Regex Numbers();

    [GeneratedRegex(" +", RegexOptions.None, 1_000)]
    private static partial Regex Blanks();
}
