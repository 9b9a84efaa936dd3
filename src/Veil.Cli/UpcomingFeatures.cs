namespace Veil.Cli;

/// <summary>
/// What the contract names and this build lacks: said as such, so that nobody looks for a typing error. It shrinks to nothing.
/// </summary>
internal static class UpcomingFeatures
{
    private static readonly string[] s_modules = ["files", "network", "scheduler", "memory"];

    private static readonly Dictionary<string, string> s_filterFlags = new(StringComparer.Ordinal)
    {
        ["--port"] = "network",
        ["--op"] = "files",
        ["--file"] = "files",
        ["--cpu"] = "scheduler",
        ["--fault"] = "memory",
    };

    private static readonly string[] s_flags = ["--count", "--count-by", "--top", "--control", "--config", "--profile", "--list-modules"];

    /// <summary>Modules that are planned.</summary>
    public static IReadOnlyList<string> Modules => s_modules;

    /// <summary>The error for a planned flag, or nothing.</summary>
    public static string? FlagHint(string flag)
    {
        if (s_filterFlags.TryGetValue(flag, out string? module))
            return $"{flag}: only the module {module} has it, and this build does not have that module yet";
        return s_flags.Contains(flag) ? $"{flag}: this build does not have it yet" : null;
    }
}
