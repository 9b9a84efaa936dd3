using Veil.Core.Session;

namespace Veil.Cli;

/// <summary>Lines for the user, on standard error so that the output stays clean.</summary>
internal static class Messages
{
    /// <summary>Writes <c>veil: TEXT</c>, whole. A closed standard error is no reason to stop tracing.</summary>
    public static void Write(string text) => StandardStreams.WriteError($"veil: {text}\n");
}
