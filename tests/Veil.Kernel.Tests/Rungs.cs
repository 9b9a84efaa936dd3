using System.Text.Json;
using Veil.Bpf;

namespace Veil.Kernel.Tests;

/// <summary>The ways of attaching that this kernel has, as <c>veil doctor</c> finds them: theories run once for each.</summary>
internal static class Rungs
{
    private static readonly Lazy<JsonElement> s_modules = new(static () =>
        JsonDocument.Parse(VeilRun.ToEnd("doctor", "--output", "json").RawOutput).RootElement.GetProperty("modules"));

    /// <summary>Best first.</summary>
    public static string[] Possible(string module) =>
        [.. All(module).Where(static rung => rung.Value.GetProperty("possible").GetBoolean()).Select(static rung => rung.Name)];

    /// <summary>
    /// Those of them that lose nothing uncounted: before Linux 6.7 the kernel skips a classic tracepoint's program while another one runs on
    /// that CPU, and does not say so.
    /// </summary>
    public static string[] Exact(string module) =>
        [.. Possible(module).Where(static name => name != "tracepoint" || KernelFeatures.KernelVersion >= new Version(6, 7))];

    /// <summary>Those that this kernel refuses.</summary>
    public static string[] Impossible(string module) =>
        [.. All(module).Where(static rung => !rung.Value.GetProperty("possible").GetBoolean()).Select(static rung => rung.Name)];

    /// <summary>The one that a trace takes.</summary>
    public static string Best(string module) => Possible(module)[0];

    private static JsonElement.ObjectEnumerator All(string module) => s_modules.Value.GetProperty(module).GetProperty("rungs").EnumerateObject();
}
