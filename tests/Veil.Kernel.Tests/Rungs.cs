using System.Text.Json;

namespace Veil.Kernel.Tests;

/// <summary>The ways of attaching that this kernel has, as <c>veil doctor</c> finds them: theories run once for each.</summary>
internal static class Rungs
{
    private static readonly Lazy<JsonElement> s_modules = new(static () =>
        JsonDocument.Parse(VeilRun.ToEnd("doctor", "--output", "json").RawOutput).RootElement.GetProperty("modules"));

    /// <summary>Best first.</summary>
    public static string[] Possible(string module) =>
        [.. All(module).Where(static rung => rung.Value.GetProperty("possible").GetBoolean()).Select(static rung => rung.Name)];

    /// <summary>Those that this kernel refuses.</summary>
    public static string[] Impossible(string module) =>
        [.. All(module).Where(static rung => !rung.Value.GetProperty("possible").GetBoolean()).Select(static rung => rung.Name)];

    /// <summary>The one that a trace takes.</summary>
    public static string Best(string module) => Possible(module)[0];

    private static JsonElement.ObjectEnumerator All(string module) => s_modules.Value.GetProperty(module).GetProperty("rungs").EnumerateObject();
}
