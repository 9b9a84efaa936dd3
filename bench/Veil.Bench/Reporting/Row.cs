// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bench.Scenarios;

namespace Veil.Bench.Reporting;

/// <summary>A scenario with what its runs showed, one sample a round.</summary>
internal sealed class Row(Scenario scenario)
{
    private readonly List<(int Round, Sample Sample)> _samples = [];

    internal Scenario Scenario => scenario;

    internal string? Missing { get; private set; } = scenario.Missing;

    internal bool HasSamples => _samples.Count > 0;

    internal IEnumerable<Sample> Samples => _samples.Select(entry => entry.Sample);

    internal double MedianNs => Statistics.Median(Samples.Select(sample => sample.NsPerCall));

    internal double MinNs => Samples.Min(sample => sample.NsPerCall);

    internal double MaxNs => Samples.Max(sample => sample.NsPerCall);

    internal long Produced => Samples.Sum(sample => sample.Produced);

    internal long? Delivered => Samples.All(sample => sample.Delivered is not null) ? Samples.Sum(sample => sample.Delivered) : null;

    internal double CpuNsPerEvent => Statistics.Median(
        Samples.Where(sample => sample.Delivered > 0 && sample.TracerCpuNs is not null)
            .Select(sample => (double)sample.TracerCpuNs!.Value / sample.Delivered!.Value));

    internal double AttachMs =>
        Statistics.Median(Samples.Where(sample => sample.AttachMs is not null).Select(sample => sample.AttachMs!.Value));

    internal double PeakBeyondRingBytes => Samples.Max(sample => sample.PeakBeyondRingBytes) ?? double.NaN;

    internal void Add(int round, Sample sample) => _samples.Add((round, sample));

    /// <summary>The row is not run again, and shows why.</summary>
    internal void GiveUp(string reason) => Missing = reason;

    /// <summary>
    /// What the row adds to a call: the median of the differences to the bare calls of the same round, so that a machine
    /// that is slower for a while is slower on both sides.
    /// </summary>
    internal double AddedNs(Row nothing) => Statistics.Median(
        from mine in _samples
        join bare in nothing._samples on mine.Round equals bare.Round into bareOfRound
        select mine.Sample.NsPerCall - Statistics.Median(bareOfRound.Select(bare => bare.Sample.NsPerCall)));
}
