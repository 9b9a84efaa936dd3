// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Text;

namespace Veil.Core.Modules;

/// <summary>The flags that let only results pass that took long or failed, in the kernel: <c>bpf/veil/threshold.bpf.h</c>,
/// <c>result.bpf.h</c>.</summary>
public static class Thresholds
{
    /// <summary><c>--slower DURATION</c>.</summary>
    public static ModuleFlag Slower { get; } =
        new("slower", "DURATION", "only what took so long or longer, such as 10ms (ns, us, ms, s)", TakesOne: true, FlagRole.Threshold);

    /// <summary><c>--failed</c>.</summary>
    public static ModuleFlag Failed { get; } = new("failed", null, "only what failed", Role: FlagRole.Threshold);

    /// <summary>The flags that are decided at the end of what is traced, and so choose events of that.</summary>
    public static IReadOnlyList<string> OfResults { get; } = [Slower.Name, Failed.Name, ErrnoDimension.FlagName];

    /// <summary>Is the time from begin to end asked for?</summary>
    public static bool NeedTime(ModuleArguments arguments) => arguments.IsGiven(Slower.Name);

    /// <summary>Checks the values.</summary>
    /// <exception cref="UsageException">One is wrong.</exception>
    public static void Validate(ModuleArguments arguments) => _ = SlowerNs(arguments);

    /// <summary>Sets the constants of an object that is not loaded yet.</summary>
    public static void Configure(BpfObject bpfObject, ModuleArguments arguments)
    {
        bpfObject.TrySetGlobal("veil_slower_ns", SlowerNs(arguments));
        bpfObject.TrySetGlobal("veil_only_failed", arguments.Has(Failed.Name));
    }

    /// <summary>The time of <c>--slower</c>; 0: it is not given.</summary>
    internal static ulong SlowerNs(ModuleArguments arguments)
    {
        var values = arguments.Of(Slower.Name);
        if (values.Count == 0)
            return 0;
        if (values.Count > 1)
            throw new UsageException("--slower: given more than once, but it takes one value");
        string value = values[0];
        const double most = 86_400e9;
        if (!DurationText.TryParse(value, out double nanoseconds) || nanoseconds is < 1 or > most)
            throw new UsageException(
                $"--slower: '{Escaping.ForMessage(value)}' is not a duration from 1ns to 86400s with its unit, such as 10ms");
        return (ulong)nanoseconds;
    }
}
