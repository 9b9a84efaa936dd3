// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The value of <c>--output</c>, of every command that has it.</summary>
internal static class OutputFormats
{
    /// <summary>Reads it; text where it was not given.</summary>
    /// <param name="value">As given.</param>
    /// <param name="isTrace">Whether the command traces: it has <c>--write</c> too, the form of strace and the tree of processes.</param>
    public static OutputFormat Parse(string? value, bool isTrace = false) => value switch
    {
        null or "text" => OutputFormat.Text,
        "json" => OutputFormat.Json,
        "strace" when isTrace => OutputFormat.Strace,
        "tree" when isTrace => OutputFormat.Tree,
        "folded" when isTrace => OutputFormat.Folded,
        "none" when isTrace => OutputFormat.None,
        _ => throw new UsageException(
            $"--output: unknown format '{Escaping.ForMessage(value)}'{Hint(value, isTrace)} (available: " +
            $"{string.Join(", ", Names(isTrace))})"),
    };

    /// <summary>What it can be.</summary>
    /// <param name="isTrace">Whether the command traces.</param>
    public static string[] Names(bool isTrace) => isTrace ? ["text", "json", "folded", "strace", "tree", "none"] : ["text", "json"];

    // With strace and others -o takes a file.
    private static string Hint(string value, bool isTrace) => isTrace && value.AsSpan().ContainsAny('.', '/')
        ? $"; to write to a file: --write {Escaping.ForMessage(value)}"
        : NearestName.Hint(value, Names(isTrace));
}
