// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Veil.Core.Counting;

namespace Veil.Core.Export;

/// <summary>Prometheus text 0.0.4, or OpenMetrics 1.0: what differs are the names of counters, the line of units, and the end.</summary>
/// <param name="isOpenMetrics">The latter.</param>
internal sealed class PrometheusText(bool isOpenMetrics) : IMetricWriter
{
    private const int NumberBytesMax = 32;
    private const double WholeMax = 1e15; // beyond, a double is no exact count

    private readonly ArrayBufferWriter<byte> _text = new(64 * 1024);
    private MetricFamily _family;
    private byte[] _name = [];

    /// <summary>Ends it.</summary>
    public ReadOnlyMemory<byte> End()
    {
        if (isOpenMetrics)
            _text.Write("# EOF\n"u8);
        return _text.WrittenMemory;
    }

    /// <inheritdoc/>
    public void Begin(in MetricFamily family)
    {
        _family = family;
        string sample = family.Kind == MetricKind.Counter ? family.Name + "_total" : family.Name;
        _name = Encoding.UTF8.GetBytes(sample);
        string name = isOpenMetrics ? family.Name : sample;
        Write($"# TYPE {name} {family.Kind.ToString().ToLowerInvariant()}\n");
        if (isOpenMetrics && family.Unit.Length > 0)
            Write($"# UNIT {name} {family.Unit}\n");
        Write($"# HELP {name} {family.Help}\n");
    }

    /// <inheritdoc/>
    public void Point(MetricLabels labels, double value)
    {
        Sample(""u8, TextOf(labels), -1);
        End(value);
    }

    /// <inheritdoc/>
    public void Histogram(MetricLabels labels, CountTotals totals, double perUnit)
    {
        var text = TextOf(labels);
        var (first, last) = HistogramBounds.Of(_family.Quantity!);
        ulong sum = 0;
        for (int slot = 0; slot <= last; slot++)
        {
            sum += totals.Slots[slot];
            if (slot < first)
                continue;
            Sample("_bucket"u8, text, HistogramBounds.Bound(slot) / perUnit);
            End(sum);
        }

        Sample("_bucket"u8, text, double.PositiveInfinity);
        End(totals.Known);
        Sample("_sum"u8, text, -1);
        End((double)totals.Sum / perUnit);
        Sample("_count"u8, text, -1);
        End(totals.Known);
    }

    // name{label="value",le="bound"}: a bound below 0 is none.
    private void Sample(ReadOnlySpan<byte> suffix, byte[] labels, double bound)
    {
        _text.Write(_name);
        _text.Write(suffix);
        bool hasBound = bound >= 0;
        if (labels.Length == 0 && !hasBound)
            return;
        _text.Write("{"u8);
        _text.Write(labels);
        if (hasBound)
        {
            _text.Write(labels.Length > 0 ? ",le=\""u8 : "le=\""u8);
            Number(bound, isOpenMetrics);
            _text.Write("\""u8);
        }

        _text.Write("}"u8);
    }

    private void End(double value)
    {
        _text.Write(" "u8);
        Number(value, hasPoint: false);
        _text.Write("\n"u8);
    }

    private void Number(double value, bool hasPoint)
    {
        if (double.IsPositiveInfinity(value))
        {
            _text.Write("+Inf"u8);
            return;
        }

        var room = _text.GetSpan(NumberBytesMax);
        int written;
        if (value == Math.Floor(value) && Math.Abs(value) < WholeMax)
        {
            Utf8Formatter.TryFormat((long)value, room, out written);
            if (hasPoint)
            {
                ".0"u8.CopyTo(room[written..]);
                written += 2;
            }
        }
        else
        {
            value.TryFormat(room, out written, "R", CultureInfo.InvariantCulture);
        }

        _text.Advance(written);
    }

    private byte[] TextOf(MetricLabels labels)
    {
        if (labels.Text is { } known)
            return known;
        var text = new ArrayBufferWriter<byte>();
        for (int i = 0; i < _family.Labels.Length; i++)
        {
            text.Write(Encoding.UTF8.GetBytes($"{(i == 0 ? "" : ",")}{_family.Labels[i]}=\""));
            foreach (byte one in labels.Values[i])
            {
                text.Write(one switch
                {
                    (byte)'\\' => "\\\\"u8,
                    (byte)'"' => "\\\""u8,
                    (byte)'\n' => "\\n"u8,
                    _ => [one],
                });
            }

            text.Write("\""u8);
        }

        return labels.Text = text.WrittenSpan.ToArray();
    }

    private void Write(string text) => _text.Write(Encoding.UTF8.GetBytes(text));
}
