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
    /// <param name="canWrite">Whether the command has <c>--write</c> too.</param>
    public static OutputFormat Parse(string? value, bool canWrite = false) => value switch
    {
        null or "text" => OutputFormat.Text,
        "json" => OutputFormat.Json,
        _ => throw new UsageException($"--output: unknown format '{Escaping.ForMessage(value)}'{Hint(value, canWrite)} (available: text, json)"),
    };

    // With strace and others -o takes a file.
    private static string Hint(string value, bool canWrite) => canWrite && value.AsSpan().ContainsAny('.', '/')
        ? $"; to write to a file: --write {Escaping.ForMessage(value)}"
        : Messages.Suggest(value, ["text", "json"]);
}
