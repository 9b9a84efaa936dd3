// SPDX-License-Identifier: GPL-3.0-only
using System.Text;
using Veil.Core.Counting;
using Veil.Core.Events.Kinds;

namespace Veil.Core.Export;

/// <summary>Metrics as OTLP has them (<c>opentelemetry.proto.metrics.v1</c>): cumulative, so that a request that got lost costs
/// nothing.</summary>
/// <param name="startedNs">When the trace began, nanoseconds since 1970.</param>
/// <param name="nowNs">The moment of the points.</param>
internal sealed class OtlpMetrics(ulong startedNs, ulong nowNs) : IMetricWriter
{
    // ScopeMetrics
    private const int MetricField = 2;

    // Metric
    private const int NameField = 1;
    private const int HelpField = 2;
    private const int UnitField = 3;
    private const int GaugeField = 5;
    private const int SumField = 7;
    private const int ExponentialField = 10;

    // Gauge, Sum, ExponentialHistogram
    private const int PointsField = 1;
    private const int TemporalityField = 2;
    private const int Cumulative = 2;
    private const int MonotonicField = 3;

    // NumberDataPoint
    private const int StartField = 2;
    private const int TimeField = 3;
    private const int DoubleField = 4;
    private const int IntField = 6;
    private const int NumberAttributesField = 7;

    // ExponentialHistogramDataPoint
    private const int AttributesField = 1;
    private const int CountField = 4;
    private const int HistogramSumField = 5;
    private const int ZeroCountField = 7;
    private const int PositiveField = 8;
    private const int MaxField = 13;
    private const int BucketCountsField = 2;

    private const double WholeMax = 1e15;
    private const int FirstBytes = 64 * 1024;

    private MetricFamily _family;
    private byte[][] _labels = [];
    private int _metric;
    private int _data;

    /// <summary>The metrics, one behind the other.</summary>
    public ProtoBuffer Metrics { get; } = new(FirstBytes);

    /// <inheritdoc/>
    public void Begin(in MetricFamily family)
    {
        End();
        _family = family;
        string module = family.Module;
        _labels = [.. family.Labels.Select(label => Encoding.UTF8.GetBytes(OtlpNames.Of(module, label)))];
        string stem = family.Unit.Length > 0 ? family.Name[..^(family.Unit.Length + 1)] : family.Name;
        string unit = family.Quantity == Quantity.Nanoseconds ? "ns" : family.Quantity == Quantity.Microseconds ? "us"
            : family.Unit switch
            {
                "seconds" => "s",
                "bytes" => "By",
                // Prometheus would make a gauge of unit 1 a ratio, by name.
                _ => family.Kind == MetricKind.Gauge ? "" : "1",
            };
        _metric = Metrics.BeginMessage(MetricField);
        Metrics.Bytes(NameField, Encoding.UTF8.GetBytes(stem.Replace('_', '.')));
        Metrics.Bytes(HelpField, Encoding.UTF8.GetBytes(family.Help));
        Metrics.Bytes(UnitField, Encoding.UTF8.GetBytes(unit));
        _data = Metrics.BeginMessage(family.Kind switch { MetricKind.Counter => SumField, MetricKind.Gauge => GaugeField, _ => ExponentialField });
        if (family.Kind != MetricKind.Gauge)
            Metrics.Number(TemporalityField, Cumulative);
        if (family.Kind == MetricKind.Counter)
            Metrics.Number(MonotonicField, 1);
    }

    /// <inheritdoc/>
    public void Point(MetricLabels labels, double value)
    {
        int point = Metrics.BeginMessage(PointsField);
        Times();
        if (value == Math.Floor(value) && Math.Abs(value) < WholeMax)
            Metrics.Fixed64(IntField, (ulong)(long)value);
        else
            Metrics.Double(DoubleField, value);
        Attributes(NumberAttributesField, labels);
        Metrics.EndMessage(point);
    }

    /// <summary>At scale 0, whose buckets are powers of two as our slots are, in the unit of the numbers. Of a bucket the upper bound
    /// belongs to
    /// it there and to the next one here; OTLP lets a mapping be inexact there.</summary>
    public void Histogram(MetricLabels labels, CountTotals totals, double perUnit)
    {
        int point = Metrics.BeginMessage(PointsField);
        Attributes(AttributesField, labels);
        Times();
        Metrics.Fixed64(CountField, totals.Known);
        Metrics.Double(HistogramSumField, (double)totals.Sum);
        Metrics.Fixed64(ZeroCountField, totals.Slots[0]);
        Metrics.Double(MaxField, totals.Max);
        int last = Array.FindLastIndex(totals.Slots, Counting.Histogram.Unknown - 1, static count => count > 0);
        int buckets = Metrics.BeginMessage(PositiveField);
        int counts = Metrics.BeginMessage(BucketCountsField);
        for (int slot = 1; slot <= last; slot++)
            Metrics.Varint(totals.Slots[slot]);
        Metrics.EndMessage(counts);
        Metrics.EndMessage(buckets);
        Metrics.EndMessage(point);
    }

    /// <summary>Ends the last family.</summary>
    public void End()
    {
        if (_metric == 0)
            return;
        Metrics.EndMessage(_data);
        Metrics.EndMessage(_metric);
        _metric = 0;
    }

    private void Times()
    {
        Metrics.Fixed64(StartField, startedNs);
        Metrics.Fixed64(TimeField, nowNs);
    }

    private void Attributes(int field, MetricLabels labels)
    {
        for (int i = 0; i < _labels.Length; i++)
            OtlpValue.Text(Metrics, field, _labels[i], labels.Values[i]);
    }
}
