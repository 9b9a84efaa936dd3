// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Bench.Scenarios;

/// <summary>What one run of one scenario showed.</summary>
internal sealed record Sample
{
    public required double NsPerCall { get; init; }

    public required long Produced { get; init; }

    public long? Delivered { get; init; }

    /// <summary>The tracer's user and system time from attached to its end, output drained.</summary>
    public long? TracerCpuNs { get; init; }

    /// <summary>Peak resident memory less the mapped ring, read just before the stop.</summary>
    public long? PeakBeyondRingBytes { get; init; }

    public double? AttachMs { get; init; }

    public VeilSummary? Veil { get; init; }
}
