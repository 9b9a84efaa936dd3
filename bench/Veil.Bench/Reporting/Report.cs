// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Bench.Processes;

namespace Veil.Bench.Reporting;

/// <summary>What a run printed, for the screen and for the page that keeps the last one.</summary>
internal sealed class Report
{
    private readonly StringBuilder _said = new();

    internal void Say(string text)
    {
        Console.WriteLine(text);
        _said.Append(text).Append('\n');
    }

    /// <summary>Puts it between the two marks of a page, in place of the run before.</summary>
    /// <param name="path">The page, or nothing.</param>
    /// <param name="part">The marks' name: <c>&lt;!-- bench part --&gt;</c> and <c>&lt;!-- /bench part --&gt;</c>.</param>
    internal void Save(string? path, string part)
    {
        if (path is null)
            return;
        string page = File.ReadAllText(path), begin = $"<!-- bench {part} -->\n", end = $"<!-- /bench {part} -->";
        int from = page.IndexOf(begin, StringComparison.Ordinal), to = page.IndexOf(end, StringComparison.Ordinal);
        if (from < 0 || to < from)
            throw new BenchException($"saving the figures: {path} has no '<!-- bench {part} -->' and '<!-- /bench {part} -->'");
        File.WriteAllText(path, $"{page[..(from + begin.Length)]}```\n{_said.ToString().TrimEnd()}\n```\n{page[to..]}");
    }
}
