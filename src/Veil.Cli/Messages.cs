using Veil.Core.Session;
using Veil.Core.Text;

namespace Veil.Cli;

/// <summary>Lines for the user, on standard error so that the output stays clean.</summary>
internal static class Messages
{
    /// <summary>Writes <c>veil: TEXT</c>, whole. A closed standard error is no reason to stop tracing.</summary>
    public static void Write(string text) => StandardStreams.WriteError($"veil: {Safe(text)}\n");

    // Whatever a message quotes, no line that is not ours begins as one of ours. The verifier says several lines, which are kept apart.
    private static string Safe(string text) => string.Join("\n  ", text.Split('\n').Select(Escaping.Visible));

    /// <summary>"; did you mean 'x'?", or nothing where no name is near.</summary>
    public static string Suggest(string word, IReadOnlyList<string> names) =>
        NearestName.Find(word, names) is [var nearest, ..] ? $"; did you mean '{nearest}'?" : "";
}
