// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Text.RegularExpressions;

namespace Veil.Bench.Scenarios;

/// <summary>What veil says on stderr when it ends.</summary>
internal sealed partial record VeilSummary
{
    public long Delivered { get; init; }

    public long Lost { get; init; }

    /// <summary>With VEIL_STATS=1: managed bytes allocated while the events were delivered.</summary>
    public long? AllocatedBytes { get; init; }

    internal static VeilSummary? Parse(IReadOnlyList<string> errorLines)
    {
        VeilSummary? summary = null;
        foreach (string line in errorLines)
        {
            if (Events().Match(line) is { Success: true } events)
                summary = (summary ?? new()) with { Delivered = Number(events.Groups["delivered"]), Lost = Number(events.Groups["lost"]) };
            else if (Allocated().Match(line) is { Success: true } allocated)
                summary = (summary ?? new()) with { AllocatedBytes = Number(allocated.Groups["bytes"]) };
        }
        return summary;
    }

    private static long Number(Group digits) => long.Parse(digits.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^veil: (?<delivered>\d+) events? delivered in .*, (?<lost>\d+) lost", RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Events();

    [GeneratedRegex(
        @"^veil: allocated (?<bytes>\d+) bytes while \d+ events?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Allocated();
}
