// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Events.Kinds;
using Veil.Core.Modules;

namespace Veil.Core.Counting;

/// <summary>How events are counted in the kernel instead of shown.</summary>
/// <param name="By">The fields whose values are counted; none: the module's own, or with a histogram alone one count for all.</param>
/// <param name="Histogram">The field of which a histogram is made, or none.</param>
/// <param name="Top">Keys to show; none: ten as text, all as JSON.</param>
/// <param name="Interval">Print and begin anew each time; none: at the end.</param>
/// <param name="Keys">Keys that there is room for.</param>
public sealed record CountOptions(IReadOnlyList<string> By, string? Histogram, int? Top, TimeSpan? Interval, int Keys)
{
    /// <summary>Room for keys, where it is not said.</summary>
    public const int DefaultKeys = 10_240;

    /// <summary>The same with a histogram, of which each is 512 bytes a CPU.</summary>
    public const int DefaultHistogramKeys = 1_024;

    /// <summary>Keys that text shows, where it is not said.</summary>
    public const int DefaultTop = 10;

    /// <summary>The most fields that are counted by together (<c>VEIL_COUNT_FIELDS</c>).</summary>
    public const int FieldsMax = 4;

    /// <summary>What keys can be ranked by, as it is written, in the order of <see cref="CountSort"/>.</summary>
    public static string[] SortNames { get; } = ["count", "sum", "max", "errors"];

    /// <summary>The field that is added up, or none: of calls that end it is how long they took.</summary>
    public string? Sum { get; init; }

    /// <summary>What keys are ranked by; none: the sum, where one was asked for, else the count.</summary>
    public CountSort? Sort { get; init; }

    /// <summary>The same.</summary>
    public CountSort Ranking => Sort ?? (Sum is null ? CountSort.Count : CountSort.Sum);

    /// <summary>The fields that can be counted by, or whose numbers can be added up or made a histogram.</summary>
    public static IEnumerable<string> FieldNames(TraceModule module, bool quantities) =>
        ModuleFields.Of(module).Select(static known => known.Field)
            .Where(field => quantities ? CountPlan.IsQuantity(field) : CountPlan.CanBeKey(field)).Select(static field => field.Name);

    /// <summary>The names of the arguments that calls are counted by, each at its place among the fields.</summary>
    public IReadOnlyList<string?> Arguments => [.. By.Select(static field => ArgumentKind.IsOne(field) ? ArgumentKind.NameIn(field) : null)];

    /// <summary>The fields that a module is counted by.</summary>
    public IReadOnlyList<string> KeysOf(TraceModule module) => By.Count > 0 ? By : Histogram is null || Sum is not null ? [module.CountKey] : [];

    /// <summary>The fields of a module that are counted by, or whose numbers are.</summary>
    public IEnumerable<string> FieldsOf(TraceModule module) =>
        KeysOf(module).Concat(new[] { Histogram, Sum, module.CountSum }.OfType<string>());
}
