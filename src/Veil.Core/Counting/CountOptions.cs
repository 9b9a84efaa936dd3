// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events.Kinds;
using Veil.Core.Modules;

namespace Veil.Core.Counting;

/// <summary>How events are counted in the kernel instead of shown.</summary>
/// <param name="By">The field whose values are counted; none: the module's own, or with a histogram one count for all.</param>
/// <param name="Histogram">The field of which a histogram is made, or none.</param>
/// <param name="Top">Keys to show; none: ten as text, all as JSON.</param>
/// <param name="Interval">Print and begin anew each time; none: at the end.</param>
/// <param name="Keys">Keys that there is room for.</param>
public sealed record CountOptions(string? By, string? Histogram, int? Top, TimeSpan? Interval, int Keys)
{
    /// <summary>Room for keys, where it is not said.</summary>
    public const int DefaultKeys = 10_240;

    /// <summary>The same with a histogram, of which each is 512 bytes a CPU.</summary>
    public const int DefaultHistogramKeys = 1_024;

    /// <summary>Keys that text shows, where it is not said.</summary>
    public const int DefaultTop = 10;

    /// <summary>The fields that can be counted by, or of which a histogram can be made.</summary>
    public static IEnumerable<string> FieldNames(TraceModule module, bool histogram) =>
        ModuleFields.Of(module).Select(static known => known.Field)
            .Where(field => histogram ? CountPlan.CanBeHistogram(field) : CountPlan.CanBeKey(field)).Select(static field => field.Name);

    /// <summary>The name of the argument that calls are counted by, or none.</summary>
    public string? Argument => By?.StartsWith(ArgumentKind.Prefix, StringComparison.Ordinal) == true ? ArgumentKind.NameIn(By) : null;

    /// <summary>The field that a module is counted by, or none.</summary>
    public string? KeyOf(TraceModule module) => By ?? (Histogram is null ? module.CountKey : null);
}
