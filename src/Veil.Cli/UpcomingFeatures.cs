namespace Veil.Cli;

/// <summary>
/// What the contract names and this build lacks: said as such, so that nobody looks for a typing error. It shrinks to nothing.
/// </summary>
internal static class UpcomingFeatures
{
    private static readonly string[] s_flags = ["--count", "--count-by", "--top"];

    /// <summary>The error for a planned flag, or nothing.</summary>
    public static string? FlagHint(string flag) => s_flags.Contains(flag) ? $"{flag}: this build does not have it yet" : null;
}
