// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Control;

/// <summary>What a command came to.</summary>
/// <param name="Succeeded">It was done.</param>
/// <param name="Text">What was done, or why not; one line.</param>
/// <param name="Lines">What was asked for, where that is more than a line; then <paramref name="Text"/> is empty.</param>
public sealed record ControlAnswer(bool Succeeded, string Text, IReadOnlyList<string>? Lines = null)
{
    /// <summary>Done.</summary>
    public static ControlAnswer Ok(string text = "") => new(true, text);

    /// <summary>Not done.</summary>
    public static ControlAnswer Error(string text) => new(false, text);

    /// <summary>Several lines.</summary>
    public static ControlAnswer Listing(IReadOnlyList<string> lines) => new(true, "", lines);

    /// <summary>As the socket says it: <c>OK</c>, <c>ERR why</c>, or lines ended by a lone dot.</summary>
    public string ToProtocol() => this switch
    {
        // A line that is a dot alone would end the answer; one more dot keeps it apart, as in RFC 5321, 4.5.2.
        { Lines: { } lines } => string.Concat(lines.Select(static line => (line.StartsWith('.') ? "." : "") + line + "\n")) + ".\n",
        { Succeeded: true, Text: "" } => "OK\n",
        { Succeeded: true } => $"OK {Text}\n",
        _ => $"ERR {Text}\n",
    };
}
