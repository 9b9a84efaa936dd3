// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Modules;
using Veil.Modules;

namespace Veil.Cli.Help;

/// <summary>The tables of modules in README.md and docs/, between two marks. <c>make man</c> writes them, and a test holds the two
/// together.</summary>
internal static class DocTables
{
    /// <summary>The hidden command that writes them anew into the files that it is given.</summary>
    public const string Hidden = "__tables";

    private const string End = "<!-- end -->\n";

    /// <summary>The files that have one, from the repository's root.</summary>
    public static IReadOnlyList<string> Files { get; } = ["README.md", "docs/usage.md"];

    /// <summary>Writes the tables of files anew.</summary>
    public static void Write(IEnumerable<string> files)
    {
        foreach (string file in files)
            File.WriteAllText(file, Update(File.ReadAllText(file)));
    }

    /// <summary>A text with its tables as they should be.</summary>
    public static string Update(string text) => Replace(Replace(text, "modules", Modules()), "fields", Fields());

    private static string Replace(string text, string name, string table)
    {
        string begin = $"<!-- {name}: make man -->\n";
        int start = text.IndexOf(begin, StringComparison.Ordinal);
        if (start < 0)
            return text;
        start += begin.Length;
        return text[..start] + table + text[text.IndexOf(End, start, StringComparison.Ordinal)..];
    }

    private static string Modules() => "| module | traces |\n|---|---|\n"
        + string.Concat(ModuleCatalog.All.Select(static module => $"| `{module.Name}` | {module.Summary} |\n"));

    private static string Fields() => "| module | fields beside the common ones | hooks, best first |\n|---|---|---|\n"
        + string.Concat(ModuleCatalog.All.Select(static module =>
        $"| `{module.Name}` | {FieldsOf(module)} | `{string.Join(' ', module.Rungs.Select(static rung => rung.Name))}` |\n"));

    private static string FieldsOf(TraceModule module) => string.Join("; ", ModuleFields.Of(module)
        .Where(static field => !s_common.Contains(field.Field.Name))
        .GroupBy(static field => field.Flag, static field => field.Field.Name)
        .Select(static group => $"{(group.Key is null ? "" : $"with `--{group.Key}` ")}`{string.Join(' ', group)}`"));

    private static readonly HashSet<string> s_common = ["module", "comm", "pid", "tid", "uid", "timestamp"];
}
