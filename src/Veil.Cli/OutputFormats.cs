using Veil.Core;
using Veil.Core.Sinks;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>The value of <c>--output</c>, of every command that has it.</summary>
internal static class OutputFormats
{
    /// <summary>Reads it; text where it was not given.</summary>
    public static OutputFormat Parse(string? value) => value switch
    {
        null or "text" => OutputFormat.Text,
        "json" => OutputFormat.Json,
        _ => throw new UsageException($"--output: '{Escaping.ForMessage(value)}' is no form of output (text, json){Messages.Suggest(value, ["text", "json"])}"),
    };
}
