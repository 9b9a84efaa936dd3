// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Veil.Core.Counting;

namespace Veil.Core.Export;

/// <summary>Prometheus text 0.0.4, or OpenMetrics 1.0: what differs are the names of counters, the line of units, and the end.</summary>
/// <param name="isOpenMetrics">The latter.</param>
/// <param name="room">Where it is written; what is there is lost. A scrape is large, and its memory is worth keeping.</param>
internal sealed class PrometheusText(bool isOpenMetrics, ArrayBufferWriter<byte>? room = null) : IMetricWriter
{
    private const int NumberBytesMax = 32;
    private const int FirstBytes = 64 * 1024;
    private const int MarksBytesMax = 16; // {,le=""} and the end of the line
    private const double WholeMax = 1e15; // beyond, a double is no exact count

    private readonly ArrayBufferWriter<byte> _text = Emptied(room);
    private MetricFamily _family;
    private byte[] _name = [];
    private byte[][]? _bounds;

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
        _bounds = null;
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
        Sample(""u8, TextOf(labels), [], value);
    }

    /// <inheritdoc/>
    public void Histogram(MetricLabels labels, CountTotals totals, double perUnit)
    {
        var text = TextOf(labels);
        var (first, last) = HistogramBounds.Of(_family.Quantity!);
        _bounds ??= [.. Enumerable.Range(first, last - first + 1).Select(slot => BoundText(HistogramBounds.Bound(slot) / perUnit))];
        ulong sum = 0;
        for (int slot = 0; slot <= last; slot++)
        {
            sum += totals.Slots[slot];
            if (slot < first)
                continue;
            Sample("_bucket"u8, text, _bounds[slot - first], sum);
        }

        Sample("_bucket"u8, text, "+Inf"u8, totals.Known);
        Sample("_sum"u8, text, [], (double)totals.Sum / perUnit);
        Sample("_count"u8, text, [], totals.Known);
    }

    // name{label="value",le="bound"} value: without a bound there is no le. One reservation a line: there may be 100,000.
    private void Sample(ReadOnlySpan<byte> suffix, byte[] labels, ReadOnlySpan<byte> bound, double value)
    {
        var line = _text.GetSpan(_name.Length + suffix.Length + labels.Length + bound.Length + NumberBytesMax + MarksBytesMax);
        int at = 0;
        Put(_name, line, ref at);
        Put(suffix, line, ref at);
        if (labels.Length + bound.Length > 0)
        {
            Put("{"u8, line, ref at);
            Put(labels, line, ref at);
            if (bound.Length > 0)
            {
                Put(labels.Length > 0 ? ",le=\""u8 : "le=\""u8, line, ref at);
                Put(bound, line, ref at);
                Put("\""u8, line, ref at);
            }

            Put("}"u8, line, ref at);
        }

        Put(" "u8, line, ref at);
        at += Number(value, line[at..]);
        Put("\n"u8, line, ref at);
        _text.Advance(at);

        static void Put(ReadOnlySpan<byte> bytes, Span<byte> line, ref int at)
        {
            bytes.CopyTo(line[at..]);
            at += bytes.Length;
        }
    }

    // OpenMetrics wants a bound with a point.
    private byte[] BoundText(double bound)
    {
        Span<byte> text = stackalloc byte[NumberBytesMax];
        int written = Number(bound, text);
        return isOpenMetrics && IsWhole(bound) ? [.. text[..written], .. ".0"u8] : text[..written].ToArray();
    }

    private static int Number(double value, Span<byte> room)
    {
        int written;
        if (IsWhole(value))
            Utf8Formatter.TryFormat((long)value, room, out written);
        else
            value.TryFormat(room, out written, "R", CultureInfo.InvariantCulture);
        return written;
    }

    private static bool IsWhole(double value) => value == Math.Floor(value) && Math.Abs(value) < WholeMax;

    private static ArrayBufferWriter<byte> Emptied(ArrayBufferWriter<byte>? room)
    {
        room?.ResetWrittenCount();
        return room ?? new(FirstBytes);
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
